/** One generation by Gallop in a fresh process. */

import { performance } from 'node:perf_hooks';
import { generate, loadModel } from 'gallop';
import { type EngineRun, ratesOf } from '../engines/engine.ts';
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
  const asked = performance.now();
  let [first, last] = [0, 0];
  const { tokens } = await generate(model, Int32Array.from(promptIds), {
    maxTokens: newTokens,
    ignoreEnd: true,
    onStep: () => {
      last = performance.now();
      first ||= last;
    },
  }).result;
  return {
    ...ratesOf(promptIds.length, newTokens, asked, first, last),
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
    tokens: tokens.slice(0, 16),
  };
};

await serve(run);
