/** One call of the network on some positions of a canvas, with its logits under the positions that they predict. */
import { GallopError } from '@gallop/core';
import type { CacheHost, Pass } from '../loop/sampler.ts';

export const everyPosition = (length: number): Int32Array => Int32Array.from({ length }, (_, position) => position);

export const positionsFrom = (start: number, end: number): Int32Array =>
  Int32Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);

/**
 * Computes rows that see each other and everything committed.
 *
 * @param positions of the rows fed, ascending
 * @param read positions whose logits will be asked for. Where a row predicts the next position, position p is read from
 *   the row before p's among those fed, the first from its own
 */
export const computeRows = async (
  host: CacheHost,
  ids: Int32Array,
  positions: Int32Array,
  read: Int32Array,
): Promise<Pass> => {
  const { session, alignment, vocabSize, signal } = host;
  const rowOf = new Map(Array.from(positions, (position, row) => [position, row] as const));
  const sources = new Map<number, number>();
  for (const position of read) {
    const row = rowOf.get(position);
    if (row !== undefined) sources.set(position, alignment === 'next' ? Math.max(0, row - 1) : row);
  }
  const wanted = Int32Array.from(new Set(sources.values())).sort();
  const { logits } = await session.forward({
    ...{ ids: positions.map((position) => ids[position]), positions, attention: { kind: 'full' } },
    want: { logits: wanted },
    ...(signal && { signal }),
  });
  const place = new Map(Array.from(wanted, (row, index) => [row, index] as const));
  return {
    ...{ rows: positions.length, calls: 1 },
    row: (position) => rowOf.get(position) ?? -1,
    logits: (position) => {
      const index = place.get(sources.get(position) ?? -1);
      if (index === undefined || logits === undefined) {
        throw new GallopError(
          'invalid-state',
          `Expected a position whose logits this step has read; received ${position}; let the sampler read 'block' or 'canvas'.`,
        );
      }
      return logits.slice(index * vocabSize, (index + 1) * vocabSize);
    },
  };
};
