/**
 * Token Recycling (Luo et al., 2408.08696): candidates that the target computed anyway, for accepted and for rejected
 * tokens, are kept by token; the next draft is read off that matrix along a fixed tree. Lossless under any exact verifier:
 * the matrix can only change the speed.
 *
 *   token(node) = M[token(parent)][rank(node)];   after a step M[token(node)] ← best k ids after node, in node order
 */

import { requireArgument } from '@gallop/core';
import type { DraftContext, Drafter, DraftObservation } from '../loop/drafter.ts';
import type { DraftTree } from '../tree/draft-tree.ts';
import type { TreeTemplate } from '../tree/static-tree.ts';
import type { RecyclingMatrix } from './recycling-matrix.ts';
import { recyclingTemplate } from './recycling-template.ts';

/**
 * Reads a draft off a matrix.
 *
 * @param unknown what stands for the successors of unknown tokens: nothing (their rows are left out), or token 0, as the
 *   published code does
 * @param budget most rows besides the root; the first of the template are kept
 */
export const recycledTree = (
  template: TreeTemplate,
  matrix: RecyclingMatrix,
  root: number,
  unknown: 'omit' | 'zeros' = 'omit',
  budget: number = Number.POSITIVE_INFINITY,
): DraftTree => {
  const tokens = [root];
  const parent = [-1];
  const rowOf = new Int32Array(template.parent.length).fill(-1);
  rowOf[0] = 0;
  for (let node = 1; node < rowOf.length && tokens.length <= budget; node++) {
    const above = rowOf[template.parent[node]];
    if (above < 0 || template.rank[node] >= matrix.topK) continue;
    const place = matrix.row(tokens[above]);
    if (place < 0 && unknown === 'omit') continue;
    rowOf[node] = tokens.push(place < 0 ? 0 : matrix.at(place + template.rank[node])) - 1;
    parent.push(above);
  }
  return { tokens: Int32Array.from(tokens), parent: Int32Array.from(parent) };
};

/**
 * Stores the best ids after every row of a tree; a token that stands in several rows keeps those of its last row.
 *
 * @param topTokens [rows × stride], best first
 */
export const recycle = (
  matrix: RecyclingMatrix,
  tokens: ArrayLike<number>,
  topTokens: Int32Array,
  stride: number,
): void => {
  for (let row = 0; row < tokens.length; row++) matrix.set(tokens[row], topTokens, row * stride);
};

export interface TokenRecyclingOptions {
  /** Shared between requests, and between drafters if wanted. */
  readonly matrix: RecyclingMatrix;
  /** Default 2.2.2, of 80 nodes; where a pass over many rows is dear, a smaller one pays better. */
  readonly template?: TreeTemplate;
  readonly unknown?: 'omit' | 'zeros';
}

/** A drafter by Token Recycling. */
export const tokenRecyclingDrafter = (options: TokenRecyclingOptions): Drafter => {
  const { matrix, template = recyclingTemplate(), unknown = 'omit' } = options;
  requireArgument(unknown === 'omit' || template.rank.every((rank) => rank < matrix.topK), () => {
    return `Expected a template of ranks below ${matrix.topK}; received a higher one; keep more candidates in the matrix.`;
  });
  return {
    name: 'recycling',
    topK: matrix.topK,
    propose: ({ tokens, budget }: DraftContext) =>
      recycledTree(template, matrix, tokens[tokens.length - 1], unknown, budget),
    observe: ({ tree, topTokens, topK }: DraftObservation) => recycle(matrix, tree.tokens, topTokens, topK),
    reset: (scope) => {
      if (scope === 'all') matrix.clear();
    },
    bytes: () => matrix.bytes(),
  };
};
