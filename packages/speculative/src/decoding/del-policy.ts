/**
 * DEL (Entezari Zarch et al., 2504.05598): which layer to exit at, and how many tokens to draft, from how often each layer's
 * own prediction agreed with the last layer's. Per layer ℓ, decayed by ω a round: matches m, mismatches u, sums of the
 * layer's confidence c⁺ and c⁻ over them.
 *
 *   α_ℓ = m / (m + u),   tokensPerLayer(ℓ, d) = (1 − α^(d+1)) / (1 − α) / (d · ℓ + L),   τ_ℓ = (c⁺/m + c⁻/u) / 2
 */

import { requireArgument } from '@gallop/core';

/** Tokens drafted at most in a round, and depths compared. */
export const MAXIMUM_DRAFTS = 18;

/** What one round showed: columns are positions, those of the prompt first. */
export interface ShadowRound {
  /** Best token of every layer at every position, the last layer's (the target's) last. [layers][positions] */
  readonly tokens: readonly ArrayLike<number>[];
  /** Probability of that token at temperature 1, without the last layer. [layers − 1][positions] */
  readonly confidence: readonly ArrayLike<number>[];
  /** Layer that the drafts came from, 1-based. */
  readonly exitLayer: number;
  /** Leading positions that always count. */
  readonly contextLength: number;
  /** Drafts that the selection asked for; at 0 the published code counts all positions. */
  readonly plannedDrafts: number;
}

export interface ExitChoice {
  /** 1-based. */
  readonly exitLayer: number;
  readonly drafts: number;
  /** [layers − 1] */
  readonly acceptance: Float64Array;
  /** [layers − 1][maximumDrafts] */
  readonly tokensPerLayer: readonly Float64Array[];
}

export class ExitStatistics {
  readonly layers: number;
  readonly #decay: number;
  /** (match, mismatch) of each exit layer. [layers − 1 × 2] */
  readonly matchCounts: Float64Array;
  /** Confidence sums of the same. [layers − 1 × 2] */
  readonly confidenceSums: Float64Array;

  /** @param decay ω. Default 0.95 */
  constructor(layers: number, decay: number = 0.95) {
    requireArgument(Number.isSafeInteger(layers) && layers >= 2, () => {
      return `Expected a network of at least 2 layers; received ${layers}; there is no layer to exit at.`;
    });
    this.layers = layers;
    this.#decay = decay;
    this.matchCounts = new Float64Array((layers - 1) * 2);
    this.confidenceSums = new Float64Array((layers - 1) * 2);
  }

  /** Takes a round in. Positions behind the exit layer's first mismatch were fed a wrong token and do not count. */
  update({ tokens, confidence, exitLayer, contextLength, plannedDrafts }: ShadowRound): void {
    const target = tokens[this.layers - 1];
    let end = target.length;
    for (let t = contextLength; t < end && plannedDrafts > 0; t++) {
      if (tokens[exitLayer - 1][t] !== target[t]) end = t + 1;
    }
    for (let layer = 0; layer < this.layers - 1; layer++) {
      for (const at of [2 * layer, 2 * layer + 1]) {
        this.matchCounts[at] *= this.#decay;
        this.confidenceSums[at] *= this.#decay;
      }
      for (let t = 0; t < end; t++) {
        const at = 2 * layer + (tokens[layer][t] === target[t] ? 0 : 1);
        this.matchCounts[at]++;
        this.confidenceSums[at] += confidence[layer][t];
      }
    }
  }

  /** Confidence below which drafting at a layer (1-based) stops: 0, so never, while it has no match or no mismatch. */
  threshold(layer: number): number {
    const [match, mismatch] = this.matchCounts.subarray(2 * layer - 2, 2 * layer);
    if (match === 0 || mismatch === 0) return 0;
    return (this.confidenceSums[2 * layer - 2] / match + this.confidenceSums[2 * layer - 1] / mismatch) / 2;
  }

  select(options: { readonly maximumDrafts?: number; readonly minimumDrafts?: number } = {}): ExitChoice {
    return selectExit(this.matchCounts, this.layers, options);
  }
}

/** The layer and number of drafts with most tokens a layer, the first among equals. Layers without data are left out. */
export const selectExit = (
  matchCounts: ArrayLike<number>,
  layers: number,
  {
    maximumDrafts = MAXIMUM_DRAFTS,
    minimumDrafts = 0,
  }: { readonly maximumDrafts?: number; readonly minimumDrafts?: number } = {},
): ExitChoice => {
  const acceptance = new Float64Array(layers - 1);
  const tokensPerLayer: Float64Array[] = [];
  let best = Number.NEGATIVE_INFINITY;
  let [exitLayer, drafts] = [1, minimumDrafts];
  for (let layer = 1; layer < layers; layer++) {
    const match = matchCounts[2 * layer - 2];
    const alpha = match / (match + matchCounts[2 * layer - 1]);
    acceptance[layer - 1] = alpha;
    const row = new Float64Array(maximumDrafts);
    tokensPerLayer.push(row);
    let expected = 1;
    for (let d = 0; d < maximumDrafts; d++) {
      row[d] = expected / (d * layer + layers);
      expected = 1 + alpha * expected;
      if (d >= minimumDrafts && row[d] > best) {
        best = row[d];
        exitLayer = layer;
        drafts = d;
      }
    }
  }
  return { exitLayer, drafts, acceptance, tokensPerLayer };
};
