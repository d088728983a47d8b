/**
 * ADED's search: a small Monte-Carlo tree search over a tri-gram table finds continuations that are likely and diverse.
 *
 *   PUCT(child) = W / n + (c1 + ln((N + c2 + 1) / c2)) · P · √N / (1 + n), +∞ for n = 0
 *   score of an iteration = 1 + Σ over the states (a, b) → (b, c) it passes of T[(a, b)][t],
 *     t = b in the published code (`official`), c as described (`intended`)
 *
 * Fixed order where the published code's is that of a hash map: successors by weight, then id; expansion goes on from the
 * last child; the first of equal values wins; equal visits keep depth-first order.
 */

import type { TrigramTable } from './trigram-table.ts';

export interface SearchOptions {
  /** Default 150. */
  readonly iterations?: number;
  /** Tokens of a sequence, the root included. Default 4. */
  readonly length?: number;
  /** Sequences taken, by visits. Default 24. */
  readonly topSequences?: number;
  /** Default 32. */
  readonly c1?: number;
  /** Default 8. */
  readonly c2?: number;
  /** Default `official`. */
  readonly scoreToken?: 'official' | 'intended';
}

export interface SearchNode {
  /** Tokens from the root's second token on. */
  readonly sequence: readonly number[];
  readonly visits: number;
}

export interface SearchResult {
  /** All nodes, depth first. */
  readonly nodes: readonly SearchNode[];
  /** Continuations after the root, by visits, each extended by its best successor. */
  readonly drafts: readonly (readonly number[])[];
}

interface Node {
  readonly before: number;
  readonly token: number;
  readonly prior: number;
  readonly parent: Node | undefined;
  readonly children: Node[];
  visits: number;
  score: number;
}

export interface PuctNode {
  readonly score: number;
  readonly visits: number;
  readonly prior: number;
}

/** The value of a child under a parent with `parentVisits`. */
export const puct = (
  { score, visits, prior }: PuctNode,
  parentVisits: number,
  c1: number = 32,
  c2: number = 8,
): number =>
  visits === 0
    ? Number.POSITIVE_INFINITY
    : score / visits + ((c1 + Math.log((parentVisits + c2 + 1) / c2)) * prior * Math.sqrt(parentVisits)) / (1 + visits);

/**
 * Searches from the state (a, b), b being the pending root.
 *
 * @param uniform the next draw in [0, 1); one is used for each state that is rolled out
 */
export const searchTrigrams = (
  table: TrigramTable,
  [a, b]: readonly [number, number],
  uniform: () => number,
  options: SearchOptions = {},
): SearchResult => {
  const { iterations = 150 } = options;
  const root: Node = { before: a, token: b, prior: 0, parent: undefined, children: [], visits: 0, score: 0 };
  for (let i = 0; i < iterations; i++) iterate(table, root, uniform, options);
  const nodes: SearchNode[] = [];
  list(root, [b], nodes);
  return { nodes, drafts: draftsOf(table, nodes, options.topSequences ?? 24) };
};

const iterate = (table: TrigramTable, root: Node, uniform: () => number, options: SearchOptions): void => {
  const { length = 4, c1 = 32, c2 = 8, scoreToken = 'official' } = options;
  let node = root;
  const states: [number, number][] = [[root.before, root.token]];
  const enter = (next: Node): void => {
    node = next;
    states.push([next.before, next.token]);
  };
  while (node.children.length > 0 && states.length < length) enter(bestChild(node, c1, c2));
  if (states.length < length) {
    expand(table, node);
    if (node.children.length > 0) enter(node.children[node.children.length - 1]);
  }
  rollOut(table, states, length, uniform);
  let score = 1;
  for (let i = 0; i + 1 < states.length; i++) {
    const [before, token] = states[i];
    score += table.weight(before, token, scoreToken === 'official' ? states[i + 1][0] : states[i + 1][1]);
  }
  for (let visited: Node | undefined = node; visited !== undefined; visited = visited.parent) {
    visited.visits++;
    visited.score += score;
  }
};

const bestChild = (node: Node, c1: number, c2: number): Node => {
  let best = node.children[0];
  let value = puct(best, node.visits, c1, c2);
  for (let i = 1; i < node.children.length; i++) {
    const other = puct(node.children[i], node.visits, c1, c2);
    if (other > value) {
      best = node.children[i];
      value = other;
    }
  }
  return best;
};

const expand = (table: TrigramTable, node: Node): void => {
  const row = table.row(node.before, node.token);
  row?.tokens.forEach((token, i) => {
    const prior = row.weights[i];
    node.children.push({ before: node.token, token, prior, parent: node, children: [], visits: 0, score: 0 });
  });
};

/** Goes on at random, by the weights of the rows. */
const rollOut = (table: TrigramTable, states: [number, number][], length: number, uniform: () => number): void => {
  while (states.length < length) {
    const [before, token] = states[states.length - 1];
    const row = table.row(before, token);
    if (row === undefined) return;
    const total = row.weights.reduce((sum, weight) => sum + weight, 0);
    const draw = uniform();
    let cumulative = 0;
    let chosen = row.tokens.length - 1;
    for (let i = 0; i < row.tokens.length; i++) {
      cumulative += row.weights[i] / total;
      if (cumulative >= draw) {
        chosen = i;
        break;
      }
    }
    states.push([token, row.tokens[chosen]]);
  }
};

const list = (node: Node, sequence: readonly number[], into: SearchNode[]): void => {
  into.push({ sequence, visits: node.visits });
  for (const child of node.children) list(child, [...sequence, child.token], into);
};

const draftsOf = (table: TrigramTable, nodes: readonly SearchNode[], count: number): number[][] => {
  const order = [...nodes.keys()].sort((x, y) => nodes[y].visits - nodes[x].visits || x - y).slice(0, count);
  const drafts = new Map<string, number[]>();
  for (const index of order) {
    const { sequence } = nodes[index];
    const draft = sequence.slice(1);
    if (draft.length === 0) continue;
    const successor = table.row(sequence[sequence.length - 2], sequence[sequence.length - 1])?.tokens[0];
    if (successor !== undefined) draft.push(successor);
    const name = draft.join();
    if (!drafts.has(name)) drafts.set(name, draft);
  }
  return [...drafts.values()];
};
