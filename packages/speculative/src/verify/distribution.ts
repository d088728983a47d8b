/** Small arithmetic on rows of probabilities, in f64. */

import { GallopError } from '@gallop/core';

/** A row of probabilities as the target or a drafter gives it. */
export type Probabilities = Float32Array | Float64Array;

/** A copy that sums to 1. Throws `invalid-state` when a value is negative or not a number, or all are 0. */
export const normalized = (row: Probabilities): Float64Array => {
  const result = Float64Array.from(row);
  let sum = 0;
  for (let i = 0; i < result.length; i++) {
    if (!(result[i] >= 0)) throw brokenRow(`${result[i]} at token ${i}`);
    sum += result[i];
  }
  if (!(sum > 0 && sum < Number.POSITIVE_INFINITY)) throw brokenRow(`a sum of ${sum}`);
  for (let i = 0; i < result.length; i++) result[i] /= sum;
  return result;
};

const brokenRow = (received: string): GallopError =>
  new GallopError(
    'invalid-state',
    `Expected a row of probabilities from 0 with a positive sum; received ${received}; the model is at fault.`,
  );

/** max(scale · p − q, 0), in place of p. Returns the sum, before which nothing was divided. */
export const subtractClamped = (p: Float64Array, scale: number, q: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += p[i] = Math.max(scale * p[i] - q[i], 0);
  return sum;
};

/** Divides a row by a number, in place. */
export const divideBy = (row: Float64Array, divisor: number): void => {
  for (let i = 0; i < row.length; i++) row[i] /= divisor;
};

/** The residual norm(max(p − q, 0)) in place of p. Left as it is when nothing remains: p equals q up to rounding. */
export const takeResidual = (p: Float64Array, q: Float64Array): void => {
  const before = Float64Array.from(p);
  const sum = subtractClamped(p, 1, q);
  if (sum > 1e-300) divideBy(p, sum);
  else p.set(before);
};

/** Removes a token from a row and divides by the rest. A row with nothing else is left all 0. */
export const excludeToken = (row: Float64Array, token: number): void => {
  row[token] = 0;
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i];
  if (sum > 0) divideBy(row, sum);
};

/** Inverse-CDF choice: the first index whose cumulative share is above `uniform`. */
export const chooseFromProbabilities = (row: Probabilities, uniform: number): number => {
  let total = 0;
  for (let i = 0; i < row.length; i++) total += row[i];
  const target = uniform * total;
  let cumulative = 0;
  let last = 0;
  for (let i = 0; i < row.length; i++) {
    if (row[i] === 0) continue;
    cumulative += row[i];
    if (cumulative > target) return i;
    last = i;
  }
  return last;
};

/** The index of the largest value, the lowest among equals. */
export const largestIndex = (row: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
};
