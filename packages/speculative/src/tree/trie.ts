/** Trees made of continuations that share their beginnings, each node with a weight. */

import type { DraftTree } from './draft-tree.ts';
import { treeDepths } from './draft-tree.ts';

/** A trie; row 0 is the root, then rows by depth, then by token path. */
export interface Trie {
  readonly tokens: Int32Array;
  readonly parent: Int32Array;
  /** Sum of the weights of the continuations that pass through each row; 0 for the root. */
  readonly counts: Float64Array;
}

interface Node {
  readonly token: number;
  count: number;
  readonly children: Map<number, Node>;
}

/**
 * A trie of continuations.
 *
 * @param root token of row 0
 * @param counts weight of each continuation; default 1
 * @param maximumNodes rows kept besides the root, the first in order
 */
export const buildTrie = (
  root: number,
  continuations: readonly ArrayLike<number>[],
  counts?: ArrayLike<number>,
  maximumNodes: number = Number.POSITIVE_INFINITY,
): Trie => {
  const top: Node = { token: root, count: 0, children: new Map() };
  for (const [index, continuation] of continuations.entries()) insert(top, continuation, counts?.[index] ?? 1);
  let level: { node: Node; parent: number }[] = [{ node: top, parent: -1 }];
  const tokens: number[] = [];
  const parent: number[] = [];
  const weights: number[] = [];
  while (level.length > 0) {
    const next: { node: Node; parent: number }[] = [];
    for (const { node, parent: above } of level) {
      if (tokens.length > maximumNodes) break;
      const row = tokens.push(node.token) - 1;
      parent.push(above);
      weights.push(node.count);
      const children = [...node.children.values()].sort((a, b) => a.token - b.token);
      next.push(...children.map((child) => ({ node: child, parent: row })));
    }
    level = next;
  }
  return { tokens: Int32Array.from(tokens), parent: Int32Array.from(parent), counts: Float64Array.from(weights) };
};

const insert = (top: Node, continuation: ArrayLike<number>, weight: number): void => {
  let node = top;
  for (let i = 0; i < continuation.length; i++) {
    let child = node.children.get(continuation[i]);
    if (child === undefined) {
      child = { token: continuation[i], count: 0, children: new Map() };
      node.children.set(continuation[i], child);
    }
    child.count += weight;
    node = child;
  }
};

/** Orders rows by score, best first; shallower first among equals, then by token path. */
export const orderByScore = (
  { tokens, parent }: Pick<DraftTree, 'tokens' | 'parent'>,
  scores: ArrayLike<number>,
): number[] => {
  const depth = treeDepths(parent);
  const pathOf = (row: number): number[] => {
    const path: number[] = [];
    for (let node = row; node > 0; node = parent[node]) path.unshift(tokens[node]);
    return path;
  };
  const compareRows = (a: number, b: number): number => {
    if (scores[a] !== scores[b]) return scores[b] - scores[a];
    if (depth[a] !== depth[b]) return depth[a] - depth[b];
    const first = pathOf(a);
    const second = pathOf(b);
    const at = first.findIndex((token, i) => token !== second[i]);
    return at < 0 ? a - b : first[at] - second[at];
  };
  return Array.from({ length: parent.length - 1 }, (_, i) => i + 1).sort(compareRows);
};
