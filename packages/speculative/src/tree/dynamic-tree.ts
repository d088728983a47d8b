/**
 * EAGLE-2's dynamic tree (Li et al., 2406.16858): expand the most probable nodes level by level, then keep the most
 * probable of all candidates. score(node) = Σ log q along its path.
 *
 * All nodes are deterministic: which ones are kept depends on probabilities, never on a random draw.
 */

import { requireArgument } from '@gallop/core';
import type { DraftTree } from './draft-tree.ts';

export interface DynamicTreeOptions {
  /** Children of an expanded node, and nodes expanded a level. */
  readonly topK: number;
  /** Levels after the first: `depth + 1` expansions in all. */
  readonly depth: number;
  /** Nodes kept, the root not counted. */
  readonly totalNodes: number;
}

/** A level to expand: candidates by index, best first. Candidate −1 is the root. */
export interface Frontier {
  readonly candidates: readonly number[];
  readonly tokens: readonly number[];
  /** Parent candidate of each. */
  readonly parents: readonly number[];
}

/** Log-probabilities of the next token after each candidate of the frontier: one row of [vocabSize] each. */
export type Expand = (frontier: Frontier) => readonly Float64Array[] | Promise<readonly Float64Array[]>;

export interface DynamicTree extends DraftTree {
  /** Σ log q of each row's path; 0 for the root. */
  readonly scores: Float64Array;
}

interface Candidates {
  readonly tokens: number[];
  readonly parents: number[];
  readonly scores: number[];
}

/** Indices of the `count` largest values, best first, lower index first among equals. */
export const bestIndices = (values: ArrayLike<number>, count: number): number[] => {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (best.length === count && !(values[i] > values[best[count - 1]])) continue;
    let place = best.length < count ? best.length : count - 1;
    while (place > 0 && values[i] > values[best[place - 1]]) {
      best[place] = best[place - 1];
      place--;
    }
    if (count > 0) best[place] = i;
  }
  return best;
};

/**
 * Grows a tree.
 *
 * @throws GallopError `invalid-argument` for counts that are not whole numbers from 1 (depth: from 0)
 */
export const growDynamicTree = async (
  root: number,
  { topK, depth, totalNodes }: DynamicTreeOptions,
  expand: Expand,
): Promise<DynamicTree> => {
  requireArgument(
    [topK, totalNodes, depth + 1].every((value) => Number.isSafeInteger(value) && value >= 1),
    () => {
      return `Expected topK and totalNodes from 1 and depth from 0; received ${topK}, ${totalNodes} and ${depth}; correct them.`;
    },
  );
  const all: Candidates = { tokens: [], parents: [], scores: [] };
  let frontier: number[] = [-1];
  for (let level = 0; level <= depth && frontier.length > 0; level++) {
    const rows = await expand({
      candidates: frontier,
      tokens: frontier.map((candidate) => (candidate < 0 ? root : all.tokens[candidate])),
      parents: frontier.map((candidate) => (candidate < 0 ? -1 : all.parents[candidate])),
    });
    const first = all.tokens.length;
    for (const [place, candidate] of frontier.entries()) {
      addChildren(all, candidate, rows[place], topK);
    }
    frontier = bestIndices(all.scores.slice(first), topK).map((index) => first + index);
  }
  return rerank(root, all, totalNodes);
};

const addChildren = (all: Candidates, candidate: number, logProbabilities: Float64Array, topK: number): void => {
  const base = candidate < 0 ? 0 : all.scores[candidate];
  for (const token of bestIndices(logProbabilities, topK)) {
    if (logProbabilities[token] === Number.NEGATIVE_INFINITY) break;
    all.tokens.push(token);
    all.parents.push(candidate);
    all.scores.push(base + logProbabilities[token]);
  }
};

/** Keeps the best candidates, in the order in which they were made: a parent scores at least as much as its child. */
const rerank = (root: number, all: Candidates, totalNodes: number): DynamicTree => {
  const kept = bestIndices(all.scores, Math.min(totalNodes, all.scores.length)).sort((a, b) => a - b);
  const rowOf = new Map(kept.map((candidate, index) => [candidate, index + 1]));
  const rowOfParent = (candidate: number): number =>
    all.parents[candidate] < 0 ? 0 : rowOf.get(all.parents[candidate])!;
  const scores = Float64Array.of(0, ...kept.map((candidate) => all.scores[candidate]));
  return {
    tokens: Int32Array.of(root, ...kept.map((candidate) => all.tokens[candidate])),
    parent: Int32Array.of(-1, ...kept.map(rowOfParent)),
    scores,
    confidence: Float32Array.from(scores, Math.exp),
  };
};
