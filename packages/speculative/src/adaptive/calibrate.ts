/** Measures what verifying M rows costs, on the model as it is now: at the present length of a state, which stays as it is. */

import { requireArgument, type Session } from '@gallop/core';
import { CostModel, type MeasuredCost } from './cost-model.ts';

export interface CalibrateOptions {
  /** Sizes measured. Default 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, as far as the context allows. */
  readonly rows?: readonly number[];
  /** Passes a size; the quickest counts. Default 3. */
  readonly repeats?: number;
  /** Best tokens read back a row, or whole rows of logits at 0. Default 8. */
  readonly topK?: number;
  /** Rows that still fit behind the state. Default unlimited. */
  readonly room?: number;
  readonly signal?: AbortSignal;
}

/**
 * Times passes over chains of different lengths behind the state's rows. Nothing is committed.
 *
 * @throws GallopError `invalid-argument` for sizes that are no counts, what the model throws, `signal.reason`
 */
export const calibrate = async (session: Session, options: CalibrateOptions = {}): Promise<CostModel> => {
  const {
    rows = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32],
    repeats = 3,
    topK = 8,
    room = Number.POSITIVE_INFINITY,
    signal,
  } = options;
  requireArgument(
    [...rows, repeats].every((value) => Number.isSafeInteger(value) && value >= 1 && value <= 4096),
    () => {
      return `Expected sizes and repeats to be whole numbers from 1 to 4096; received ${rows.join(', ')} and ${repeats}; correct them.`;
    },
  );
  const sizes = [...new Set(rows)].filter((size) => size <= room).sort((a, b) => a - b);
  const measured: MeasuredCost[] = [];
  for (const size of sizes) {
    const ids = new Int32Array(size);
    const parents = ids.map((_, row) => row - 1);
    const want = { logits: 'all', ...(topK > 0 && { topK }) } as const;
    let milliseconds = Number.POSITIVE_INFINITY;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const start = performance.now();
      await session.forward({ ids, attention: { kind: 'tree', parents }, want, ...(signal && { signal }) });
      milliseconds = Math.min(milliseconds, performance.now() - start);
    }
    measured.push({ rows: size, milliseconds: Math.max(milliseconds, 1e-3) });
  }
  session.commit(new Int32Array());
  return measured.length > 0 ? new CostModel(measured) : new CostModel();
};
