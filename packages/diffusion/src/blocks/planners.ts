/** Blocks of a fixed length. */
import { requireArgument } from '@gallop/core';
import { requireWhole } from '../loop/checks.ts';
import type { BlockPlanner } from '../loop/sampler.ts';

export interface FixedBlocksOptions {
  readonly blockLength: number;
  /** Steps of a block, where schedules count over all blocks. Default 0. */
  readonly stepsPerBlock?: number;
  /** Whether borders lie at multiples of the length from the first position of the canvas. Default false: of the answer. */
  readonly aligned?: boolean;
}

/** Blocks of one length from left to right; the last one may be shorter. */
export const fixedBlocks = ({ blockLength, stepsPerBlock = 0, aligned = false }: FixedBlocksOptions): BlockPlanner => {
  requireWhole('blockLength', blockLength, 1);
  return ({ ids, start }, previous) => {
    const first = aligned ? Math.floor(start / blockLength) * blockLength : start;
    const index = previous === undefined ? 0 : previous.index + 1;
    const from = first + index * blockLength;
    if (from >= ids.length) return undefined;
    return { index, start: from, end: Math.min(from + blockLength, ids.length), firstStep: index * stepsPerBlock };
  };
};

/** Everything at once. */
export const oneBlock: BlockPlanner = ({ ids, start }, previous) =>
  previous === undefined && start < ids.length ? { index: 0, start, end: ids.length, firstStep: 0 } : undefined;

/** Sizes of an answer, its blocks and its steps, for samplers that share steps out evenly. */
export interface ScheduleSizes {
  /** Positions to generate. */
  readonly length: number;
  /** Default: `length`. */
  readonly blockLength?: number;
  /** Steps of all blocks together. Default: `length`, one token a step. */
  readonly steps?: number;
}

/**
 * Block length and steps of a block.
 *
 * @throws GallopError `invalid-argument` when blocks do not divide the length or steps not the blocks
 */
export const dividedSizes = (
  sizes: ScheduleSizes,
): { readonly blockLength: number; readonly stepsPerBlock: number } => {
  const { length, blockLength = length, steps = length } = sizes;
  requireWhole('length', length, 1);
  requireWhole('blockLength', blockLength, 1);
  requireWhole('steps', steps, 1);
  requireArgument(length % blockLength === 0, () => {
    return `Expected length to be a multiple of blockLength; received ${length} and ${blockLength}; choose a divisor.`;
  });
  const blocks = length / blockLength;
  requireArgument(steps % blocks === 0, () => {
    return `Expected steps to be a multiple of the number of blocks (${blocks}); received ${steps}; correct it.`;
  });
  return { blockLength, stepsPerBlock: steps / blocks };
};
