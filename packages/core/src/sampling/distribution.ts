/**
 * Softmax and what is measured on it. Logits are stored in f32; sums run in f64 in index order, so the result depends
 * on nothing but the row. Removed tokens have the logit −Infinity and the probability 0.
 */

import { GallopError } from '../errors.ts';

/** The largest logit. Throws when no token is left or a logit is not a number. */
export const largestLogit = (logits: Float32Array): number => {
  let best = Number.NEGATIVE_INFINITY;
  let broken = false;
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i];
    if (value > best) best = value;
    else if (Number.isNaN(value)) broken = true;
  }
  if (broken || best === Number.POSITIVE_INFINITY) {
    throw new GallopError(
      'invalid-state',
      'Expected logits to be finite numbers or -Infinity; received NaN or Infinity; the model or an earlier processor is at fault.',
    );
  }
  if (best === Number.NEGATIVE_INFINITY) {
    throw new GallopError(
      'invalid-state',
      `Expected at least one token to choose from; received ${logits.length} logits that are all -Infinity; loosen logitBias or noRepeatNgramSize.`,
    );
  }
  return best;
};

/**
 * Probabilities of a row of logits.
 *
 * @param logits [vocabSize], −Infinity for removed tokens
 * @returns [vocabSize], f64, summing to 1
 * @throws GallopError `invalid-state` when a logit is NaN or Infinity, or all are −Infinity
 */
export const softmax = (logits: Float32Array): Float64Array => {
  const best = largestLogit(logits);
  const result = new Float64Array(logits.length);
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += result[i] = Math.exp(logits[i] - best);
  for (let i = 0; i < result.length; i++) result[i] /= total;
  return result;
};

/** Entropy of a distribution in nats: −Σ p ln p, with 0 ln 0 = 0. */
export const entropy = (probabilities: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i] > 0) sum -= probabilities[i] * Math.log(probabilities[i]);
  }
  return sum;
};
