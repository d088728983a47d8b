/** What a verifier is given and what it decides. Verifiers are pure functions of a tree, target rows and random draws. */

import type { Probabilities } from './distribution.ts';

/**
 * How far a method may be trusted. `lossless`: the tokens are those of plain decoding (greedy, or sampling with the same
 * seed). `distribution-preserving`: tokens follow the target's distribution. `approximate`: they do not. `distilled`: the
 * target itself was retrained.
 */
export type Guarantee = 'lossless' | 'distribution-preserving' | 'approximate' | 'distilled';

/** What was decided about a draft. */
export interface Verdict {
  /** Accepted rows, the root first. */
  readonly path: Int32Array;
  /** The token after the path: a correction, or the bonus behind a leaf. */
  readonly next: number;
  /** The distribution `next` was drawn from, where the rule has one. [vocabSize] */
  readonly nextDistribution?: Float64Array;
}

/** Warped target distribution after a row of the tree; it may depend on the path to the row. [vocabSize] */
export type TargetRow = (row: number) => Probabilities;

/** Uniform draws in [0, 1). */
export interface VerifierDraws {
  /** The draw of the test of a row; asked at most once a row. */
  accept(row: number): number;
  /** The draw of the correction or bonus after `depth` accepted drafts. */
  next(depth: number): number;
}
