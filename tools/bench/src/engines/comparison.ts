/** A set of engines to measure in turns, with the goals of our own. */

import type { DecodeGoals } from '../report/decode-sections.ts';
import type { Engine } from './engine.ts';

export interface Comparison extends AsyncDisposable {
  /** Ours first. */
  readonly engines: readonly Engine[];
  readonly goals: DecodeGoals;
  /** Whether the first engine reads its weights from memory at a speed worth comparing with the machine's. */
  readonly readsMemory: boolean;
  /** Tuning measures each choice of settings `runs` times, with this share of prompt and new tokens. */
  readonly tuning: { readonly workShare: number; readonly runs: number };
  /** Why engines were left out. */
  readonly skipped: readonly string[];
}
