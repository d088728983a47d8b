/**
 * Ascending step sizes (arXiv 2509.23924): step i decides 2^i tokens, so that an answer of L takes ⌊log₂ L⌋ steps. Several
 * blocks are planned from the end; a step belongs to one of them and keeps its number in the whole schedule.
 */
import { requireArgument } from '@gallop/core';
import { requireWhole } from '../loop/checks.ts';
import type { BlockPlanner, QuotaSchedule } from '../loop/sampler.ts';

export interface AscendingPlan {
  /** Commits of each step. */
  readonly quota: Int32Array;
  readonly blockSizes: Int32Array;
  /** First step of each block and how many it has. */
  readonly firstStep: Int32Array;
  readonly stepCount: Int32Array;
}

/**
 * @param length of the answer, from 2
 * @param blocks from 1 to the number of steps. Default 1
 * @param steps where given, must be ⌊log₂ length⌋
 * @throws GallopError `invalid-argument` otherwise
 */
export const ascendingPlan = (length: number, blocks: number = 1, steps?: number): AscendingPlan => {
  requireWhole('length', length, 2);
  const count = Math.floor(Math.log2(length));
  requireArgument(steps === undefined || steps === count, () => {
    return `Expected ${count} steps for ${length} tokens (the whole part of log2); received ${steps}; leave steps out.`;
  });
  requireWhole('blocks', blocks, 1, count);
  const sizes = blocks === 1 ? [length] : blockSizes(length, blocks, count);
  const firstStep = sizes.map((_, block) => (block === 0 ? 0 : count - blocks + block));
  const last = blocks === 1 ? length - (2 ** (count - 1) - 1) : sizes[blocks - 1];
  return {
    quota: Int32Array.from({ length: count }, (_, step) => (step < count - 1 ? 2 ** step : last)),
    blockSizes: Int32Array.from(sizes),
    firstStep: Int32Array.from(firstStep),
    stepCount: Int32Array.from(firstStep, (first, block) => (firstStep[block + 1] ?? count) - first),
  };
};

/** The last block takes 2^(S−1) + 1 and the remainder, the ones before a power of two each, the first what is left. */
const blockSizes = (length: number, blocks: number, steps: number): number[] => {
  const sizes: number[] = [];
  let left = length;
  for (let block = blocks - 1; block > 0; block--) {
    const power = 2 ** (steps - blocks + block);
    const size = block === blocks - 1 ? power + 1 + (length - 2 ** steps) : power;
    sizes.unshift(size);
    left -= size;
  }
  return [left, ...sizes];
};

/** The blocks of a plan. */
export const ascendingBlocks =
  ({ blockSizes: sizes, firstStep }: AscendingPlan): BlockPlanner =>
  ({ ids, start }, previous) => {
    const index = previous === undefined ? 0 : previous.index + 1;
    const from = previous?.end ?? start;
    if (from >= ids.length || index >= sizes.length) return undefined;
    return { index, start: from, end: Math.min(ids.length, from + sizes[index]), firstStep: firstStep[index] };
  };

/** The commits of a plan. */
export const ascendingQuota =
  ({ quota, stepCount }: AscendingPlan): QuotaSchedule =>
  ({ index, firstStep }) => ({
    passes: stepCount[index],
    count: (call, masked) => (call >= stepCount[index] - 1 ? masked : quota[firstStep + call]),
  });
