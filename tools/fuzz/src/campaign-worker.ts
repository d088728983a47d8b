/**
 * The thread in which cases run. It writes the number and the start of the current case into shared memory, where the main
 * thread sees a case that does not end, and reports findings and counts as messages.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Random } from './random.ts';
import { runCase } from './run-case.ts';
import type { FuzzInput, FuzzTarget } from './target.ts';

export interface WorkerTask {
  /** Module that exports `targets`. */
  readonly module: string;
  readonly target: string;
  readonly seed: number;
  /** Number of the first case. */
  readonly from: number;
  /** Date.now() at which to stop. */
  readonly until: number;
  /** Most cases. */
  readonly cases: number;
  /** [number of the current case, its Date.now()]. */
  readonly progress: Float64Array;
}

export type WorkerMessage =
  | { readonly kind: 'finding'; readonly number: number; readonly what: string }
  | { readonly kind: 'done'; readonly next: number; readonly values: number; readonly refused: number };

const { module, target: name, seed, from, until, cases, progress } = workerData as WorkerTask;
const { targets } = (await import(module)) as { targets: readonly FuzzTarget<FuzzInput>[] };
const target = targets.find((one) => one.name === name)!;
const counts = { value: 0, refused: 0 };
const post = (message: WorkerMessage): void => parentPort?.postMessage(message);
let number = from;
for (; number < from + cases && Date.now() < until; number++) {
  progress[0] = number;
  const input = target.generate(new Random(seed, number));
  progress[1] = Date.now();
  const verdict = await runCase(target, input);
  progress[1] = 0;
  if (verdict.kind === 'finding') post({ kind: 'finding', number, what: verdict.what });
  else counts[verdict.kind]++;
}
post({ kind: 'done', next: number, values: counts.value, refused: counts.refused });
