/** How a token is proposed for a position, and which distribution its score is taken from. */
import { requireArgument } from '@gallop/core';
import { requireNumber, requireWhole } from '../loop/checks.ts';
import type { Proposal, Proposer } from '../loop/sampler.ts';
import { bestToken, keepTopK, keepTopP, probabilitiesOf, tokenAt } from './distribution.ts';

/** The token argmax(L + T·g), g = −ln(−ln u), without leaving the logarithmic domain. */
export const gumbelToken = (logits: ArrayLike<number>, uniforms: ArrayLike<number>, temperature: number): number => {
  let best = 0;
  let highest = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < logits.length; token++) {
    const value = logits[token] - temperature * Math.log(-Math.log(uniforms[token]));
    if (value > highest) [best, highest] = [token, value];
  }
  return best;
};

export interface NoisyOptions {
  /** Of the Gumbel noise; 0 takes the best token. Default 0. */
  readonly temperature?: number;
  /** Tokens that are never proposed. */
  readonly forbidden?: readonly number[];
  /** Tokens taken out of the distribution before scoring, after the proposal: they are decided last. */
  readonly discounted?: readonly number[];
}

/**
 * LLaDA's proposal: the best token under Gumbel noise; the score comes from the plain softmax at temperature 1.
 *
 * @throws GallopError `invalid-argument` for a negative or infinite temperature
 */
export const noisyProposer = (options: NoisyOptions = {}): Proposer => {
  const { temperature = 0, forbidden = [], discounted = [] } = options;
  requireNumber('temperature', temperature, 0);
  return (logits, { pass, position, row, random }) => {
    for (const token of forbidden) logits[token] = Number.NEGATIVE_INFINITY;
    let token: number;
    if (temperature === 0) token = bestToken(logits);
    else {
      const uniforms = random.noise?.(pass, position, row);
      if (uniforms) token = gumbelToken(logits, uniforms, temperature);
      else token = tokenAt(probabilitiesOf(logits, temperature), random.token(pass, position, row));
    }
    for (const other of discounted) logits[other] = Number.NEGATIVE_INFINITY;
    return { token, probabilities: probabilitiesOf(logits) };
  };
};

export interface FilteredOptions {
  /** Divides the logits; 0 takes the best token. Default 0. */
  readonly temperature?: number;
  /** Keeps the k best; absent = off. */
  readonly topK?: number;
  /** Keeps the best up to this probability; (0, 1]. Default 1: off. */
  readonly topP?: number;
  /** Whether top-p keeps the token that crosses p. Default `keep`. */
  readonly crossing?: 'keep' | 'drop';
  /** Which filter runs first. Default `top-p`. */
  readonly first?: 'top-p' | 'top-k';
  /** Which distribution is scored: after the filters, or tempered only. Default `filtered`. */
  readonly scored?: 'filtered' | 'tempered';
}

/**
 * Dream's and SDAR's proposal: temperature, top-p, top-k, softmax, then the best token or a draw by inverse CDF. The score
 * comes from that same distribution, or from the tempered one without filters.
 *
 * @throws GallopError `invalid-argument` for options out of range
 */
export const filteredProposer = (options: FilteredOptions = {}): Proposer => {
  const { temperature = 0 } = options;
  checkFilters(options);
  return (logits, { pass, position, row, random }): Proposal => {
    const tempered = probabilitiesOf(logits, temperature === 0 ? 1 : temperature);
    const filtered = filterProbabilities(tempered, options);
    const token = temperature === 0 ? bestToken(filtered) : tokenAt(filtered, random.token(pass, position, row));
    return { token, probabilities: options.scored === 'tempered' ? tempered : filtered };
  };
};

const checkFilters = ({ temperature = 0, topK = 1, topP = 1 }: FilteredOptions): void => {
  requireNumber('temperature', temperature, 0);
  requireWhole('topK', topK, 1);
  requireArgument(topP > 0 && topP <= 1, () => {
    return `Expected topP to be above 0 and at most 1; received ${topP}; correct it or leave it out.`;
  });
};

/** Applies top-k and top-p in the asked order. */
export const filterProbabilities = (probabilities: Float64Array, options: FilteredOptions): Float64Array => {
  const { topK, topP = 1, crossing = 'keep', first = 'top-p' } = options;
  const byMass = (row: Float64Array): Float64Array => (topP < 1 ? keepTopP(row, topP, crossing) : row);
  const byRank = (row: Float64Array): Float64Array => (topK === undefined ? row : keepTopK(row, topK));
  return first === 'top-p' ? byRank(byMass(probabilities)) : byMass(byRank(probabilities));
};

/**
 * Block diffusion's probabilities of tokens: the mask is never drawn, a known position copies its token, and the nucleus
 * drops the token that crosses p.
 *
 * @param known the token of the position, or the mask token
 */
export const substitutedProbabilities = (
  logits: ArrayLike<number>,
  known: number,
  maskToken: number,
  nucleusP: number,
): Float64Array => {
  if (known !== maskToken) return Float64Array.from({ length: logits.length }, (_, token) => Number(token === known));
  const masked = Float64Array.from(logits);
  masked[maskToken] = Number.NEGATIVE_INFINITY;
  const probabilities = probabilitiesOf(masked);
  return nucleusP < 1 ? keepTopP(probabilities, nucleusP, 'drop') : probabilities;
};
