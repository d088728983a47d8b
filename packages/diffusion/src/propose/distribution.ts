/** Rows of probabilities: temperature, filters, and the choice of a token. Sums run in f64 in vocabulary order. */
import { GallopError } from '@gallop/core';

/** The largest logit. */
const largest = (logits: ArrayLike<number>): number => {
  let best = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < logits.length; token++) {
    const value = logits[token];
    if (Number.isNaN(value) || value === Number.POSITIVE_INFINITY) best = Number.NaN;
    else if (value > best) best = value;
  }
  if (!Number.isFinite(best)) {
    throw new GallopError(
      'invalid-state',
      'Expected logits that are finite numbers or -Infinity, not all -Infinity; received others; the model or the logit bias is at fault.',
    );
  }
  return best;
};

/**
 * Probabilities of logits divided by a temperature.
 *
 * @param temperature above 0. Default 1
 * @throws GallopError `invalid-state` for NaN, Infinity, or no token left
 */
export const probabilitiesOf = (logits: ArrayLike<number>, temperature: number = 1): Float64Array => {
  const best = largest(logits);
  const result = new Float64Array(logits.length);
  let total = 0;
  for (let token = 0; token < result.length; token++) {
    total += result[token] = Math.exp((logits[token] - best) / temperature);
  }
  for (let token = 0; token < result.length; token++) result[token] /= total;
  return result;
};

/** The most probable token, the smallest id among equals. */
export const bestToken = (values: ArrayLike<number>): number => {
  let best = 0;
  for (let token = 1; token < values.length; token++) if (values[token] > values[best]) best = token;
  return best;
};

/** The first token whose cumulative weight exceeds u of the total. */
export const tokenAt = (weights: ArrayLike<number>, uniform: number): number => {
  let total = 0;
  for (let token = 0; token < weights.length; token++) total += weights[token];
  let sum = 0;
  let last = 0;
  for (let token = 0; token < weights.length; token++) {
    if (weights[token] === 0) continue;
    sum += weights[token];
    if (sum > uniform * total) return token;
    last = token;
  }
  return last;
};

/** Tokens by falling value, smaller ids first among equals. */
const ranking = (values: ArrayLike<number>): number[] =>
  Array.from({ length: values.length }, (_, token) => token).sort((a, b) => values[b] - values[a] || a - b);

/** Drops all but the k most probable (ties with the k-th stay) and renormalises, in place. */
export const keepTopK = (probabilities: Float64Array, topK: number): Float64Array => {
  if (topK >= probabilities.length) return probabilities;
  const least = Float64Array.from(probabilities).sort()[probabilities.length - topK];
  return normalise(probabilities.map((value) => (value < least ? 0 : value)));
};

/**
 * Drops the least probable tokens beyond a total of p.
 *
 * @param crossing whether the token that crosses p stays (Dream, SDAR) or goes (BD3); the best one always stays
 */
export const keepTopP = (probabilities: Float64Array, topP: number, crossing: 'keep' | 'drop'): Float64Array => {
  const result = new Float64Array(probabilities.length);
  let sum = 0;
  for (const [rank, token] of ranking(probabilities).entries()) {
    const before = sum;
    sum += probabilities[token];
    const stays = crossing === 'keep' ? before <= topP : sum <= topP;
    if (!stays && rank > 0) break;
    result[token] = probabilities[token];
  }
  return normalise(result);
};

const normalise = (weights: Float64Array): Float64Array => {
  const total = weights.reduce((sum, value) => sum + value, 0);
  return weights.map((value) => value / total);
};

/** Entropy in nats. `floor` is added inside the logarithm, as published code does. Default 0: 0 ln 0 = 0. */
export const entropyInNats = (probabilities: ArrayLike<number>, floor: number = 0): number => {
  let sum = 0;
  for (let token = 0; token < probabilities.length; token++) {
    const p = probabilities[token];
    if (p > 0) sum -= p * Math.log(p + floor);
  }
  return sum;
};
