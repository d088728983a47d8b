/** Times forward passes over M rows after a context, in one process; what a speculative decoder calls a verify pass. */

import type { LanguageModel, Session } from '@gallop/core';
import { loadModel } from 'gallop';
import { type Job, serve } from './worker.ts';

export interface PassesTask {
  readonly model: string;
  readonly backend: 'native' | 'wasm';
  readonly threads: number;
  /** Committed rows before each pass, by table. */
  readonly contexts: readonly number[];
  /** Row counts, the first of which is 1. */
  readonly rowCounts: readonly number[];
  /** Most rounds per context; in a round each row count has its turn. */
  readonly rounds: number;
  /** No further round of a context begins after this time. */
  readonly budgetMilliseconds: number;
  /** Ids to take contexts and rows from. */
  readonly promptIds: readonly number[];
}

/** Milliseconds of every pass: [context][row count][round]. */
export type PassTimes = readonly (readonly (readonly number[])[])[];

const WARM_UP_ROUNDS = 2;

const run = async ({ task }: Job<PassesTask>): Promise<PassTimes> => {
  const { backend, threads, contexts, rowCounts } = task;
  const contextLength = Math.max(...contexts) + Math.max(...rowCounts);
  using model = await loadModel(task.model, { backend, threads, contextLength });
  const times: (readonly (readonly number[])[])[] = [];
  for (const context of contexts) {
    await using session = await filledSession(model.languageModel, task.promptIds.slice(0, context));
    times.push(await timePasses(session, task));
  }
  return times;
};

const filledSession = async (model: LanguageModel, ids: readonly number[]): Promise<Session> => {
  const session = model.openSession();
  await session.forward({ ids: Int32Array.from(ids) });
  session.commit(Int32Array.from(ids.keys()));
  return session;
};

/** Row counts take turns within a round, so that a disturbance hits them alike. */
const timePasses = async (
  session: Session,
  { rowCounts, rounds, budgetMilliseconds, promptIds }: PassesTask,
): Promise<readonly (readonly number[])[]> => {
  const times = rowCounts.map((): number[] => []);
  const rows = rowCounts.map((count) => Int32Array.from({ length: count }, (_, row) => promptIds[row]));
  const none = new Int32Array(0);
  const start = performance.now();
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    if (round > 0 && performance.now() - start > budgetMilliseconds) break;
    for (const [index, ids] of rows.entries()) {
      const began = performance.now();
      await session.forward({ ids, want: { logits: 'all', topK: 1 } });
      const ended = performance.now();
      session.commit(none);
      if (round >= 0) times[index].push(ended - began);
    }
  }
  return times;
};

await serve(run);
