/**
 * RASD (2503.03434): continuations found by retrieval, filtered by a drafter's own distribution and merged into its tree.
 * No official code exists; the constants are a reconstruction. Output-neutral: under an exact verifier no retrieved
 * content can change a token.
 */

import { requireArgument } from '@gallop/core';
import type { DraftContext, Drafter, DraftObservation } from '../loop/drafter.ts';
import { type ChildLists, childLists, type DraftTree } from '../tree/draft-tree.ts';
import { bestIndices } from '../tree/dynamic-tree.ts';
import { buildTrie, orderByScore, type Trie } from '../tree/trie.ts';

export interface PruneOptions {
  /** Best tokens of the drafter among which the first retrieved token must be. Default 10. */
  readonly topTokens?: number;
  /** Nodes kept, the root not counted. Default 24. */
  readonly budget?: number;
  /** Default 10. */
  readonly depthLimit?: number;
}

/** A trie with the estimated probability of each row; 1 for the root. */
export interface PrunedTrie {
  readonly tokens: Int32Array;
  readonly parent: Int32Array;
  readonly scores: Float64Array;
}

/**
 * Keeps what the drafter finds plausible: score = q at depth 1, score of the parent × share of its count below.
 *
 * @param draft the drafter's distribution of the next token [vocabSize]
 */
export const pruneTrie = (
  { tokens, parent, counts }: Trie,
  draft: ArrayLike<number>,
  { topTokens = 10, budget = 24, depthLimit = 10 }: PruneOptions = {},
): PrunedTrie => {
  const plausible = new Set(bestIndices(draft, topTokens));
  const depth = new Int32Array(tokens.length);
  const scores = new Float64Array(tokens.length).fill(Number.NEGATIVE_INFINITY);
  scores[0] = 1;
  for (let row = 1; row < tokens.length; row++) {
    const above = parent[row];
    depth[row] = depth[above] + 1;
    if (depth[row] > depthLimit || scores[above] === Number.NEGATIVE_INFINITY) continue;
    if (above > 0) scores[row] = (scores[above] * counts[row]) / counts[above];
    else if (plausible.has(tokens[row])) scores[row] = draft[tokens[row]];
  }
  const kept = orderByScore({ tokens, parent }, scores)
    .filter((row) => scores[row] !== Number.NEGATIVE_INFINITY)
    .slice(0, budget)
    .sort((a, b) => a - b);
  const rowOf = new Map([0, ...kept].map((row, index) => [row, index]));
  return {
    tokens: Int32Array.of(tokens[0], ...kept.map((row) => tokens[row])),
    parent: Int32Array.of(-1, ...kept.map((row) => rowOf.get(parent[row])!)),
    scores: Float64Array.of(1, ...kept.map((row) => scores[row])),
  };
};

/** Paths from below the root to the leaves of a pruned trie, by score descending. */
export const prunedPaths = (trie: PrunedTrie): number[][] => {
  const isParent = new Set(trie.parent);
  return orderByScore(trie, trie.scores)
    .filter((row) => !isParent.has(row))
    .map((row) => {
      const path: number[] = [];
      for (let node = row; node > 0; node = trie.parent[node]) path.push(trie.tokens[node]);
      return path.reverse();
    });
};

export interface FusedTree extends DraftTree {
  /** 1 where a row came from retrieval. */
  readonly retrieved: Uint8Array;
  /** Where each row stood before it was put in breadth-first order: draft rows first, then new ones as added. */
  readonly order: Int32Array;
}

/**
 * Attaches paths to a tree, sharing the longest prefix that it has already. Rows come out breadth first, the draft's own
 * children before retrieved ones. Distributions of sampled groups are kept: retrieved children stand behind them.
 *
 * @param totalNodes most rows, the root included
 */
export const fusePaths = (draft: DraftTree, paths: readonly ArrayLike<number>[], totalNodes: number): FusedTree => {
  const tokens = [...draft.tokens];
  const parent = [...draft.parent];
  const childOf = new Map<string, number>();
  for (let row = tokens.length - 1; row > 0; row--) childOf.set(`${parent[row]},${tokens[row]}`, row);
  for (const path of paths) {
    let node = 0;
    for (let i = 0; i < path.length; i++) {
      const name = `${node},${path[i]}`;
      let child = childOf.get(name);
      if (child === undefined) {
        if (tokens.length >= totalNodes) break;
        child = tokens.push(path[i]) - 1;
        parent.push(node);
        childOf.set(name, child);
      }
      node = child;
    }
  }
  const order = breadthFirst(childLists({ parent: Int32Array.from(parent) }), tokens.length);
  const rowOf = new Int32Array(tokens.length);
  order.forEach((old, row) => {
    rowOf[old] = row;
  });
  const own = draft.tokens.length;
  const sampled = new Map([...(draft.sampled ?? [])].map(([node, group]) => [rowOf[node], group]));
  return {
    tokens: order.map((old) => tokens[old]),
    parent: order.map((old) => (old === 0 ? -1 : rowOf[parent[old]])),
    retrieved: Uint8Array.from(order, (old) => (old >= own ? 1 : 0)),
    order,
    ...(sampled.size > 0 && { sampled }),
  };
};

