/** How sure a proposal is. Larger is surer in every rule, so that entropies are negative. */
import { requireArgument } from '@gallop/core';
import type { Proposal, RowContext, Scorer } from '../loop/sampler.ts';
import { entropyInNats } from '../propose/distribution.ts';

/** Probability of the proposed token. */
export const confidence: Scorer = ({ token, probabilities }) => probabilities[token];

/** Lead of the best token over the second. */
export const margin: Scorer = ({ probabilities }) => {
  let [best, second] = [0, 0];
  for (const value of probabilities) {
    if (value > best) [best, second] = [value, best];
    else if (value > second) second = value;
  }
  return best - second;
};

/** Σ p ln(p + 10⁻¹⁰), Dream's floor inside the logarithm. */
export const negativeEntropy: Scorer = ({ probabilities }) => -entropyInNats(probabilities, 1e-10);

/** Σ p ln(p + 10⁻¹²), dParallel's floor. */
export const fineNegativeEntropy: Scorer = ({ probabilities }) => -entropyInNats(probabilities, 1e-12);

/** A uniform draw: positions are decided in random order. */
export const randomScore: Scorer = (_, { pass, position, random }) => random.commit(pass, position);

/** A score by its published name. */
export const scorers: Readonly<Record<'maskgit_plus' | 'topk_margin' | 'entropy' | 'random', Scorer>> = {
  maskgit_plus: confidence,
  topk_margin: margin,
  entropy: negativeEntropy,
  random: randomScore,
};

export interface EndPenaltyOptions {
  /** Tokens that end a text. */
  readonly endTokens: ReadonlySet<number>;
  /** Steps of the whole schedule. */
  readonly steps: number;
  /** How the factor grows: linearly over the steps, or with the share of ascending commits. */
  readonly schedule: 'linear' | 'ass';
  /** Factor at the first step. Default 0.4 (linear), 0.01 (ass). */
  readonly minimum?: number;
  /** Factor at the last step. Default 1. */
  readonly maximum?: number;
  /** Which step number counts: that of the whole schedule (default), or that of the block, as in published code. */
  readonly stepIndex?: 'global' | 'withinBlock';
}

/**
 * EOSER's factor on the confidence of end tokens at a step:
 * min + (max − min)·r, r = i/(S − 1) or (2^(i+1) − 1)/2^S.
 */
export const endPenaltyFactor = (step: number, options: Omit<EndPenaltyOptions, 'endTokens'>): number => {
  const { steps, schedule, maximum = 1 } = options;
  const minimum = options.minimum ?? (schedule === 'linear' ? 0.4 : 0.01);
  if (steps <= 1) return maximum;
  const at = Math.min(Math.max(step, 0), steps - 1);
  const share = schedule === 'linear' ? at / (steps - 1) : (2 ** (at + 1) - 1) / 2 ** steps;
  return minimum + (maximum - minimum) * share;
};

/**
 * EOSER: end tokens are made to look unsure at first, so that the text is written before it is ended. They are delayed,
 * never banned.
 *
 * @param scorer what is scaled. Default `confidence`
 */
export const endPenalty = (options: EndPenaltyOptions, scorer: Scorer = confidence): Scorer => {
  requireArgument(Number.isSafeInteger(options.steps) && options.steps >= 1, () => {
    return `Expected steps to be a whole number from 1; received ${options.steps}; correct it.`;
  });
  return (proposal: Proposal, context: RowContext) => {
    const score = scorer(proposal, context);
    if (!options.endTokens.has(proposal.token)) return score;
    const first = options.stepIndex === 'withinBlock' ? 0 : context.block.firstStep;
    return score * endPenaltyFactor(first + context.call, options);
  };
};
