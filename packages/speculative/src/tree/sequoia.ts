/**
 * Sequoia's optimal static tree (Chen et al., 2402.12374). With a[b] = probability that the b-th child is the accepted
 * one, the best tree of exactly m nodes (root included), at most l levels and b children of the root yields
 *
 *   T(1, l, 0) = 1,   T(m, l, b) = max over 1 ≤ y < m of T(y, l, b − 1) + a[b] · max_b' T(m − y, l − 1, b')
 *
 * tokens a step. Trees of equal value are the rule, so rounding decides which one is found: products and sums are
 * rounded to f32, as in the published tables.
 */

import { requireArgument } from '@gallop/core';

const IMPOSSIBLE = -1;

export interface SequoiaTable {
  readonly maxBudget: number;
  readonly maxDepth: number;
  /** Best value of exactly m nodes and at most l levels, −1 where impossible. [maxBudget × maxDepth] */
  readonly expectedTokens: Float32Array;
  /** Children of each node of the best tree, breadth first: read with `sequoiaTree`. */
  readonly bestChildren: Int32Array;
  readonly bestRest: Int32Array;
  readonly branches: number;
}

/**
 * Fills the tables.
 *
 * @param acceptance [branches + 1], entry 0 unused
 * @throws GallopError `invalid-argument` for probabilities outside [0, 1] or sizes that are no counts
 */
export const sequoiaTable = (acceptance: ArrayLike<number>, maxBudget: number, maxDepth: number): SequoiaTable => {
  const branches = acceptance.length - 1;
  requireArgument(
    [branches, maxBudget, maxDepth].every((value) => Number.isSafeInteger(value) && value >= 1),
    () => {
      return `Expected at least one branch, node and level; received ${branches}, ${maxBudget} and ${maxDepth}; correct them.`;
    },
  );
  requireArgument(branches * maxBudget * maxDepth <= 2 ** 24 && maxBudget <= 4096, () => {
    return `Expected tables of at most 2^24 entries and 4096 nodes; received ${branches} × ${maxBudget} × ${maxDepth}; ask for a smaller tree.`;
  });
  requireArgument(
    Array.from(acceptance)
      .slice(1)
      .every((value) => value >= 0 && value <= 1),
    () => {
      return `Expected acceptance probabilities within [0, 1]; received ${Array.from(acceptance).slice(1).join(', ')}; correct them.`;
    },
  );
  const values = new Float32Array((maxBudget + 1) * (maxDepth + 1) * (branches + 1)).fill(IMPOSSIBLE);
  const bestRest = new Int32Array(values.length);
  const bestChildren = new Int32Array((maxBudget + 1) * (maxDepth + 1));
  const best = new Float32Array(bestChildren.length).fill(IMPOSSIBLE);
  const table = { values, bestRest, bestChildren, best, branches, maxDepth, acceptance };
  for (let m = 1; m <= maxBudget; m++) {
    for (let l = 1; l <= maxDepth; l++) fillCell(table, m, l);
  }
  const expectedTokens = new Float32Array(maxBudget * maxDepth);
  for (let m = 1; m <= maxBudget; m++) {
    expectedTokens.set(best.subarray(m * (maxDepth + 1) + 1, (m + 1) * (maxDepth + 1)), (m - 1) * maxDepth);
  }
  return { maxBudget, maxDepth, expectedTokens, bestChildren, bestRest, branches };
};

interface Filling {
  readonly values: Float32Array;
  readonly bestRest: Int32Array;
  readonly bestChildren: Int32Array;
  readonly best: Float32Array;
  readonly branches: number;
  readonly maxDepth: number;
  readonly acceptance: ArrayLike<number>;
}

const fillCell = (table: Filling, m: number, l: number): void => {
  const { values, bestRest, bestChildren, best, branches, maxDepth, acceptance } = table;
  const cell = m * (maxDepth + 1) + l;
  if (m === 1) values[cell * (branches + 1)] = 1;
  for (let b = 1; b <= branches; b++) {
    const entry = cell * (branches + 1) + b;
    for (let y = 1; y < m; y++) {
      const rest = values[(y * (maxDepth + 1) + l) * (branches + 1) + b - 1];
      const child = best[(m - y) * (maxDepth + 1) + l - 1];
      if (rest === IMPOSSIBLE || child === IMPOSSIBLE) continue;
      const value = Math.fround(rest + Math.fround(Math.fround(acceptance[b]) * child));
      if (value > values[entry]) {
        values[entry] = value;
        bestRest[entry] = y;
      }
    }
  }
  for (let b = 0; b <= branches; b++) {
    const value = values[cell * (branches + 1) + b];
    if (value > best[cell]) {
      best[cell] = value;
      bestChildren[cell] = b;
    }
  }
};

export interface SequoiaChoice {
  /** Nodes, the root included. */
  readonly budget: number;
  /** Levels, the root's included. */
  readonly levels: number;
}

/**
 * The size with the least time a token: (levels · draftTime + targetTime[i]) / T(budgets[i], levels).
 *
 * @param budgets node counts whose verification time was measured, ascending
 */
export const chooseSequoiaSize = (
  table: SequoiaTable,
  budgets: readonly number[],
  targetTime: readonly number[],
  draftTime: number,
): SequoiaChoice => {
  let choice: SequoiaChoice = { budget: 1, levels: 1 };
  let least = Number.POSITIVE_INFINITY;
  for (const [index, budget] of budgets.entries()) {
    for (let levels = 1; levels <= table.maxDepth; levels++) {
      const tokens = table.expectedTokens[(budget - 1) * table.maxDepth + levels - 1];
      if (!(tokens > 0)) continue;
      const time = (levels * draftTime + targetTime[index]) / tokens;
      if (time < least) {
        least = time;
        choice = { budget, levels };
      }
    }
  }
  return choice;
};

/** The best tree of a size, breadth first: parents, and the number of children of each row. */
export const sequoiaTree = (
  { maxDepth, bestChildren, bestRest, branches }: SequoiaTable,
  { budget, levels }: SequoiaChoice,
): { parent: Int32Array; branches: Int32Array } => {
  const parent = [-1];
  const counts: number[] = [];
  const queue: SequoiaChoice[] = [{ budget, levels }];
  for (let row = 0; row < queue.length; row++) {
    const { budget: nodes, levels: below } = queue[row];
    const children = bestChildren[nodes * (maxDepth + 1) + below];
    counts.push(children);
    const sizes: number[] = [];
    let left = nodes;
    for (let b = children; b >= 1; b--) {
      const rest = bestRest[(left * (maxDepth + 1) + below) * (branches + 1) + b];
      sizes.unshift(left - rest);
      left = rest;
    }
    for (const size of sizes) {
      queue.push({ budget: size, levels: below - 1 });
      parent.push(row);
    }
  }
  return { parent: Int32Array.from(parent), branches: Int32Array.from(counts) };
};
