/** What can stand at any node of a growing draft: sources that name likely successors, each with a class of confidence. */

import type { DraftObservation } from '../loop/drafter.ts';

/** Successors of a node, as a source writes them. */
export interface CandidateList {
  readonly tokens: Int32Array;
  readonly classes: Int32Array;
  count: number;
}

/** Most successors that a source names. */
export const MAXIMUM_CANDIDATES = 8;

/** Names successors. Nodes are numbered from the root, 0, in the order in which the draft grows. */
export interface CandidateSource {
  readonly name: string;
  /** P(accepted | class) before anything was seen: one entry a class. */
  readonly priors: Float64Array;
  /** Best tokens of every row that `observe` wants. */
  readonly topK?: number;
  /** A new draft begins; the last token is the root. At most `nodes` nodes will follow. */
  begin(tokens: Int32Array, nodes: number): void;
  /** A node was added: `token` under `parent`. */
  enter(parent: number, node: number, token: number): void;
  /** Writes the successors of a node, at most `MAXIMUM_CANDIDATES` distinct ones. */
  candidates(node: number, into: CandidateList): void;
  /** What came of a draft whose rows are the nodes. */
  observe?(observation: DraftObservation): void;
  reset(): void;
  bytes(): number;
}
