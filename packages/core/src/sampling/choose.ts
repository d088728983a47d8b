/**
 * From a row of logits to a token. Greedy choice takes the largest logit, the lowest id among equals. Random choice is
 * inverse-CDF sampling: softmax, then the first index whose cumulative probability (in index order) is strictly greater
 * than a uniform draw; the draw is named by the absolute position of the token that is chosen.
 */

import { requireArgument } from '../errors.ts';
import { randomUniform } from '../random/draws.ts';
import { largestLogit } from './distribution.ts';
import type { SamplingOptions } from './options.ts';
import { warpLogits } from './warp.ts';

/**
 * The id of the largest logit, the lowest among equals.
 *
 * @throws GallopError `invalid-state` when a logit is NaN or Infinity, or all are −Infinity
 */
export const chooseGreedy = (logits: Float32Array): number => logits.indexOf(largestLogit(logits));

/**
 * Inverse-CDF choice from softmax(logits).
 *
 * @param uniform a draw in [0, 1)
 * @throws GallopError `invalid-argument` when the draw is outside [0, 1); `invalid-state` as in `chooseGreedy`
 */
export const chooseByUniform = (logits: Float32Array, uniform: number): number => {
  requireArgument(uniform >= 0 && uniform < 1, () => {
    return `Expected a uniform draw in [0, 1); received ${uniform}; pass the result of randomUniform.`;
  });
  const best = largestLogit(logits);
  const weights = new Float64Array(logits.length);
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += weights[i] = Math.exp(logits[i] - best);
  const target = uniform * total;
  let cumulative = 0;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    cumulative += weights[i];
    if (cumulative > target) return i;
    last = i;
  }
  return last;
};

/**
 * Chooses the token at one position: warps the row in place, then takes the best token (temperature 0) or draws.
 *
 * @param logits [vocabSize], overwritten
 * @param history ids before this token; the token's absolute position is `history.length`
 * @throws GallopError `invalid-argument` and `invalid-state` as `warpLogits`
 */
export const sampleToken = (logits: Float32Array, history: ArrayLike<number>, options: SamplingOptions): number => {
  warpLogits(logits, history, options);
  if (options.temperature === 0) return chooseGreedy(logits);
  const { seed = 0, stream = 0 } = options;
  return chooseByUniform(logits, randomUniform({ seed, stream, position: history.length }));
};
