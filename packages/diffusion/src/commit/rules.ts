/**
 * Commit policies of the baselines: how many, or which, of the scored candidates a step keeps. All keep at least one
 * unless the schedule asks for none. Ties go to the lower position.
 */
import { requireArgument } from '@gallop/core';
import { requireNumber, requireThreshold } from '../loop/checks.ts';
import type { Candidates, CommitPolicy } from '../loop/sampler.ts';

/** Indices of candidates, surest first. */
export const bySureness = ({ positions, scores }: Candidates): number[] => {
  const values = scores;
  return Array.from(positions.keys()).sort((a, b) => values[b] - values[a] || a - b);
};

const positionsAt = (candidates: Candidates, indices: readonly number[]): number[] =>
  indices.map((index) => candidates.positions[index]);

/** The quota's number of surest candidates. */
export const commitBest = (candidates: Candidates): number[] =>
  candidates.quota <= 0 ? [] : positionsAt(candidates, bySureness(candidates).slice(0, candidates.quota));

/** The quota's number of leftmost candidates. */
export const commitLeftmost = ({ positions, quota }: Candidates): number[] => Array.from(positions.slice(0, quota));

/**
 * Fast-dLLM: the surest one, and all whose score reaches the threshold.
 *
 * @param threshold on the scores; above the largest possible one: one a step
 */
export const commitAbove = (threshold: number): ((candidates: Candidates) => number[]) => {
  requireArgument(!Number.isNaN(threshold), () => 'Expected a threshold for scores; received NaN; correct it.');
  return (candidates) => {
    const { scores } = candidates;
    return positionsAt(
      candidates,
      bySureness(candidates).filter((index, rank) => rank === 0 || scores[index] >= threshold),
    );
  };
};

export interface FactorOptions {
  /** f; larger commits more. Above 0. */
  readonly factor: number;
  /** Published code commits all when the scan fails exactly at the last candidate. Default false: it stops there. */
  readonly compatible?: boolean;
}

/**
 * Fast-dLLM's factor rule: with scores c₁ ≥ c₂ ≥ …, the first n while c_n ≥ 1 − f/(n + 1), at least one.
 */
export const commitByFactor = ({ factor, compatible = false }: FactorOptions): ((at: Candidates) => number[]) => {
  requireNumber('factor', factor, 0);
  return (candidates) => {
    const order = bySureness(candidates);
    const { scores } = candidates;
    if (order.length === 0) return [];
    const holds = (rank: number): boolean => {
      const bound = rank === 0 && compatible ? -1 : 1 - factor / (rank + 2);
      return scores[order[rank]] >= bound;
    };
    let failure = 0;
    while (failure < order.length && holds(failure)) failure++;
    let count = Math.max(1, failure);
    if (compatible) {
      const last = order.length - 1;
      const at = Math.min(failure, last);
      count = at + (at === 0 || at === last ? 1 : 0);
    }
    return positionsAt(candidates, order.slice(0, count));
  };
};

/** SDAR's dynamic rule: all whose score is above the threshold if these are enough, else the quota's surest. */
export const commitAboveOrBest = (threshold: number): ((candidates: Candidates) => number[]) => {
  requireThreshold('threshold', threshold);
  return (candidates) => {
    const { positions, scores, quota } = candidates;
    const high = Array.from(positions).filter((_, index) => scores[index] > threshold);
    return high.length >= quota && high.length > 0 ? high : commitBest(candidates);
  };
};

/**
 * The surest candidates as long as the sum of their entropies stays within a bound, at least one. Scores are negative
 * entropies.
 *
 * @param bound γ in nats
 */
export const commitWithinEntropy = (bound: number): ((candidates: Candidates) => number[]) => {
  requireNumber('bound', bound, 0, true);
  return (candidates) => {
    const { scores } = candidates;
    let sum = 0;
    const order = bySureness(candidates);
    let count = 0;
    while (count < order.length) {
      sum -= scores[order[count]];
      if (sum > bound && count > 0) break;
      count++;
    }
    return positionsAt(candidates, order.slice(0, count));
  };
};

/** Draws the quota's number without replacement from softmax(score / temperature). */
export const commitDrawn = (temperature: number): CommitPolicy => {
  requireNumber('algTemp', temperature, Number.MIN_VALUE);
  return (step) => {
    const { positions, scores, quota, pass, random } = step;
    const best = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
    const weights = scores.map((score) => Math.exp((score - best) / temperature));
    const chosen: number[] = [];
    for (let draw = 0; draw < Math.min(quota, positions.length); draw++) {
      const target = random.pick(pass, draw) * weights.reduce((sum, weight) => sum + weight, 0);
      const index = drawnIndex(weights, target);
      chosen.push(positions[index]);
      weights[index] = 0;
    }
    return chosen;
  };
};

/** The first index whose cumulative weight exceeds the target; the surest of what is left where all weights are 0. */
const drawnIndex = (weights: Float64Array, target: number): number => {
  let sum = 0;
  let last = -1;
  for (const [index, weight] of weights.entries()) {
    if (weight <= 0) continue;
    sum += weight;
    last = index;
    if (sum > target) return index;
  }
  return last;
};

/** Dream's `origin`: every candidate on its own, with the schedule's share (commits ÷ candidates) as its probability. */
export const commitIndependently =
  (probability: (step: { readonly call: number; readonly masked: number }) => number): CommitPolicy =>
  ({ positions, call, pass, random }) => {
    const share = probability({ call, masked: positions.length });
    // Every candidate takes its draw, whatever the share.
    return Array.from(positions).filter((position) => random.commit(pass, position) < share);
  };
