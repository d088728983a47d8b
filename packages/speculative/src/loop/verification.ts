/** Which verifier decides a draft, and what that promises. The kind of the tree's groups chooses, never the drafter. */

import { type DraftTree, isChain } from '../tree/draft-tree.ts';
import { verifyByBlock } from '../verify/block.ts';
import { verifyByRejection } from '../verify/rejection.ts';
import { verifyByTraversal } from '../verify/traversal.ts';
import { type TypicalOptions, verifyTypical } from '../verify/typical.ts';
import type { Guarantee, TargetRow, Verdict, VerifierDraws } from '../verify/verdict.ts';
import { verifyByWalk } from '../verify/walk.ts';
import type { RandomSource } from './random-source.ts';
import type { TargetRows } from './target-rows.ts';

/**
 * `auto`: `walk` where all drafts are deterministic and at temperature 0; else block verification of chains and traversal
 * of trees. The others by name. `typical` is approximate and must be asked for.
 */
export type Verification =
  | 'auto'
  | 'walk'
  | 'rejection'
  | 'block'
  | 'traversal'
  | ({ readonly kind: 'typical' } & Omit<TypicalOptions, 'temperature'>);

/** What a verification promises at a temperature. */
export const guaranteeOf = (verification: Verification, temperature: number, sampledDrafts: boolean): Guarantee => {
  if (typeof verification === 'object') return temperature === 0 ? 'lossless' : 'approximate';
  if (temperature === 0 || verification === 'walk') return 'lossless';
  return verification === 'auto' && !sampledDrafts ? 'lossless' : 'distribution-preserving';
};

export interface VerificationStep {
  readonly tree: DraftTree;
  readonly rows: TargetRows;
  readonly random: RandomSource;
  /** Position of the token after the root. */
  readonly position: number;
  readonly temperature: number;
}

/** Decides a draft. */
export const verifyDraft = (verification: Verification, step: VerificationStep): Verdict => {
  const { tree, rows, random, position, temperature } = step;
  if (temperature === 0 || verification === 'walk' || (verification === 'auto' && (tree.sampled?.size ?? 0) === 0)) {
    return walk(step);
  }
  if (typeof verification === 'object')
    return verifyTypical(tree, (row) => rows.logits(row), { ...verification, temperature });
  const target: TargetRow = (row) => rows.distribution(row, tokensTo(tree, row));
  const draws: VerifierDraws = {
    accept: (row) => random.accept(position - 1, row),
    next: (depth) => random.next(position + depth),
  };
  if (verification === 'rejection') return verifyByRejection(tree, target, draws);
  const allDrawn = (tree.sampled?.size ?? 0) === tree.tokens.length - 1;
  const asBlock = verification === 'block' || (verification === 'auto' && isChain(tree.parent) && allDrawn);
  return asBlock ? verifyByBlock(tree, target, draws) : verifyByTraversal(tree, target, draws);
};

const walk = ({ tree, rows, random }: VerificationStep): Verdict => {
  const tokens: number[] = [];
  return verifyByWalk(tree, (row) => {
    if (row > 0) tokens.push(tree.tokens[row]);
    return rows.choose(row, tokens, (position) => random.next(position));
  });
};

/** Tokens from below the root to a row. */
const tokensTo = ({ tokens, parent }: DraftTree, row: number): number[] => {
  const path: number[] = [];
  for (let node = row; node > 0; node = parent[node]) path.push(tokens[node]);
  return path.reverse();
};
