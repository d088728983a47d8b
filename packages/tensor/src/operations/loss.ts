/** Losses that training minimises: scalars of shape [], or one number for each part with the reduction `none`. */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { absolute, add, affine, less, log, multiply, select, softplus, square, subtract } from './elementwise.ts';
import { gather, type Indices } from './indexing.ts';
import { detach, reshape } from './layout.ts';
import { logSoftmax } from './normalisation.ts';
import { mean, sum } from './reduction.ts';
import { countOf, sameShape } from './shapes.ts';

export type LossReduction = 'mean' | 'sum' | 'none';

function reduced(t: Recorder, values: Tensor, reduction: LossReduction): Tensor {
  requireArgument(
    reduction === 'mean' || reduction === 'sum' || reduction === 'none',
    () => `a reduction of mean, sum or none was expected; received ${reduction}`,
  );
  if (reduction === 'none') return values;
  return reduction === 'mean' ? mean(t, values) : sum(t, values);
}

function requireSameShape(left: Tensor, right: Tensor): void {
  requireArgument(
    sameShape(left.shape, right.shape),
    () => `tensors of one shape were expected; received [${left.shape}] and [${right.shape}]`,
  );
}

export interface CrossEntropyOptions {
  /** Rows with this target do not count. Default: −100. */
  readonly ignoreIndex?: number;
  /** e in (1 − e) · (−log p of the target) + e · mean of −log p. Default: 0. */
  readonly labelSmoothing?: number;
  /** mean: over the rows that count. Default: mean. */
  readonly reduction?: LossReduction;
}

/**
 * −log softmax of logits [..., classes] at integer targets [...], given on the host.
 * @throws GallopError `invalid-argument` for a target that is neither a class nor ignored, or a mean over no rows
 */
export function crossEntropy(
  t: Recorder,
  logits: Tensor,
  targets: Int32Array,
  options: CrossEntropyOptions = {},
): Tensor {
  const { ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' } = options;
  const { rows, columns } = logits;
  requireArgument(
    targets.length === rows,
    () => `a target for each of ${rows} rows was expected; received ${targets.length}`,
  );
  requireArgument(
    labelSmoothing >= 0 && labelSmoothing <= 1,
    () => `label smoothing must be 0…1; received ${labelSmoothing}`,
  );
  const counted = Float32Array.from(targets, (target) => (target === ignoreIndex ? 0 : 1));
  const count = counted.reduce((a, b) => a + b, 0);
  requireArgument(
    count > 0 || reduction !== 'mean',
    () => 'a mean needs at least one target that counts; received none',
  );
  const indices = { values: targets.map((target, row) => (counted[row] ? target : 0)), shape: [rows, 1] };
  const logProbabilities = logSoftmax(t, reshape(t, logits, [rows, columns]));
  let losses = negativeLogLikelihood(t, logProbabilities, indices);
  if (labelSmoothing > 0) {
    const spread = affine(t, mean(t, logProbabilities, { axes: [1] }), -labelSmoothing);
    losses = add(t, affine(t, losses, 1 - labelSmoothing), spread);
  }
  losses = select(t, t.upload(counted, [rows]), losses, 0);
  if (reduction === 'mean') return affine(t, sum(t, losses), 1 / count);
  return reduced(t, reshape(t, losses, logits.shape.slice(0, -1)), reduction);
}

function negativeLogLikelihood(t: Recorder, logProbabilities: Tensor, indices: Indices): Tensor {
  return affine(t, reshape(t, gather(t, logProbabilities, 1, indices), [logProbabilities.rows]), -1);
}

/**
 * Σ p (log p − input) for log-probabilities `input` and probabilities p, where p = 0 adds nothing. `batchMean` divides by
 * the first size. No gradient flows to the target. Default: batchMean.
 */
export function klDivergence(
  t: Recorder,
  input: Tensor,
  target: Tensor,
  options: { reduction?: LossReduction | 'batchMean' } = {},
): Tensor {
  requireSameShape(input, target);
  const { reduction = 'batchMean' } = options;
  const p = detach(target);
  const entropy = detach(select(t, p, multiply(t, p, log(t, select(t, p, p, 1))), 0));
  const terms = subtract(t, entropy, multiply(t, p, input));
  if (reduction !== 'batchMean') return reduced(t, terms, reduction);
  const batch = input.shape[0] ?? 1;
  requireArgument(batch > 0, () => 'a mean needs at least one row; received none');
  return affine(t, sum(t, terms), 1 / batch);
}

/** d²/(2 beta) where |d| < beta, else |d| − beta/2, for d = input − target; |d| with beta 0. */
export function smoothL1(
  t: Recorder,
  input: Tensor,
  target: Tensor,
  options: { beta?: number; reduction?: LossReduction } = {},
): Tensor {
  requireSameShape(input, target);
  const { beta = 1, reduction = 'mean' } = options;
  requireArgument(beta >= 0, () => `a beta of at least 0 was expected; received ${beta}`);
  const difference = subtract(t, input, target);
  const size = absolute(t, difference);
  if (beta === 0) return reduced(t, size, reduction);
  const inner = affine(t, square(t, difference), 0.5 / beta);
  return reduced(t, select(t, less(t, size, beta), inner, affine(t, size, 1, -beta / 2)), reduction);
}

/** (input − target)². */
export function meanSquaredError(
  t: Recorder,
  input: Tensor,
  target: Tensor,
  options: { reduction?: LossReduction } = {},
): Tensor {
  requireSameShape(input, target);
  return reduced(t, square(t, subtract(t, input, target)), options.reduction ?? 'mean');
}

/** Mean of −y log σ(x) − (1 − y) log(1 − σ(x)) = softplus(x) − x y, without overflow. */
export function binaryCrossEntropyLogits(t: Recorder, logits: Tensor, targets: Tensor): Tensor {
  requireSameShape(logits, targets);
  return mean(t, subtract(t, softplus(t, logits, { threshold: 1e30 }), multiply(t, logits, targets)));
}

/** Mean over rows of −Σ target · log softmax(logits). */
export function softCrossEntropy(t: Recorder, logits: Tensor, targets: Tensor): Tensor {
  requireSameShape(logits, targets);
  const rows = countOf(logits.shape.slice(0, -1));
  requireArgument(rows > 0, () => 'a mean needs at least one row; received none');
  return affine(t, sum(t, multiply(t, targets, logSoftmax(t, logits))), -1 / rows);
}
