/**
 * wllama's half of the browser benchmark: one greedy completion. It takes text only, and makes the ids itself. Its rates are those of the llama.cpp inside
 * (its `timings`), which leave out the way to the page and back. Only what is used of the library is described here.
 */

import type { PageRun, PageTask } from './protocol.ts';

interface Chunk {
  readonly timings?: {
    readonly prompt_n: number;
    readonly prompt_per_second: number;
    readonly predicted_n: number;
    readonly predicted_per_second: number;
  };
}

interface Wllama {
  loadModel(blobs: readonly Blob[], options: object): Promise<void>;
  createCompletion(options: object): Promise<AsyncIterable<Chunk>>;
  getNumThreads(): number;
  exit(): Promise<void>;
}

interface Library {
  readonly Wllama: new (paths: { readonly default: string }, options: { readonly suppressNativeLog: true }) => Wllama;
}

/** Where the page's server puts the library. */
const LIBRARY = '/peer/index.js';
/** Cutting text at a token may change the tokens at its end. */
const TOLERANCE = 4;
const MODULE = '/peer/wasm/wllama.wasm';

export const measureWllama = async (task: PageTask): Promise<PageRun> => {
  const { modelUrl, promptIds, promptText, newTokens, threads, flashAttention } = task;
  const library = (await import(/* @vite-ignore */ LIBRARY)) as Library;
  const blob = await (await fetch(modelUrl)).blob();
  const wllama = new library.Wllama({ default: MODULE }, { suppressNativeLog: true });
  await wllama.loadModel([blob], {
    n_ctx: promptIds.length + TOLERANCE + newTokens,
    n_batch: promptIds.length,
    n_threads: threads,
    n_gpu_layers: 0,
    n_parallel: 1,
    flash_attn: flashAttention,
  });
  const chunks = await wllama.createCompletion({
    prompt: promptText,
    max_tokens: newTokens,
    temperature: 0,
    ignore_eos: true,
    stream: true,
  });
  let firstTokenAt = 0;
  let timings: Chunk['timings'];
  for await (const chunk of chunks) {
    firstTokenAt ||= performance.now();
    timings = chunk.timings ?? timings;
  }
  const used = wllama.getNumThreads();
  await wllama.exit();
  if (
    timings === undefined ||
    Math.abs(timings.prompt_n - promptIds.length) > TOLERANCE ||
    timings.predicted_n !== newTokens
  ) {
    throw new Error(`wllama did other work than asked: ${JSON.stringify(timings)}`);
  }
  return {
    prefillTokensPerSecond: timings.prompt_per_second,
    decodeTokensPerSecond: timings.predicted_per_second,
    firstTokenAt,
    threads: used,
    tokens: [],
  };
};
