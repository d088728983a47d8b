/**
 * Learn2PD (arXiv 2509.25188): two small layers look at the confidences of a block, decided positions included, and say
 * which already hold their final token. z = W₂ relu(W₁ c + b₁) + b₂; kept where sigmoid(z) > τ.
 */
import { requireArgument } from '@gallop/core';
import type { CommitPolicy, StepView } from '../loop/sampler.ts';
import { commitBest } from './rules.ts';

/** Weights of the filter; matrices are [out × in], row by row. */
export interface FilterWeights {
  readonly hidden: ArrayLike<number>;
  readonly hiddenBias: ArrayLike<number>;
  readonly output: ArrayLike<number>;
  readonly outputBias: ArrayLike<number>;
}

/** A layer y = W x + b. */
const layer = (weights: ArrayLike<number>, bias: ArrayLike<number>, input: Float64Array): Float64Array =>
  Float64Array.from(bias, (value, row) => {
    let sum = value;
    for (let column = 0; column < input.length; column++) sum += weights[row * input.length + column] * input[column];
    return sum;
  });

/** Size of the block that a filter serves. @throws GallopError `invalid-argument` for weights of other shapes */
export const filterSize = (filter: FilterWeights): number => {
  const size = filter.hiddenBias.length;
  const fits =
    size > 0 &&
    filter.hidden.length === size ** 2 &&
    filter.output.length === size ** 2 &&
    filter.outputBias.length === size;
  requireArgument(fits, () => {
    return `Expected two square layers of ${size} with biases; received ${filter.hidden.length}, ${filter.output.length} and ${filter.outputBias.length} numbers; pass the weights of one filter.`;
  });
  return size;
};

/** What the filter computes on the way, for training. */
export const filterActivations = (
  filter: FilterWeights,
  confidences: ArrayLike<number>,
): { readonly input: Float64Array; readonly hidden: Float64Array; readonly logits: Float64Array } => {
  const size = filterSize(filter);
  requireArgument(confidences.length <= size, () => {
    return `Expected at most ${size} confidences; received ${confidences.length}; a filter serves one block size.`;
  });
  const input = new Float64Array(size);
  input.set(Array.from(confidences));
  const hidden = layer(filter.hidden, filter.hiddenBias, input).map((value) => Math.max(0, value));
  return { input, hidden, logits: layer(filter.output, filter.outputBias, hidden) };
};

/**
 * Logits of "this position is final". A shorter block is padded with zeros and its extra outputs dropped.
 *
 * @returns as many as there are confidences
 */
export const filterLogits = (filter: FilterWeights, confidences: ArrayLike<number>): Float64Array =>
  filterActivations(filter, confidences).logits.slice(0, confidences.length);

export const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** Candidates that the filter holds for final. */
export const acceptedByFilter = (step: StepView, filter: FilterWeights, threshold: number): number[] => {
  const { start, end } = step.block;
  const length = Math.min(end, step.ids.length) - start;
  const confidences = Float64Array.from({ length }, (_, index) => step.score(start + index));
  const logits = filterLogits(filter, confidences);
  return Array.from(step.positions).filter((position) => sigmoid(logits[position - start]) > threshold);
};

export interface LearnedFilterOptions {
  readonly filter: FilterWeights;
  /** τ. Default 0.96; from 1 on the filter never says yes. */
  readonly threshold?: number;
}

/** Keeps what the filter accepts and the quota's surest. Needs a sampler that reads the block. */
export const commitFiltered = ({ filter, threshold = 0.96 }: LearnedFilterOptions): CommitPolicy => {
  filterSize(filter);
  return (step) => [...new Set([...acceptedByFilter(step, filter, threshold), ...commitBest(step)])];
};
