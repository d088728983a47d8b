/**
 * `generate`: text from a model, streamed. Work starts at once and does not wait for the reader; the stream and the
 * totals are two views of it. Leaving the stream early (`break`) ends the generation.
 */

import { GallopError, StopScanner } from '@gallop/core';
import { SpeculationStatistics, type SpeculationTotals } from '@gallop/speculative';
import type { TextModel } from '../text-model.ts';
import { breather } from './breathe.ts';
import { Context } from './context.ts';
import { decodeTokens } from './decode.ts';
import { draftTokens } from './draft.ts';
import { checkGenerateOptions, type GenerateOptions } from './options.ts';
import { PieceQueue } from './piece-queue.ts';
import { encodePrompt, type Prompt } from './prompt.ts';
import { Stopwatch } from './stopwatch.ts';

/** Why a generation ended: the model or a stop string ended it; tokens or context ran out; the reader left. */
export type FinishReason = 'stop' | 'length' | 'aborted';

/** A generation in total. */
export interface GenerationResult {
  readonly text: string;
  /** Generated ids, without the end-of-generation token; those of a stop string included. */
  readonly tokens: readonly number[];
  readonly promptTokens: number;
  /** Prompt tokens that the context already held. */
  readonly reusedTokens: number;
  readonly finishReason: FinishReason;
  /** From the call of `generate` until the first token was chosen. */
  readonly firstTokenMilliseconds: number;
  /** Prompt tokens computed in a second of the prompt's forward call. */
  readonly prefillTokensPerSecond: number;
  /** Tokens after the first in a second of the time after it; 0 when there are none. */
  readonly decodeTokensPerSecond: number;
  /** With drafts: what they cost and gained. */
  readonly speculation?: SpeculationTotals;
}

/** A running generation: pieces of text to iterate once, and the totals. */
export interface Generation extends AsyncIterable<string> {
  readonly result: Promise<GenerationResult>;
}

/**
 * Generates text.
 *
 * @param prompt text, a conversation, or token ids
 * @returns a stream of text with the totals as `result`. Both reject with a GallopError (`invalid-argument`,
 *   `context-overflow`, `unsupported`, or what the model throws) or with `signal.reason` after cancellation
 */
export const generate = (model: TextModel, prompt: Prompt, options: GenerateOptions = {}): Generation => {
  const left = { value: false };
  const pieces = new PieceQueue(() => {
    left.value = true;
  });
  const result = run(model, prompt, { temperature: 0, ...options }, pieces, left);
  result.then(
    () => pieces.end(),
    (error: unknown) => pieces.fail(error),
  );
  return { result, [Symbol.asyncIterator]: () => pieces };
};

const run = async (
  model: TextModel,
  prompt: Prompt,
  options: GenerateOptions,
  pieces: PieceQueue,
  left: { readonly value: boolean },
): Promise<GenerationResult> => {
  const stopwatch = new Stopwatch();
  options.signal?.throwIfAborted();
  requireNextTokenModel(model);
  checkGenerateOptions(options, model.languageModel.vocabSize);
  const scanner = new StopScanner(options.stop ?? []);
  const ids = encodePrompt(model, prompt);
  const context = options.context ?? new Context(model.languageModel);
  const reusedTokens = context.claim(model.languageModel, ids);
  stopwatch.beginPrompt();
  try {
    const written = await write(model, ids, { context, scanner, stopwatch, pieces, left }, options);
    return {
      ...written,
      promptTokens: ids.length,
      reusedTokens,
      ...stopwatch.rates(ids.length - reusedTokens, written.tokens.length),
    };
  } finally {
    context.release();
    if (options.context === undefined) context.dispose();
  }
};

interface Desk {
  readonly context: Context;
  readonly scanner: StopScanner;
  readonly stopwatch: Stopwatch;
  readonly pieces: PieceQueue;
  readonly left: { readonly value: boolean };
}

type Written = Pick<GenerationResult, 'text' | 'tokens' | 'finishReason' | 'speculation'>;

/** The loop: tokens to text, text through the stop scanner, out to the reader. */
const write = async (
  model: TextModel,
  ids: Int32Array,
  { context, scanner, stopwatch, pieces, left }: Desk,
  options: GenerateOptions,
): Promise<Written> => {
  const decoder = model.codec.openDecoder();
  const breathe = breather();
  const tokens: number[] = [];
  let text = '';
  const emit = (certain: string, proposer?: string): void => {
    if (certain === '') return;
    text += certain;
    options.onPiece?.({ text: certain, ...(proposer !== undefined && { proposer }) });
    pieces.push(certain);
  };
  const { draft = 'none' } = options;
  const statistics = new SpeculationStatistics();
  const steps =
    draft === 'none'
      ? decodeTokens(model, ids, context, options)
      : draftTokens(model, ids, context, { ...options, draft }, statistics);
  const finish = (finishReason: FinishReason): Written => {
    return { text, tokens, finishReason, ...(draft !== 'none' && { speculation: statistics.totals() }) };
  };
  for (;;) {
    const { done, value } = await steps.next();
    if (!done || tokens.length === 0) stopwatch.lap();
    if (done) {
      const scan = scanner.push(decoder.flush());
      emit(scan.text + (scan.stop === undefined ? scanner.flush() : ''));
      return finish(scan.stop === undefined ? value : 'stop');
    }
    options.onStep?.(value);
    for (const [index, token] of value.tokens.entries()) {
      tokens.push(token);
      const scan = scanner.push(decoder.push(token));
      emit(scan.text, value.proposers?.[index]);
      if (scan.stop !== undefined) return finish('stop');
    }
    await breathe();
    if (left.value) return finish('aborted');
  }
};

const requireNextTokenModel = ({ languageModel }: TextModel): void => {
  if (languageModel.logitAlignment === 'next') return;
  throw new GallopError(
    'unsupported',
    'Expected a model whose logits are about the next token; received one that fills in masked tokens; use a diffusion sampler for it.',
  );
};
