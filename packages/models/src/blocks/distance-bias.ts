/** Attention biases that depend on a head and on how far a key lies from its query: ALiBi, and T5's buckets. */
import type { DistanceBias } from '@gallop/tensor';
import type { ModelWeights } from '../loading/model-weights.ts';

/**
 * A table over distances (query position − key position) from `least` to `most`; keys further away take the nearest entry.
 * @param bias value of a head at a distance
 */
export function distanceTable(
  weights: ModelWeights,
  heads: number,
  least: number,
  most: number,
  bias: (head: number, distance: number) => number,
): Pick<DistanceBias, 'table' | 'zero'> {
  const columns = most - least + 1;
  const values = new Float32Array(heads * columns);
  for (let head = 0; head < heads; head++)
    for (let column = 0; column < columns; column++) values[head * columns + column] = bias(head, least + column);
  return { table: weights.place(values, [heads, columns]), zero: -least };
}
