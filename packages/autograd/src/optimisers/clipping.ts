/** Clipping of gradients, and averages of parameters. */

import { requireArgument } from '@gallop/core';
import type { Recorder, Tensor } from '@gallop/tensor';
import { add, affine, clamp, divide, minimum, multiply, square, squareRoot, sum } from '@gallop/tensor/operations';
import { accumulate, requireRanges } from './arithmetic.ts';

/** All gradients times min(1, maximum / (norm + 1e-6)), norm taken over all of them together. → norm [] */
export function clipNorm(
  t: Recorder,
  gradients: readonly Tensor[],
  maximum: number,
): { gradients: Tensor[]; norm: Tensor } {
  requireRanges({ maximum: [maximum, 0] });
  requireArgument(gradients.length > 0, () => 'at least one gradient was expected; received none');
  const squares = gradients.map((gradient) => sum(t, square(t, gradient)));
  const norm = squareRoot(
    t,
    squares.reduce((total, part) => add(t, total, part)),
  );
  const factor = minimum(t, divide(t, maximum, affine(t, norm, 1, 1e-6)), 1);
  return { gradients: gradients.map((gradient) => multiply(t, gradient, factor)), norm };
}

/** Each element limited to [−maximum, maximum]. */
export function clipValue(t: Recorder, gradient: Tensor, maximum: number): Tensor {
  requireRanges({ maximum: [maximum, 0] });
  return clamp(t, gradient, -maximum, maximum);
}

/** How much of an average stays at update i, counted from 0: decay, with warm-up at most (1 + i) / (10 + i). */
export function averageDecay(update: number, decay: number, warmup = false): number {
  return warmup ? Math.min(decay, (1 + update) / (10 + update)) : decay;
}

/** average = keep · average + (1 − keep) · parameter, in place. */
export function updateAverage(t: Recorder, average: Tensor, parameter: Tensor, keep: number): void {
  accumulate(t, average, keep, 1 - keep, parameter);
}
