/** Short forms that optimisers share: weighted sums, and updates written over a tensor. */
import { requireArgument } from '@gallop/core';
import type { Recorder, Tensor } from '@gallop/tensor';
import { add, affine, scaleAndAdd } from '@gallop/tensor/operations';

/** a · x + b · y. */
export function combine(t: Recorder, a: number, x: Tensor, b: number, y: Tensor): Tensor {
  return add(t, affine(t, x, a), affine(t, y, b));
}

/** buffer = keep · buffer + take · x, in place. */
export function accumulate(t: Recorder, buffer: Tensor, keep: number, take: number, x: Tensor): void {
  scaleAndAdd(t, buffer, keep, affine(t, x, take));
}

/** parameter = (1 − decay) · parameter − rate · update, in place. */
export function descend(t: Recorder, parameter: Tensor, rate: number, update: Tensor, decay = 0): void {
  scaleAndAdd(t, parameter, 1 - decay, affine(t, update, -rate));
}

export function requireGradient(parameter: Tensor, gradient: Tensor): void {
  requireArgument(
    String(parameter.shape) === String(gradient.shape),
    () => `a gradient of the parameter's shape [${parameter.shape}] was expected; received [${gradient.shape}]`,
  );
}

/** Checks numbers by name: each must lie in [least, most). */
export function requireRanges(
  ranges: Readonly<Record<string, readonly [value: number, least: number, most?: number]>>,
): void {
  for (const [name, [value, least, most = Number.POSITIVE_INFINITY]] of Object.entries(ranges))
    requireArgument(
      value >= least && value < most,
      () => `${name} must be at least ${least} and below ${most}; received ${value}`,
    );
}
