/**
 * Plain decoding, one token a step: the reference that every faster method is compared with. The prompt is computed in
 * one call; then each step feeds the token chosen last and chooses the next. Between steps the state holds one row less
 * than the tokens (the pending root).
 */

import {
  type ForwardResult,
  GallopError,
  keepsBestToken,
  type SamplingOptions,
  sampleToken,
  type Wanted,
} from '@gallop/core';
import type { TextModel } from '../text-model.ts';
import type { Context } from './context.ts';
import type { GenerationStep } from './options.ts';

export interface DecodeOptions extends SamplingOptions {
  readonly maxTokens?: number;
  readonly ignoreEnd?: boolean;
  readonly signal?: AbortSignal;
}

/** Chooses the token after `history` from the result of a forward call. */
type Choice = (result: ForwardResult, history: readonly number[]) => number;

/** What to ask of a forward call, and how to choose from it. Greedy choice reads back one id, not a row of logits. */
const choiceOf = (options: SamplingOptions, vocabSize: number): { want: Wanted; choose: Choice } => {
  if (options.temperature === 0 && keepsBestToken(options)) {
    return { want: { logits: 'last', topK: 1 }, choose: ({ topTokens }) => expectRow(topTokens)[0] };
  }
  const row = new Float32Array(vocabSize);
  const choose: Choice = ({ logits }, history) => {
    row.set(expectRow(logits));
    return sampleToken(row, history, options);
  };
  return { want: { logits: 'last' }, choose };
};

const expectRow = <T>(row: T | undefined): T => {
  if (row !== undefined) return row;
  throw new GallopError(
    'invalid-state',
    'Expected the model to return what forward() asked for; received a result without it; the model breaks its contract.',
  );
};

/**
 * Generates tokens after `prompt` until an end-of-generation token (not yielded), `maxTokens` or the context's end.
 *
 * @param context claimed for this prompt; its rows are the beginning of `prompt`
 * @returns by `return`, why it ended
 * @throws `signal.reason` when cancelled; the context keeps what was committed
 */
export async function* decodeTokens(
  { languageModel, codec }: TextModel,
  prompt: Int32Array,
  context: Context,
  options: DecodeOptions,
): AsyncGenerator<GenerationStep, 'stop' | 'length', void> {
  const { signal } = options;
  const { want, choose } = choiceOf(options, languageModel.vocabSize);
  const request = signal === undefined ? { want } : { want, signal };
  const ends = (token: number): boolean =>
    languageModel.tokens.endOfGeneration.has(token) || codec.endOfGeneration.has(token);
  const history = [...prompt];
  const end = Math.min(languageModel.contextLength, prompt.length + (options.maxTokens ?? Number.POSITIVE_INFINITY));
  let fed = prompt.slice(context.ids.length);
  while (history.length < end) {
    signal?.throwIfAborted();
    const start = performance.now();
    const result = await context.session.forward({ ids: fed, ...request });
    const token = choose(result, history);
    context.session.commit(Int32Array.from(fed.keys()));
    context.append(fed);
    if (!options.ignoreEnd && ends(token)) return 'stop';
    const position = history.length;
    history.push(token);
    yield { tokens: [token], position, milliseconds: performance.now() - start };
    fed = Int32Array.of(token);
  }
  return 'length';
}
