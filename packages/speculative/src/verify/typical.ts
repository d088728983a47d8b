/**
 * Typical acceptance (Medusa, Cai et al. 2401.10774). Approximate: the output does not follow the target's distribution.
 * A child is acceptable when its probability p at temperature T is above a threshold that falls with the entropy H:
 *
 *   threshold = min(ε, δ · e^(−H)),   H = −Σ p · ln(p + 1e−5)
 *
 * The longest acceptable path wins, the one with the greatest Σ ln p among equals; the token behind it is the best one.
 */

import { requireArgument, softmax } from '@gallop/core';
import { type DraftTree, pathTo, treeDepths } from '../tree/draft-tree.ts';
import { largestIndex } from './distribution.ts';
import type { Verdict } from './verdict.ts';

export interface TypicalOptions {
  /** Above 0: at 0 verify greedily. */
  readonly temperature: number;
  /** ε. Default 0.09. */
  readonly posteriorThreshold?: number;
  /** δ. Default 0.3. */
  readonly posteriorAlpha?: number;
}

export interface TypicalVerdict extends Verdict {
  /** Entropy after each row in nats. [rows] */
  readonly entropy: Float64Array;
  /** What a child of each row must exceed. [rows] */
  readonly threshold: Float64Array;
}

/**
 * Verifies a tree by typical acceptance.
 *
 * @param logits after each row, unwarped [vocabSize]
 * @throws GallopError `invalid-argument` for a temperature that is not above 0
 */
export const verifyTypical = (
  { tokens, parent, auxiliary }: Pick<DraftTree, 'tokens' | 'parent' | 'auxiliary'>,
  logits: (row: number) => Float32Array,
  { temperature, posteriorThreshold = 0.09, posteriorAlpha = 0.3 }: TypicalOptions,
): TypicalVerdict => {
  requireArgument(temperature > 0 && Number.isFinite(temperature), () => {
    return `Expected a temperature above 0 for typical acceptance; received ${temperature}; verify greedily instead.`;
  });
  const rows = tokens.length;
  const entropy = new Float64Array(rows);
  const threshold = new Float64Array(rows);
  const score = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
  const probabilities: Float64Array[] = [];
  const depth = treeDepths(parent);
  let best = 0;
  for (let row = 0; row < rows; row++) {
    const p = softmax(logits(row).map((value) => value / temperature));
    probabilities.push(p);
    for (let i = 0; i < p.length; i++) entropy[row] -= p[i] * Math.log(p[i] + 1e-5);
    threshold[row] = Math.min(posteriorThreshold, posteriorAlpha * Math.exp(-entropy[row]));
    if (row === 0) score[row] = 0;
    else if (auxiliary?.[row] !== 1) {
      const above = probabilities[parent[row]][tokens[row]];
      if (above > threshold[parent[row]]) score[row] = score[parent[row]] + Math.log(above);
    }
    if (score[row] === Number.NEGATIVE_INFINITY) continue;
    if (depth[row] > depth[best] || (depth[row] === depth[best] && score[row] > score[best])) best = row;
  }
  return { path: pathTo(parent, best), next: largestIndex(logits(best)), entropy, threshold };
};
