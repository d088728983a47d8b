/** In which order a text was written: how left to right it was (arXiv 2506.20639), and rank correlations. */
import { requireArgument } from '@gallop/core';
import { requireWhole } from '../loop/checks.ts';

export interface LocalOrderOptions {
  /** Whether the last k positions must be p − 1, p − 2, … in this order, or as a set. Default `sequence`. */
  readonly form?: 'sequence' | 'set';
  /** Whether the prompt counts as written before, left to right. Default true: a left-to-right run then scores 1. */
  readonly promptHistory?: boolean;
}

/**
 * Local AR-ness: the share of steps whose position follows the k positions written just before.
 *
 * @param order position written at each step, from 0, one a step
 */
export const localAutoregressiveness = (
  order: ArrayLike<number>,
  k: number,
  options: LocalOrderOptions = {},
): number => {
  requireWhole('k', k, 1);
  const { form = 'sequence', promptHistory = true } = options;
  const at = (step: number): number | undefined => (step >= 0 ? order[step] : promptHistory ? step : undefined);
  let hits = 0;
  for (let step = 0; step < order.length; step++) {
    const before = Array.from({ length: k }, (_, index) => at(step - 1 - index));
    const wanted = Array.from({ length: k }, (_, index) => order[step] - 1 - index);
    const follows =
      form === 'sequence'
        ? wanted.every((position, index) => before[index] === position)
        : wanted.every((position) => before.includes(position));
    if (follows) hits++;
  }
  return hits / order.length;
};

/** Global AR-ness: the share of steps that write one of the k leftmost positions still open. */
export const globalAutoregressiveness = (order: ArrayLike<number>, k: number): number => {
  requireWhole('k', k, 1);
  const open = Array.from(order).sort((a, b) => a - b);
  let hits = 0;
  for (const position of Array.from(order)) {
    const rank = open.indexOf(position);
    if (rank < k) hits++;
    open.splice(rank, 1);
  }
  return hits / order.length;
};

/**
 * First state in which each position is decided; the number of states for one that never is.
 *
 * @param states ids after each step
 * @param ignored positions whose last id is this token are left out
 */
export const decodingOrder = (
  states: readonly ArrayLike<number>[],
  maskToken: number,
  ignored?: number,
): Int32Array => {
  const last = states[states.length - 1] ?? [];
  const positions = Array.from(last, (_, position) => position).filter((position) => last[position] !== ignored);
  return Int32Array.from(positions, (position) => {
    const first = states.findIndex((state) => state[position] !== maskToken);
    return first < 0 ? states.length : first;
  });
};

const requirePairs = (a: ArrayLike<number>, b: ArrayLike<number>): void =>
  requireArgument(a.length === b.length && a.length > 0, () => {
    return `Expected two lists of one length; received ${a.length} and ${b.length} numbers; correct them.`;
  });

/** Kendall's τ-b, which accounts for ties; NaN when one list has no two different values. */
export const kendallTau = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  requirePairs(a, b);
  let [agreement, onlyA, onlyB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const [first, second] = [Math.sign(a[i] - a[j]), Math.sign(b[i] - b[j])];
      agreement += first * second;
      onlyA += Math.abs(first);
      onlyB += Math.abs(second);
    }
  }
  return agreement / Math.sqrt(onlyA * onlyB);
};

/** Spearman's ρ with average ranks for ties; NaN when one list has no two different values. */
export const spearmanRho = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  requirePairs(a, b);
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (a.length + 1) / 2;
  const sum = (each: (index: number) => number): number => x.reduce((total, _, index) => total + each(index), 0);
  const covariance = sum((index) => (x[index] - mean) * (y[index] - mean));
  return covariance / Math.sqrt(sum((index) => (x[index] - mean) ** 2) * sum((index) => (y[index] - mean) ** 2));
};

const ranks = (values: ArrayLike<number>): number[] =>
  Array.from(values, (value, index) => {
    let [below, equal] = [0, 0];
    for (let other = 0; other < values.length; other++) {
      if (values[other] < value) below++;
      else if (values[other] === value && other !== index) equal++;
    }
    return below + equal / 2 + 1;
  });

/** How left to right an order is: correlations of the sorted order with itself as it was. */
export const orderCorrelation = (order: ArrayLike<number>): { readonly kendall: number; readonly spearman: number } => {
  const sorted = Array.from(order).sort((a, b) => a - b);
  return { kendall: kendallTau(sorted, order), spearman: spearmanRho(sorted, order) };
};

/**
 * Unbiased estimate of the chance that one of k samples is right: 1 − C(n − c, k)/C(n, k).
 *
 * @param samples n ≥ k
 * @param correct c ≤ n
 */
export const passAtK = (samples: number, correct: number, k: number): number => {
  requireWhole('samples', samples, 1);
  requireWhole('correct', correct, 0, samples);
  requireWhole('k', k, 1, samples);
  let allWrong = 1;
  for (let index = 0; index < k; index++) allWrong *= Math.max(0, samples - correct - index) / (samples - index);
  return 1 - allWrong;
};
