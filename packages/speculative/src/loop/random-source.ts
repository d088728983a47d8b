/**
 * The draws of a generation, named so that none is used twice and plain decoding uses the same ones. The token at absolute
 * position p is decided by the draw (seed, stream, p, purpose 0) with and without drafts. Tests and sampled drafts belong
 * to a step: they are named by the root's position, which no two steps share.
 */

import { randomUniform, type SamplingOptions } from '@gallop/core';

/** Uniform draws in [0, 1). */
export interface RandomSource {
  /** Decides the token at an absolute position. */
  next(position: number): number;
  /** Tests a row of the draft under the root at `rootPosition`. */
  accept(rootPosition: number, row: number): number;
  /** Makes a sampled draft under the root at `rootPosition`. */
  draft(rootPosition: number, index: number): number;
}

const FIRST_ACCEPT = 1;
const FIRST_DRAFT = 0x8000_0000;

/** Counter-based draws. */
export const keyedRandom = ({ seed = 0, stream = 0 }: SamplingOptions): RandomSource => ({
  next: (position) => randomUniform({ seed, stream, position }),
  accept: (position, row) => randomUniform({ seed, stream, position, purpose: FIRST_ACCEPT + row }),
  draft: (position, index) => randomUniform({ seed, stream, position, purpose: FIRST_DRAFT + index }),
});
