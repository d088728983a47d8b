/**
 * One generation by node-llama-cpp in a fresh process, by its evaluation loop: no chat session, no text, greedy. Only what
 * is used of the library is described here, because it is not a dependency.
 */

import { pathToFileURL } from 'node:url';
import { type EngineRun, ratesOf } from '../engines/engine.ts';
import { type Job, peakMemoryBytes, serve } from './worker.ts';

export interface LlamaTask {
  /** Path of the library's module. */
  readonly entry: string;
  readonly model: string;
  readonly promptIds: readonly number[];
  readonly newTokens: number;
  readonly threads: number;
  readonly flashAttention: boolean;
}

interface Sequence {
  evaluate(
    tokens: readonly number[],
    options: { readonly temperature: 0; readonly yieldEogToken: true },
  ): AsyncGenerator<number, void>;
}

interface Llama {
  loadModel(options: { readonly modelPath: string; readonly gpuLayers: 0 }): Promise<{
    createContext(options: {
      readonly contextSize: number;
      readonly batchSize: number;
      readonly threads: number;
      readonly sequences: 1;
      readonly flashAttention: boolean;
    }): Promise<{ getSequence(): Sequence }>;
  }>;
  dispose(): Promise<void>;
}

interface Library {
  getLlama(options: {
    readonly gpu: false;
    readonly build: 'never';
    readonly logLevel: 'error';
    readonly progressLogs: false;
    /** 0: contexts get the threads they ask for. */
    readonly maxThreads: 0;
  }): Promise<Llama>;
}

const run = async ({ task, age }: Job<LlamaTask>): Promise<EngineRun> => {
  const { entry, model: modelPath, promptIds, newTokens, threads, flashAttention } = task;
  const beforeStart = age() - performance.now();
  const began = performance.now();
  const library = (await import(pathToFileURL(entry).href)) as Library;
  const imported = performance.now();
  const llama = await library.getLlama({
    gpu: false,
    build: 'never',
    logLevel: 'error',
    progressLogs: false,
    maxThreads: 0,
  });
  const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
  const loaded = performance.now();
  const contextSize = promptIds.length + newTokens;
  const context = await model.createContext({
    contextSize,
    batchSize: promptIds.length,
    threads,
    sequences: 1,
    flashAttention,
  });
  const asked = performance.now();
  let [first, last] = [0, 0];
  const tokens: number[] = [];
  for await (const token of context.getSequence().evaluate(promptIds, { temperature: 0, yieldEogToken: true })) {
    last = performance.now();
    first ||= last;
    tokens.push(token);
    if (tokens.length === newTokens) break;
  }
  const peak = peakMemoryBytes();
  await llama.dispose();
  return {
    ...ratesOf(promptIds.length, newTokens, asked, first, last),
    startToFirstTokenMilliseconds: beforeStart + first,
    peakMemoryBytes: peak,
    phases: {
      'start of Node': beforeStart + began,
      'loading modules': imported - began,
      'library, model': loaded - imported,
      context: asked - loaded,
      prompt: first - asked,
    },
    tokens: tokens.slice(0, 16),
  };
};

await serve(run);