const breadthFirst = ({ firstChild, nextSibling }: ChildLists, rows: number): Int32Array => {
  const order = new Int32Array(rows);
  let end = 1;
  for (let at = 0; at < end; at++) {
    for (let child = firstChild[order[at]]; child >= 0; child = nextSibling[child]) order[end++] = child;
  }
  return order;
};

/** A drafter that also gives its distribution of the token after the root, from its last proposal. */
export interface DistributionDrafter extends Drafter {
  /** [vocabSize] */
  rootDistribution(): ArrayLike<number> | undefined;
}

/** Finds continuations of a text that ends with the pending root. */
export interface Retriever {
  readonly name: string;
  lookUp(tokens: Int32Array): readonly { readonly tokens: ArrayLike<number>; readonly count: number }[];
  reset?(): void;
  bytes?(): number;
}

export interface RasdOptions extends PruneOptions {
  readonly base: DistributionDrafter;
  readonly retrievers: readonly Retriever[];
}

/** A drafter that adds retrieved paths to the tree of another one. Rows for both come out of one budget. */
export const rasdDrafter = ({ base, retrievers, ...prune }: RasdOptions): Drafter => {
  requireArgument(
    retrievers.length > 0,
    () => 'Expected at least one retriever; received none; use the drafter alone.',
  );
  const { budget: retrievalBudget = 24 } = prune;
  let proposed: FusedTree | undefined;
  let ownRows = 0;
  const propose = async (context: DraftContext): Promise<DraftTree | undefined> => {
    proposed = undefined;
    const { tokens, budget } = context;
    const found = retrievers.flatMap((retriever) => retriever.lookUp(tokens)).filter(({ count }) => count > 0);
    const reserved = found.length > 0 ? Math.min(retrievalBudget, budget >> 1) : 0;
    const draft = await base.propose({ ...context, budget: budget - reserved });
    const distribution = base.rootDistribution();
    if (draft === undefined || distribution === undefined || found.length === 0) return draft;
    const trie = buildTrie(
      tokens[tokens.length - 1],
      found.map((continuation) => continuation.tokens),
      found.map(({ count }) => count),
    );
    ownRows = draft.tokens.length;
    proposed = fusePaths(draft, prunedPaths(pruneTrie(trie, distribution, prune)), budget + 1);
    const source = proposed.retrieved;
    return { ...proposed, source, sources: [base.name, 'retrieved'] };
  };
  return {
    name: `${base.name}+retrieval`,
    ...(base.topK !== undefined && { topK: base.topK }),
    propose,
    observe: (observation) =>
      base.observe?.(proposed ? projectOnto(observation, proposed.order, ownRows) : observation),
    reset: (scope) => {
      base.reset?.(scope);
      for (const retriever of retrievers) retriever.reset?.();
    },
    bytes: () => (base.bytes?.() ?? 0) + retrievers.reduce((sum, retriever) => sum + (retriever.bytes?.() ?? 0), 0),
    dispose: () => base.dispose?.(),
  };
};

/** The observation in the rows of the base drafter's own tree; the path ends where it leaves that tree. */
const projectOnto = (seen: DraftObservation, order: Int32Array, ownRows: number): DraftObservation => {
  const rowOf = new Int32Array(order.length);
  order.forEach((old, row) => {
    rowOf[old] = row;
  });
  const { tree, topTokens, topK } = seen;
  if (tree.tokens.length !== order.length) return seen;
  const own = Array.from({ length: ownRows }, (_, old) => rowOf[old]);
  const path = Array.from(seen.path, (row) => order[row]).filter((old) => old < ownRows);
  const leaves = path.length < seen.path.length ? tree.tokens[seen.path[path.length]] : seen.next;
  return {
    tree: {
      tokens: Int32Array.from(own, (row) => tree.tokens[row]),
      parent: Int32Array.from(own, (row) => (row === 0 ? -1 : order[tree.parent[row]])),
    },
    path: Int32Array.from(path),
    next: leaves,
    topTokens: Int32Array.from(own.flatMap((row) => [...topTokens.subarray(row * topK, (row + 1) * topK)])),
    topK,
    verifyMilliseconds: seen.verifyMilliseconds,
  };
};
