/**
 * Block verification of a chain (Sun et al., 2403.10444): accepts the longest prefix whose joint test passes, never fewer
 * tokens on average than testing token by token.
 *
 *   P₀ = 1,  Pᵢ = min(Pᵢ₋₁ · pᵢ[xᵢ] / qᵢ[xᵢ], 1),  Sᵢ = Σₓ max(Pᵢ · pᵢ₊₁[x] − qᵢ₊₁[x], 0)
 *   hᵢ = Sᵢ / (Sᵢ + 1 − Pᵢ) for i < γ (0/0 = 1),  h_γ = P_γ;  τ = largest i with ηᵢ < hᵢ
 *
 * The correction after τ < γ is drawn from norm(max(P_τ · p_τ₊₁ − q_τ₊₁, 0)), the bonus from p_γ₊₁.
 */

import { requireArgument } from '@gallop/core';
import { type DraftTree, isChain, pathTo } from '../tree/draft-tree.ts';
import { chooseFromProbabilities, divideBy, normalized, subtractClamped } from './distribution.ts';
import type { TargetRow, Verdict, VerifierDraws } from './verdict.ts';

/**
 * Verifies a chain of sampled drafts as a block.
 *
 * @throws GallopError `invalid-argument` when the draft is no chain of drawn tokens
 */
export const verifyByBlock = (tree: DraftTree, target: TargetRow, draws: VerifierDraws): Verdict => {
  const { tokens, parent } = tree;
  const drafts = tokens.length - 1;
  requireArgument(
    isChain(parent),
    () => 'Expected a chain for block verification; received a tree; verify it by traversal.',
  );
  let mass = 1;
  let accepted = 0;
  let correction: Float64Array | undefined = drafts === 0 ? undefined : residual(target(0), 1, draftRow(tree, 0));
  for (let i = 1; i <= drafts; i++) {
    const p = normalized(target(i - 1));
    const q = draftRow(tree, i - 1);
    mass = Math.min((mass * p[tokens[i]]) / q[tokens[i]], 1);
    if (i === drafts) {
      if (draws.accept(i) < mass) {
        accepted = i;
        correction = undefined;
      }
      break;
    }
    const rest = normalized(target(i));
    const sum = subtractClamped(rest, mass, draftRow(tree, i));
    const threshold = sum + 1 - mass === 0 ? 1 : sum / (sum + 1 - mass);
    if (draws.accept(i) >= threshold) continue;
    accepted = i;
    if (sum > 0) divideBy(rest, sum);
    correction = sum > 0 ? rest : normalized(target(i));
  }
  const nextDistribution = correction ?? normalized(target(accepted));
  return {
    path: pathTo(parent, accepted),
    next: chooseFromProbabilities(nextDistribution, draws.next(accepted)),
    nextDistribution,
  };
};

const residual = (row: Parameters<typeof normalized>[0], scale: number, q: Float64Array): Float64Array => {
  const rest = normalized(row);
  const sum = subtractClamped(rest, scale, q);
  if (!(sum > 0)) return normalized(row);
  divideBy(rest, sum);
  return rest;
};

/** What the child of `row` was drawn from. */
const draftRow = ({ sampled }: DraftTree, row: number): Float64Array => {
  const group = sampled?.get(row);
  requireArgument(group !== undefined && group.count > 0, () => {
    return `Expected drawn drafts for block verification; received a deterministic one after row ${row}; verify by rejection.`;
  });
  return normalized(group.probabilities);
};
