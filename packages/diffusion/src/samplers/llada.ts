/** LLaDA (arXiv 2502.09992): semi-autoregressive blocks, an even number of commits a step, surest or random first. */
import { dividedSizes, fixedBlocks, type ScheduleSizes } from '../blocks/planners.ts';
import { delayedCache } from '../cache/delayed-cache.ts';
import { commitBest } from '../commit/rules.ts';
import type { Sampler } from '../loop/sampler.ts';
import { noisyProposer } from '../propose/proposers.ts';
import { uniformQuota } from '../quota/schedules.ts';
import { confidence, randomScore } from '../score/scorers.ts';

export interface LladaOptions extends ScheduleSizes {
  /** Of the Gumbel noise. Default 0: greedy. */
  readonly temperature?: number;
  /** Which positions are decided first. Default `low_confidence`: those with the most probable proposals. */
  readonly remasking?: 'low_confidence' | 'random';
  /** Classifier-free guidance. Default 0: off. */
  readonly guidance?: number;
  /** Tokens that are never proposed, such as the end of text. */
  readonly forbidden?: readonly number[];
  /** Tokens that are decided last: end of text, end of turn. */
  readonly discounted?: { readonly endOfText: number; readonly endOfTurn: number };
  /** dKV-Cache: everything is computed anew every so many steps of a block. Default: no cache. */
  readonly refreshEvery?: number;
  /** Runs steps that decide nothing, and discounts the end of text at temperature 0 only. Default false. */
  readonly compatible?: boolean;
}

/**
 * Exact for `remasking: 'random'`, one token a step, temperature 1: the model's any-order law. Else approximate.
 *
 * @throws GallopError `invalid-argument` when blocks do not divide the length or the steps
 */
export const lladaSampler = (options: LladaOptions): Sampler => {
  const { blockLength, stepsPerBlock } = dividedSizes(options);
  const { temperature = 0, remasking = 'low_confidence', guidance = 0, compatible = false, discounted } = options;
  const { forbidden = [], refreshEvery } = options;
  const bothEnds = temperature === 0 || !compatible;
  const late = discounted ? [...(bothEnds ? [discounted.endOfText] : []), discounted.endOfTurn] : [];
  return {
    name: 'llada',
    proposer: noisyProposer({ temperature, forbidden, discounted: late }),
    scorer: remasking === 'random' ? randomScore : confidence,
    commit: commitBest,
    quota: uniformQuota(stepsPerBlock),
    blocks: fixedBlocks({ blockLength, stepsPerBlock }),
    ...(refreshEvery !== undefined && { cache: delayedCache({ refreshEvery }) }),
    ...{ guidance, compatible, idleSteps: compatible ? 'always' : 'never' },
  };
};
