/** Every step computes every row: the reference of all caches, and the only place for guidance. */
import type { CacheHost, CachePolicy, Canvas, Pass } from '../loop/sampler.ts';
import { computeRows, everyPosition } from './rows.ts';

/** Computes the whole canvas in every step. */
export const noCache = (): CachePolicy => (host) => ({
  pass: (canvas, _block, _call, read) =>
    host.guidance === 0
      ? computeRows(host, canvas.ids, everyPosition(canvas.ids.length), read)
      : guidedRows(host, canvas, read),
});

/** L = Lᵤ + (scale + 1)(L꜀ − Lᵤ); the unconditional half has the prompt masked. */
const guidedRows = async (host: CacheHost, canvas: Canvas, read: Int32Array): Promise<Pass> => {
  const positions = everyPosition(canvas.ids.length);
  const conditional = await computeRows(host, canvas.ids, positions, read);
  const kept = new Map(Array.from(read, (position) => [position, conditional.logits(position)] as const));
  const unconditionalIds = canvas.ids.slice();
  unconditionalIds.fill(canvas.maskToken, 0, canvas.start);
  const unconditional = await computeRows(host, unconditionalIds, positions, read);
  return {
    ...{ rows: conditional.rows, calls: 2, row: conditional.row },
    logits: (position) => guide(kept.get(position)!, unconditional.logits(position), host.guidance),
  };
};

/**
 * Classifier-free guidance on logits.
 *
 * @param scale 0 gives the conditional row
 */
export const guide = (conditional: Float32Array, unconditional: Float32Array, scale: number): Float32Array =>
  conditional.map((value, token) => unconditional[token] + (scale + 1) * (value - unconditional[token]));
