/**
 * dKV-Cache: a position's key and value change most in the step that decides it and little afterwards, so they are kept one
 * step late. Step i + 1 feeds what was undecided before step i, reuses the rest, and keeps the rows of what step i decided.
 */
import { GallopError } from '@gallop/core';
import { requireWhole } from '../loop/checks.ts';
import type { Block, CacheHost, CachePolicy, CacheRun, Canvas, Pass } from '../loop/sampler.ts';
import { computeRows, everyPosition } from './rows.ts';

export interface DelayedCacheOptions {
  /** Everything is computed anew whenever a block's step number is a multiple of this, from 1. */
  readonly refreshEvery: number;
}

/** @throws GallopError `invalid-argument` for a `refreshEvery` below 1 */
export const delayedCache = ({ refreshEvery }: DelayedCacheOptions): CachePolicy => {
  requireWhole('refreshEvery', refreshEvery, 1);
  return (host) => new DelayedCacheRun(host, refreshEvery);
};

class DelayedCacheRun implements CacheRun {
  readonly #host: CacheHost;
  readonly #refreshEvery: number;
  /** Decided positions whose rows are committed, and those that were fed last. */
  #cached: ReadonlySet<number> = new Set();
  #fed: Int32Array = new Int32Array(0);
  /** Positions decided before the last call. */
  #decided: ReadonlySet<number> = new Set();

  constructor(host: CacheHost, refreshEvery: number) {
    if (host.guidance !== 0 || host.alignment === 'next') {
      throw new GallopError(
        'unsupported',
        'Expected a model whose rows predict themselves, without guidance; received another; use noCache() or dualCache().',
      );
    }
    this.#host = host;
    this.#refreshEvery = refreshEvery;
  }

  async pass(canvas: Canvas, _block: Block, call: number, read: Int32Array): Promise<Pass> {
    if (call <= 1 || call % this.#refreshEvery === 0) {
      this.#host.session.truncate(0);
      this.#cached = new Set();
      this.#fed = everyPosition(canvas.ids.length);
    } else {
      const keep = Array.from(this.#fed.keys()).filter((row) => this.#decided.has(this.#fed[row]));
      this.#host.session.commit(Int32Array.from(keep));
      this.#cached = new Set([...this.#cached, ...keep.map((row) => this.#fed[row])]);
      this.#fed = everyPosition(canvas.ids.length).filter((position) => !this.#cached.has(position));
    }
    this.#decided = new Set(everyPosition(canvas.ids.length).filter((at) => canvas.ids[at] !== canvas.maskToken));
    return computeRows(this.#host, canvas.ids, this.#fed, read);
  }
}
