/** The record of one decoding step: what streams, statistics, benchmarks and displays are made of. */

import type { DraftTree } from '../tree/draft-tree.ts';

/** One step. A plain step has drafted nothing. */
export interface DecodingStep {
  /** Tokens that became part of the text; an end token and what came after it are left out. */
  readonly tokens: readonly number[];
  /** Absolute position of the first of them. */
  readonly position: number;
  /** Who drafted each of them; undefined for those the target chose itself. */
  readonly proposers: readonly (string | undefined)[];
  /** Rows fed to the target, the root (or the prompt) included. */
  readonly fed: number;
  /** Rows drafted as candidates. */
  readonly drafted: number;
  /** Depth of the deepest of them. */
  readonly draftedDepth: number;
  /** Candidates accepted, before the text was cut at an end. */
  readonly accepted: number;
  /** What was fed, and the rows accepted, the root first. */
  readonly tree: DraftTree;
  readonly path: Int32Array;
  /** The end token that was met, if one was. */
  readonly end?: number;
  /** Time of the whole step, of drafting and of the target's pass. */
  readonly milliseconds: number;
  readonly draftMilliseconds: number;
  readonly verifyMilliseconds: number;
  /** What went wrong in the drafter; the step was then decoded plainly. */
  readonly fault?: unknown;
  /** Bytes of the target's state and of the drafter's. */
  readonly bytes: () => number;
}
