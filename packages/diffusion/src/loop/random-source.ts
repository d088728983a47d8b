/**
 * The draws of a diffusion run, named so that none is used twice: by the position they are for, the pass, and the kind.
 * The same seed gives the same text whatever the cache policy computes or skips.
 */
import { randomUniform } from '@gallop/core';

/** Uniform draws in [0, 1). */
export interface DiffusionRandom {
  /** Decides the token of a position by inverse CDF. */
  token(pass: number, position: number, row: number): number;
  /** Decides whether, or how surely, a position is committed. */
  commit(pass: number, position: number): number;
  /** The `index`-th choice among positions of a pass. */
  pick(pass: number, index: number): number;
  /**
   * Recorded uniforms u of Gumbel noise −ln(−ln u) for every token of a row [vocabSize]. A source without them samples the
   * same distribution with one `token` draw.
   */
  noise?(pass: number, position: number, row: number): ArrayLike<number>;
}

export interface SeedOptions {
  /** Names the random numbers; equal seeds give equal texts. Default 0. */
  readonly seed?: number | bigint;
  /** Tells sequences that share a seed apart. Default 0. */
  readonly stream?: number;
}

const KIND = 2 ** 28;

/** Counter-based draws. */
export const keyedDiffusionRandom = ({ seed = 0, stream = 0 }: SeedOptions = {}): DiffusionRandom => ({
  token: (pass, position) => randomUniform({ seed, stream, position, purpose: pass }),
  commit: (pass, position) => randomUniform({ seed, stream, position, purpose: KIND + pass }),
  pick: (pass, index) => randomUniform({ seed, stream, position: index, purpose: 2 * KIND + pass }),
});
