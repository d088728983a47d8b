/**
 * Traversal verification of a tree, leaf to root (Weng et al., 2505.12398). Each prefix carries an acceptance mass a
 * (1 at the root); a node is tested only after its whole subtree was rejected:
 *
 *   visit(node, a, P, Q):  for x in children, in the order in which they were drawn:
 *     visit(child x, min(1, a · P[x] / Q[x]));  when it is rejected:
 *     D = max(a · P − Q, 0), S = ΣD, a ← S / (S + 1 − a), P ← D / S, and without replacement Q ← norm(Q without x)
 *   accept the path to the node with probability a; then the next token is drawn from P
 *
 * On a chain it is block verification. Deterministic children count as drawn from a point mass.
 */

import { type ChildLists, childLists, type DraftTree, pathTo } from '../tree/draft-tree.ts';
import { chooseFromProbabilities, divideBy, excludeToken, normalized, subtractClamped } from './distribution.ts';
import type { TargetRow, Verdict, VerifierDraws } from './verdict.ts';

interface Acceptance {
  readonly row: number;
  readonly distribution: Float64Array;
}

/** Verifies a tree from its leaves. Output follows the target's distribution, whatever was drafted. */
export const verifyByTraversal = (tree: DraftTree, target: TargetRow, draws: VerifierDraws): Verdict => {
  const { row, distribution } = visit({ tree, lists: childLists(tree), target, draws }, 0, 1)!;
  const path = pathTo(tree.parent, row);
  return {
    path,
    next: chooseFromProbabilities(distribution, draws.next(path.length - 1)),
    nextDistribution: distribution,
  };
};

interface Visit {
  readonly tree: DraftTree;
  readonly lists: ChildLists;
  readonly target: TargetRow;
  readonly draws: VerifierDraws;
}

const visit = (step: Visit, row: number, entryMass: number): Acceptance | undefined => {
  const { tree, lists, target, draws } = step;
  const p = normalized(target(row));
  const group = tree.sampled?.get(row);
  const sampledFrom = group === undefined ? undefined : normalized(group.probabilities);
  let drawn = group?.count ?? 0;
  let mass = entryMass;
  for (let child = lists.firstChild[row]; child >= 0; child = lists.nextSibling[child]) {
    const token = tree.tokens[child];
    const isDrawn = sampledFrom !== undefined && drawn-- > 0;
    const q = isDrawn ? sampledFrom : pointMass(p.length, token);
    const accepted = visit(step, child, Math.min(1, (mass * p[token]) / q[token]));
    if (accepted !== undefined) return accepted;
    mass = reject(p, mass, q);
    if (isDrawn && group?.replacement === false) excludeToken(q, token);
  }
  return row === 0 || draws.accept(row) < mass ? { row, distribution: p } : undefined;
};

/** Takes one rejected child off `p`; returns the mass that is left. */
const reject = (p: Float64Array, mass: number, q: Float64Array): number => {
  const before = Float64Array.from(p);
  const sum = subtractClamped(p, mass, q);
  if (sum > 0) divideBy(p, sum);
  else p.set(before);
  return sum + 1 - mass === 0 ? 1 : sum / (sum + 1 - mass);
};

const pointMass = (size: number, token: number): Float64Array => {
  const row = new Float64Array(size);
  row[token] = 1;
  return row;
};
