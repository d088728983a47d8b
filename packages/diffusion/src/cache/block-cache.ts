/**
 * Fast-dLLM's caches. A block begins with a pass over everything; its later steps reuse the keys and values that this pass
 * left for the positions before the block (prefix) or for all positions outside of it (dual). What is reused is stale: it
 * was computed while the block was masked, which is the approximation.
 */
import { GallopError } from '@gallop/core';
import type { Block, CacheHost, CachePolicy, CacheRun, Canvas, Pass } from '../loop/sampler.ts';
import { computeRows, everyPosition, positionsFrom } from './rows.ts';

export interface BlockCacheOptions {
  /**
   * Does as the published loops: at least two steps a block, logits shifted within the rows of a step (so that the first row
   * predicts itself), keys of positions that were cut off still in view. Default false.
   */
  readonly compatible?: boolean;
  /** Steps that a block has at least. Default 2 when `compatible`, else 1. */
  readonly minimumCalls?: number;
}

/** Reuses what lies before the block; the block and everything after it are computed anew. */
export const prefixCache =
  (options: BlockCacheOptions = {}): CachePolicy =>
  (host) =>
    new BlockCacheRun(host, false, options);

/** Reuses everything outside the block; only the block is computed anew. */
export const dualCache =
  (options: BlockCacheOptions = {}): CachePolicy =>
  (host) =>
    new BlockCacheRun(host, true, options);

class BlockCacheRun implements CacheRun {
  readonly minimumCalls: number;
  readonly #host: CacheHost;
  readonly #dual: boolean;
  readonly #compatible: boolean;
  /** Positions of the session's committed rows, and those that were fed last. */
  #committed: Int32Array = new Int32Array(0);
  #fed: Int32Array = new Int32Array(0);

  constructor(host: CacheHost, dual: boolean, { compatible = false, minimumCalls }: BlockCacheOptions) {
    if (host.guidance !== 0) {
      throw new GallopError(
        'unsupported',
        'Expected guidance without a cache; received a prefix or dual cache; use noCache().',
      );
    }
    this.#host = host;
    this.#dual = dual;
    this.#compatible = compatible;
    this.minimumCalls = minimumCalls ?? (compatible ? 2 : 1);
  }

  async pass(canvas: Canvas, block: Block, call: number, read: Int32Array): Promise<Pass> {
    const { session, alignment } = this.#host;
    if (call === 0) {
      session.truncate(0);
      this.#committed = new Int32Array(0);
      this.#fed = everyPosition(canvas.ids.length);
      return computeRows(this.#host, canvas.ids, this.#fed, read);
    }
    // Where a row predicts the next position, the row before the block is needed too.
    const first = alignment === 'next' && !this.#compatible ? Math.max(0, block.start - 1) : block.start;
    const last = this.#dual ? Math.min(block.end, canvas.ids.length) : canvas.ids.length;
    this.#keepOutside(canvas, call, first, last);
    this.#fed = positionsFrom(first, last);
    return computeRows(this.#host, canvas.ids, this.#fed, read);
  }

  cut(length: number): void {
    if (this.#compatible) return;
    const kept = this.#committed.filter((position) => position < length);
    if (kept.length < this.#committed.length) this.#host.session.truncate(kept.length);
    this.#committed = kept;
  }

  /**
   * Keeps rows of the last call: after the full pass those outside the block. Where the canvas was cut since, published code
   * keeps the rows of what was cut off in view.
   */
  #keepOutside(canvas: Canvas, call: number, first: number, last: number): void {
    const end = this.#compatible ? Number.POSITIVE_INFINITY : canvas.ids.length;
    const outside = (position: number): boolean => (call === 1 && position < first) || (this.#dual && position >= last);
    const rows = Array.from(this.#fed.keys()).filter((row) => outside(this.#fed[row]) && this.#fed[row] < end);
    if (rows.length === 0) return;
    this.#host.session.commit(Int32Array.from(rows));
    this.#committed = Int32Array.from([...this.#committed, ...rows.map((row) => this.#fed[row])]);
  }
}
