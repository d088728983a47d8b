/**
 * Recursive rejection sampling over a tree (Leviathan et al. 2211.17192 and Chen et al. 2302.01318 for chains; SpecInfer
 * 2305.09781 and Sequoia 2402.12374 for trees; EAGLE-2's elimination for deterministic children). At a node with target P,
 * children in the order in which they were proposed:
 *
 *   sampled x ~ Q:      accept with probability min(1, P[x] / Q[x]), else P ← norm(max(P − Q, 0))
 *                       and, without replacement, Q ← norm(Q without x)
 *   deterministic x:    accept with probability P[x], else P ← norm(P without x)
 *
 * After the last child the correction is drawn from P; behind a leaf the bonus is drawn from the target's own row.
 */

import { childLists, type DraftTree } from '../tree/draft-tree.ts';
import { chooseFromProbabilities, excludeToken, normalized, takeResidual } from './distribution.ts';
import type { TargetRow, Verdict, VerifierDraws } from './verdict.ts';

/** Verifies a tree by rejection. Output follows the target's distribution, whatever was drafted. */
export const verifyByRejection = (tree: DraftTree, target: TargetRow, draws: VerifierDraws): Verdict => {
  const { firstChild, nextSibling } = childLists(tree);
  const path = [0];
  for (;;) {
    const row = path[path.length - 1];
    const p = normalized(target(row));
    const accepted = testChildren(tree, row, firstChild[row], nextSibling, p, draws);
    if (accepted < 0) {
      const next = chooseFromProbabilities(p, draws.next(path.length - 1));
      return { path: Int32Array.from(path), next, nextDistribution: p };
    }
    path.push(accepted);
  }
};

/** The accepted child or −1; `p` becomes what is left of the target. */
const testChildren = (
  { tokens, sampled }: DraftTree,
  row: number,
  first: number,
  nextSibling: Int32Array,
  p: Float64Array,
  draws: VerifierDraws,
): number => {
  const group = sampled?.get(row);
  const q = group === undefined ? undefined : normalized(group.probabilities);
  let drawn = group?.count ?? 0;
  for (let child = first; child >= 0; child = nextSibling[child]) {
    const token = tokens[child];
    if (q !== undefined && drawn > 0) {
      drawn--;
      if (draws.accept(child) < p[token] / q[token]) return child;
      takeResidual(p, q);
      if (group?.replacement === false) excludeToken(q, token);
    } else {
      if (draws.accept(child) < p[token]) return child;
      excludeToken(p, token);
    }
  }
  return -1;
};
