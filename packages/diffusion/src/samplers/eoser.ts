/** EOSER and ascending step sizes (arXiv 2509.23924), alone and together. */
import { ascendingBlocks, ascendingPlan, ascendingQuota } from '../blocks/ascending.ts';
import type { ScheduleSizes } from '../blocks/planners.ts';
import { commitBest } from '../commit/rules.ts';
import type { Sampler } from '../loop/sampler.ts';
import { noisyProposer } from '../propose/proposers.ts';
import { confidence, type EndPenaltyOptions, endPenalty } from '../score/scorers.ts';
import { lladaSampler } from './llada.ts';

export interface EoserOptions
  extends ScheduleSizes,
    Pick<EndPenaltyOptions, 'endTokens' | 'minimum' | 'maximum' | 'stepIndex'> {
  /** Default 0: greedy. */
  readonly temperature?: number;
  readonly guidance?: number;
  readonly compatible?: boolean;
}

/** LLaDA's loop with end tokens delayed. Approximate. @throws GallopError `invalid-argument` as `lladaSampler` */
export const eoserSampler = (options: EoserOptions): Sampler => {
  const { length, steps = length } = options;
  const scorer = endPenalty({ ...options, steps, schedule: 'linear' });
  return { ...lladaSampler(options), name: 'eoser', scorer };
};

export interface AscendingOptions {
  /** Positions to generate, from 2. */
  readonly length: number;
  /** From 1 to ⌊log₂ length⌋. Default 1. */
  readonly blocks?: number;
  /** Where given, must be ⌊log₂ length⌋. */
  readonly steps?: number;
  /** Default 0: greedy. */
  readonly temperature?: number;
  readonly guidance?: number;
  /** Delays end tokens too. */
  readonly endPenalty?: Pick<EndPenaltyOptions, 'endTokens' | 'minimum' | 'maximum'> & {
    readonly schedule?: EndPenaltyOptions['schedule'];
  };
  readonly compatible?: boolean;
}

/** Twice as many tokens in every step. Approximate. @throws GallopError `invalid-argument` as `ascendingPlan` */
export const ascendingSampler = (options: AscendingOptions): Sampler => {
  const { length, blocks = 1, steps, temperature = 0, guidance = 0, compatible = false } = options;
  const plan = ascendingPlan(length, blocks, steps);
  const penalty = options.endPenalty;
  return {
    name: 'ascending',
    proposer: noisyProposer({ temperature }),
    scorer: penalty ? endPenalty({ schedule: 'ass', ...penalty, steps: plan.quota.length }) : confidence,
    commit: commitBest,
    quota: ascendingQuota(plan),
    blocks: ascendingBlocks(plan),
    ...{ guidance, compatible, idleSteps: compatible ? 'always' : 'never' },
  };
};
