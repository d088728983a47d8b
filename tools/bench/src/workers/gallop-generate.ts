/** One generation by Gallop in a fresh process. */

import { performance } from 'node:perf_hooks';
import { loadModel } from 'gallop';
import type { EngineRun } from '../engines/engine.ts';
import { timeGeneration } from '../engines/timed-generation.ts';
import { type Job, peakMemoryBytes, serve } from './worker.ts';

export interface GallopTask {
  readonly model: string;
  readonly promptIds: readonly number[];
  readonly newTokens: number;
  readonly backend: 'native' | 'wasm';
  readonly threads: number;
}

const nodeStarted = performance.nodeTiming.bootstrapComplete;
const imported = performance.now();

const run = async ({ task, age }: Job<GallopTask>): Promise<EngineRun> => {
  const { model: file, promptIds, newTokens, backend, threads } = task;
  const beforeStart = age() - performance.now();
  let [headerRead, weightsLoaded] = [0, 0];
  using model = await loadModel(file, {
    backend,
    threads,
    contextLength: promptIds.length + newTokens,
    onProgress: () => {
      weightsLoaded = performance.now();
      headerRead ||= weightsLoaded;
    },
  });
  const { asked, first, ...measured } = await timeGeneration(model, promptIds, newTokens);
  return {
    ...measured,
    startToFirstTokenMilliseconds: beforeStart + first,
    peakMemoryBytes: peakMemoryBytes(),
    phases: {
      'start of Node': beforeStart + nodeStarted,
      'loading modules': imported - nodeStarted,
      'backend, file header, first tensor': headerRead - imported,
      'other weights': weightsLoaded - headerRead,
      tokenizer: asked - weightsLoaded,
      prompt: first - asked,
    },
  };
};

await serve(run);
