/** How many positions a step decides. */
import { requireArgument } from '@gallop/core';
import { requireNumber, requireWhole } from '../loop/checks.ts';
import type { QuotaSchedule } from '../loop/sampler.ts';

/**
 * LLaDA's schedule: `masked` shared evenly over the steps, the remainder one each to the first.
 *
 * @returns [steps]
 */
export const uniformCounts = (masked: number, steps: number): Int32Array => {
  requireWhole('steps', steps, 1, 2 ** 24);
  requireWhole('masked', masked, 0);
  const least = Math.floor(masked / steps);
  return Int32Array.from({ length: steps }, (_, step) => least + (step < masked % steps ? 1 : 0));
};

/** The masks of each block shared evenly over `steps` steps. */
export const uniformQuota = (steps: number): QuotaSchedule => {
  requireWhole('steps', steps, 1, 2 ** 24);
  return (_, masked) => {
    const counts = uniformCounts(masked, steps);
    return { passes: steps, count: (call, left) => (call < steps ? counts[call] : left) };
  };
};

const single = Math.fround;

/** A point of a grid from 1 to eps with `steps` intervals, in f32 as published code computes it. */
const gridPoint = (index: number, steps: number, eps: number): number => {
  const step = single((single(eps) - 1) / steps);
  // Computed from the nearer end, so that both ends are met exactly.
  return index < (steps + 1) / 2
    ? single(1 + single(step * index))
    : single(single(eps) - single(step * (steps - index)));
};

export interface TimeGridOptions {
  readonly steps: number;
  /** Last point of the grid. Default 0.001. */
  readonly eps?: number;
}

/** Share of the masked positions that step `index` decides: 1 − s/t, 1 at the last one. */
export const timeGridShare = (index: number, { steps, eps = 1e-3 }: TimeGridOptions): number => {
  if (index >= steps - 1) return 1;
  return single(1 - single(gridPoint(index + 1, steps, eps) / gridPoint(index, steps, eps)));
};

/** Dream's count at step `index` with `masked` left: ⌊masked · (1 − s/t)⌋, all at the last step. */
export const timeGridCount = (index: number, masked: number, options: TimeGridOptions): number =>
  Math.floor(single(masked * timeGridShare(index, options)));

/** Counts of all steps for one sequence. */
export const timeGridCounts = (masked: number, options: TimeGridOptions): Int32Array => {
  checkGrid(options);
  requireWhole('masked', masked, 0);
  let left = masked;
  return Int32Array.from({ length: options.steps }, (_, index) => {
    const count = timeGridCount(index, left, options);
    left -= count;
    return count;
  });
};

/** Dream's schedule on a time grid for each block. */
export const timeGridQuota = (options: TimeGridOptions): QuotaSchedule => {
  checkGrid(options);
  const count = (call: number, masked: number): number => timeGridCount(call, masked, options);
  return () => ({ passes: options.steps, count });
};

const checkGrid = ({ steps, eps = 1e-3 }: TimeGridOptions): void => {
  requireWhole('steps', steps, 1, 2 ** 24);
  requireNumber('eps', eps, 0);
  requireArgument(eps < 1, () => `Expected eps to be below 1; received ${eps}; correct it.`);
};
