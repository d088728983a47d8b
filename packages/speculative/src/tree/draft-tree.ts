/**
 * A draft: what may come next, as a tree of tokens under the pending root. A chain is the tree in which every node has
 * one child. Row 0 is the root (already decided, not yet fed); children of a node stand in the order in which they were
 * proposed, which is the order in which they are verified.
 */

import { GallopError } from '@gallop/core';

/** Children of one node that were drawn from a distribution. Children beyond `count` are deterministic. */
export interface SampledGroup {
  /** Distribution that the first child was drawn from, [vocabSize], summing to 1. */
  readonly probabilities: Float32Array | Float64Array;
  /** Whether an earlier sibling could be drawn again; otherwise each draw excludes the earlier ones. */
  readonly replacement: boolean;
  /** Leading children that were drawn. */
  readonly count: number;
}

/** A draft. Arrays have one entry a row, row 0 is the root. */
export interface DraftTree {
  readonly tokens: Int32Array;
  /** Row of the parent, smaller than the row itself; −1 for the root. */
  readonly parent: Int32Array;
  /** Nodes whose children were drawn at random. Children of any other node are deterministic: they were proposed with
   * certainty, by whatever rule. */
  readonly sampled?: ReadonlyMap<number, SampledGroup>;
  /** 1 where a row is computed for the drafter's sake only: never verified, never committed. */
  readonly auxiliary?: Uint8Array;
  /** Estimated probability that the row is accepted, given all that is known before the target is asked. */
  readonly confidence?: Float32Array;
  /** Who proposed the row: an index of `sources`. */
  readonly source?: Uint8Array;
  readonly sources?: readonly string[];
}

/** The tree that holds nothing but the root. */
export const rootOnly = (root: number): DraftTree => ({ tokens: Int32Array.of(root), parent: Int32Array.of(-1) });

/** A chain of tokens under the root. */
export const chainTree = (root: number, tokens: ArrayLike<number>): DraftTree => {
  const rows = new Int32Array(tokens.length + 1);
  rows[0] = root;
  for (let i = 0; i < tokens.length; i++) rows[i + 1] = tokens[i];
  return { tokens: rows, parent: Int32Array.from(rows, (_, row) => row - 1) };
};

/** First child and next sibling of each row, −1 where there is none. Auxiliary rows are left out. */
export interface ChildLists {
  readonly firstChild: Int32Array;
  readonly nextSibling: Int32Array;
}

/** Links the children of each node in the order in which they were proposed. */
export const childLists = ({ parent, auxiliary }: Pick<DraftTree, 'parent' | 'auxiliary'>): ChildLists => {
  const firstChild = new Int32Array(parent.length).fill(-1);
  const nextSibling = new Int32Array(parent.length).fill(-1);
  for (let row = parent.length - 1; row > 0; row--) {
    if (auxiliary !== undefined && auxiliary[row] === 1) continue;
    nextSibling[row] = firstChild[parent[row]];
    firstChild[parent[row]] = row;
  }
  return { firstChild, nextSibling };
};

/** Depth of each row below the root. */
export const treeDepths = (parent: ArrayLike<number>): Int32Array => {
  const depth = new Int32Array(parent.length);
  for (let row = 1; row < parent.length; row++) depth[row] = depth[parent[row]] + 1;
  return depth;
};

/** Rows from the root to `row`. */
export const pathTo = (parent: ArrayLike<number>, row: number): Int32Array => {
  const path: number[] = [];
  for (let node = row; node >= 0; node = parent[node]) path.push(node);
  return Int32Array.from(path.reverse());
};

/** True when no node has two children. */
export const isChain = (parent: ArrayLike<number>): boolean => {
  for (let row = 1; row < parent.length; row++) if (parent[row] !== row - 1) return false;
  return true;
};

const refuse = (expected: string, received: string): never => {
  throw new GallopError(
    'invalid-argument',
    `Expected a draft tree ${expected}; received ${received}; the drafter is at fault.`,
  );
};

/**
 * Checks a draft before it is fed.
 *
 * @param budget most rows besides the root
 * @throws GallopError `invalid-argument` for another root, rows beyond the budget, ids outside the vocabulary, parents
 *   that are not earlier rows (cycles), and distributions that do not fit
 */
export const checkDraftTree = (tree: DraftTree, root: number, vocabSize: number, budget: number): void => {
  const { tokens, parent, auxiliary, confidence, source } = tree;
  if (!(tokens instanceof Int32Array) || !(parent instanceof Int32Array)) refuse('of Int32Arrays', 'something else');
  if (tokens.length === 0 || tokens.length !== parent.length) {
    refuse('with a token and a parent for each row', `${tokens.length} tokens and ${parent.length} parents`);
  }
  if (tokens.length - 1 > budget) refuse(`of at most ${budget} nodes`, `${tokens.length - 1}`);
  if (tokens[0] !== root || parent[0] !== -1) refuse(`whose row 0 is the root ${root}`, `token ${tokens[0]}`);
  for (let row = 1; row < tokens.length; row++) {
    if (tokens[row] < 0 || tokens[row] >= vocabSize)
      refuse(`of ids below ${vocabSize}`, `${tokens[row]} in row ${row}`);
    if (parent[row] < 0 || parent[row] >= row) {
      refuse('whose parents are earlier rows', `parent ${parent[row]} of row ${row}`);
    }
    if (auxiliary !== undefined && auxiliary[row] === 0 && auxiliary[parent[row]] === 1) {
      refuse('without candidates below auxiliary rows', `row ${row}`);
    }
  }
  for (const [name, list] of Object.entries({ auxiliary, confidence, source })) {
    if (list !== undefined && list.length !== tokens.length) refuse(`with ${name} for each row`, `${list.length}`);
  }
  checkGroups(tree, vocabSize);
};

const checkGroups = ({ tokens, parent, sampled }: DraftTree, vocabSize: number): void => {
  for (const [node, { probabilities, count }] of sampled ?? []) {
    if (!(node >= 0 && node < tokens.length)) refuse('whose groups belong to rows', `row ${node}`);
    if (probabilities.length !== vocabSize)
      refuse(`with ${vocabSize} probabilities a group`, `${probabilities.length}`);
    let sum = 0;
    for (let i = 0; i < vocabSize; i++) {
      if (!(probabilities[i] >= 0))
        refuse('with probabilities from 0', `${probabilities[i]} in the group of row ${node}`);
      sum += probabilities[i];
    }
    if (!(Math.abs(sum - 1) < 1e-3)) refuse('with probabilities that sum to 1', `a sum of ${sum} at row ${node}`);
    let drawn = 0;
    for (let row = node + 1; row < tokens.length && drawn < count; row++) {
      if (parent[row] !== node) continue;
      drawn++;
      if (probabilities[tokens[row]] === 0) refuse('of draws with a probability above 0', `token ${tokens[row]}`);
    }
  }
};
