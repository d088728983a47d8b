/** Learn2PD and end-of-text prediction (arXiv 2509.25188), alone and together. */
import { dividedSizes, fixedBlocks, type ScheduleSizes } from '../blocks/planners.ts';
import { commitFiltered, type LearnedFilterOptions } from '../commit/learned-filter.ts';
import { commitBest } from '../commit/rules.ts';
import type { Sampler } from '../loop/sampler.ts';
import { noisyProposer } from '../propose/proposers.ts';
import { uniformQuota } from '../quota/schedules.ts';
import { confidence } from '../score/scorers.ts';
import { endOfTextPrediction } from '../stop/stoppers.ts';
import { type CacheName, cacheByName } from './block-decoding.ts';

export interface Learn2pdOptions extends ScheduleSizes {
  /** The trained filter; absent: the even schedule alone. */
  readonly filter?: LearnedFilterOptions['filter'];
  /** τ. Default 0.96. */
  readonly threshold?: number;
  /** Cuts the canvas behind this token where it is predicted; absent: off. */
  readonly endOfText?: number;
  /** Confidence that a predicted end needs. Default 0, as published. */
  readonly minimumConfidence?: number;
  /** Default 0: greedy. */
  readonly temperature?: number;
  readonly cache?: CacheName;
  readonly compatible?: boolean;
}

/** Approximate. @throws GallopError `invalid-argument` for options out of range, a filter of another block size */
export const learn2pdSampler = (options: Learn2pdOptions): Sampler => {
  const { filter, threshold = 0.96, endOfText, temperature = 0, cache = 'none', compatible = false } = options;
  const { blockLength, stepsPerBlock } = dividedSizes(options);
  const looksAhead = endOfText !== undefined && cache === 'none';
  const { minimumConfidence = 0 } = options;
  const scope = looksAhead ? 'canvas' : 'block';
  const wholeSchedule = compatible && filter === undefined && cache === 'none';
  return {
    name: 'learn2pd',
    proposer: noisyProposer({ temperature }),
    scorer: confidence,
    commit: filter ? commitFiltered({ filter, threshold }) : commitBest,
    quota: uniformQuota(stepsPerBlock),
    blocks: fixedBlocks({ blockLength, stepsPerBlock }),
    cache: cacheByName(cache, { compatible, minimumCalls: 1 }),
    reads: looksAhead ? 'canvas' : 'block',
    ...(endOfText !== undefined && {
      stopper: endOfTextPrediction({
        endOfText,
        scope,
        minimumConfidence,
        ...(filter && { filter: { filter, threshold } }),
      }),
    }),
    ...{ compatible, idleSteps: wholeSchedule ? 'while-masked' : compatible ? 'unfilled' : 'never' },
  };
};
