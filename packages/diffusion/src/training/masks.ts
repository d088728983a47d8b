/** Attention masks and drawn times of block-diffusion training. Masks are rows = queries, columns = keys, 1 = seen. */
import { requireArgument } from '@gallop/core';
import { requireWhole } from '../loop/checks.ts';

/** Longest row of a training mask: the mask is quadratic. */
const LONGEST = 2 ** 14;

/**
 * The mask of BD3-LM: the noisy copy, then the clean copy. A row sees its own block of its own half, noisy rows also earlier
 * clean blocks, clean rows all clean blocks up to their own.
 *
 * @returns [2·length × 2·length]
 */
export const blockDiffusionMask = (length: number, blockSize: number): Uint8Array =>
  packedTrainingMask([length], blockSize);

/**
 * The same for several samples in one row: noisy 1, clean 1, noisy 2, clean 2, …; samples do not see each other.
 *
 * @param lengths of the samples
 */
export const packedTrainingMask = (lengths: readonly number[], blockSize: number): Uint8Array => {
  requireWhole('blockSize', blockSize, 1);
  for (const length of lengths) requireWhole('length', length, 0, LONGEST);
  const rows = lengths.flatMap((length, sample) =>
    [false, true].flatMap((clean) =>
      Array.from({ length }, (_, index) => ({ sample, clean, block: Math.floor(index / blockSize) })),
    ),
  );
  requireWhole('the sum of lengths', rows.length, 0, LONGEST);
  const mask = new Uint8Array(rows.length ** 2);
  for (const [query, q] of rows.entries()) {
    for (const [key, k] of rows.entries()) {
      const own = q.clean === k.clean && q.block === k.block;
      const before = k.clean && (q.clean ? k.block <= q.block : k.block < q.block);
      mask[query * rows.length + key] = Number(q.sample === k.sample && (own || before));
    }
  }
  return mask;
};

export interface AntitheticOptions {
  readonly batch: number;
  readonly length: number;
  readonly blockSize: number;
  /** Smallest and largest time. */
  readonly low: number;
  readonly high: number;
}

/**
 * One time for each block, spread evenly over the batch: x = (u/n + i/n) mod 1 for the i-th of n blocks, times low + (high − low)x.
 *
 * @param uniforms [batch × blocks]
 * @returns [batch × length], a block's time at each of its tokens
 */
export const antitheticTimes = (uniforms: ArrayLike<number>, options: AntitheticOptions): Float64Array => {
  const { batch, length, blockSize, low, high } = options;
  const blocks = Math.ceil(length / blockSize);
  const count = batch * blocks;
  requireArgument(uniforms.length === count, () => {
    return `Expected ${count} uniforms, one for each block; received ${uniforms.length}; correct their number.`;
  });
  return Float64Array.from({ length: batch * length }, (_, index) => {
    const block = Math.floor(index / length) * blocks + Math.floor((index % length) / blockSize);
    const spread = ((uniforms[block] + block) / count) % 1;
    return low + (high - low) * spread;
  });
};

/**
 * Numbers of masked answer tokens for a batch of the likelihood estimate, spread evenly from a drawn first one.
 *
 * @param first whole, 1 … answerLength
 */
export const likelihoodMaskCounts = (answerLength: number, batch: number, first: number): Int32Array => {
  requireWhole('answerLength', answerLength, 1);
  requireWhole('batch', batch, 1);
  requireWhole('first', first, 1, answerLength);
  return Int32Array.from({ length: batch }, (_, index) => {
    const value = roundHalfEven(Math.fround(first + (index * answerLength) / batch));
    return ((value - 1) % answerLength) + 1;
  });
};

const roundHalfEven = (value: number): number => {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
};
