/**
 * The cache of models that are causal across blocks and bidirectional inside one (SDAR, block diffusion). Finished blocks
 * never change, so their rows are exact; a block that is full is run once more, clean, to store them.
 */
import { GallopError, type Session } from '@gallop/core';
import { requireWhole } from '../loop/checks.ts';
import type { CacheHost, CachePolicy } from '../loop/sampler.ts';
import { computeRows, positionsFrom } from './rows.ts';

export interface ExactCacheOptions {
  /** Positions of a block, from 1. */
  readonly blockLength: number;
}

/** @throws GallopError `invalid-argument` for a block length below 1 */
export const exactBlockCache = ({ blockLength }: ExactCacheOptions): CachePolicy => {
  requireWhole('blockLength', blockLength, 1);
  return (host) => {
    if (host.alignment === 'next' || host.guidance !== 0) {
      throw new GallopError(
        'unsupported',
        'Expected a model whose rows predict themselves, without guidance; received another; use another cache policy.',
      );
    }
    return {
      prepare: async ({ ids, start }) => {
        const rows = Math.floor(start / blockLength) * blockLength;
        if (rows === 0) return undefined;
        await storeBlocks(host, ids.subarray(0, rows), blockLength);
        return rows;
      },
      pass: ({ ids }, block, _call, read) => computeRows(host, ids, positionsFrom(block.start, block.end), read),
      finish: async ({ ids }, block) => {
        await storeBlocks(host, ids.subarray(block.start, block.end), blockLength);
        return block.end - block.start;
      },
    };
  };
};

/** Runs clean blocks behind the committed rows and keeps them. Gives the logits of each block's rows to `take`. */
const storeBlocks = async (
  { session, signal }: Pick<CacheHost, 'session' | 'signal'>,
  ids: Int32Array,
  blockLength: number,
  take?: (logits: Float32Array) => void,
): Promise<void> => {
  for (let start = 0; start < ids.length; start += blockLength) {
    signal?.throwIfAborted();
    const block = ids.slice(start, start + blockLength);
    const positions = positionsFrom(session.length, session.length + block.length);
    const want = take ? { logits: 'all' as const } : {};
    const attention = { kind: 'full' } as const;
    const { logits } = await session.forward({ ids: block, attention, positions, want, ...(signal && { signal }) });
    if (take && logits) take(logits.slice());
    session.commit(positionsFrom(0, block.length));
  }
};

/**
 * Logits of a text under the block-causal mask, block after block with stored rows.
 *
 * @param session an empty session
 * @returns [length × vocabSize]
 */
export const blockCausalLogits = async (
  session: Session,
  ids: Int32Array,
  blockLength: number,
): Promise<Float32Array> => {
  requireWhole('blockLength', blockLength, 1);
  const blocks: Float32Array[] = [];
  await storeBlocks({ session, signal: undefined }, ids, blockLength, (logits) => blocks.push(logits));
  const all = new Float32Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const block of blocks) {
    all.set(block, offset);
    offset += block.length;
  }
  return all;
};

/**
 * Which rows see which under blocks: a block sees itself and all before it.
 *
 * @returns [length × length], rows = queries
 */
export const blockCausalMask = (length: number, blockLength: number): Uint8Array => {
  requireWhole('length', length, 0, 2 ** 15);
  requireWhole('blockLength', blockLength, 1);
  const mask = new Uint8Array(length * length);
  for (let query = 0; query < length; query++) {
    const end = Math.min(length, (Math.floor(query / blockLength) + 1) * blockLength);
    mask.fill(1, query * length, query * length + end);
  }
  return mask;
};
