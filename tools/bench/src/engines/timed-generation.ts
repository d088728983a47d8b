/** One greedy generation by Gallop with the moments that rates are made of; the same in Node and in a page's worker. */

import { generate, type Model } from 'gallop';
import { type EngineRun, ratesOf } from './engine.ts';

export interface TimedGeneration
  extends Pick<EngineRun, 'prefillTokensPerSecond' | 'decodeTokensPerSecond' | 'tokens'> {
  /** Moments of the process's clock in milliseconds. */
  readonly asked: number;
  readonly first: number;
}

/** Tokens of a run that are compared between engines. */
const COMPARED_TOKENS = 16;

/** Writes exactly `newTokens` tokens. @param onFirst called when the first is known */
export const timeGeneration = async (
  model: Model,
  promptIds: readonly number[],
  newTokens: number,
  onFirst: () => void = () => undefined,
): Promise<TimedGeneration> => {
  const asked = performance.now();
  let [first, last] = [0, 0];
  const { tokens } = await generate(model, Int32Array.from(promptIds), {
    maxTokens: newTokens,
    ignoreEnd: true,
    onStep: () => {
      last = performance.now();
      if (first !== 0) return;
      first = last;
      onFirst();
    },
  }).result;
  const rates = ratesOf(promptIds.length, newTokens, asked, first, last);
  return { ...rates, tokens: tokens.slice(0, COMPARED_TOKENS), asked, first };
};
