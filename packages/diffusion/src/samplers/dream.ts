/**
 * Dream (arXiv 2508.15487) and DiffuCoder: a grid of times says how many tokens a step decides, one of four scorings says
 * which. Rows of these models predict the next position, which the cache policies account for.
 */
import { dividedSizes, fixedBlocks, type ScheduleSizes } from '../blocks/planners.ts';
import { commitAbove, commitBest, commitByFactor, commitDrawn, commitIndependently } from '../commit/rules.ts';
import { requireThreshold } from '../loop/checks.ts';
import type { CommitPolicy, QuotaSchedule, Sampler } from '../loop/sampler.ts';
import { filteredProposer } from '../propose/proposers.ts';
import { type TimeGridOptions, timeGridCount, timeGridQuota, timeGridShare } from '../quota/schedules.ts';
import { confidence, negativeEntropy, scorers } from '../score/scorers.ts';
import { type CacheName, cacheByName } from './block-decoding.ts';

export interface DreamOptions extends ScheduleSizes {
  /** Which positions are decided first; `origin`: each on its own. Default `entropy`. */
  readonly algorithm?: 'origin' | 'maskgit_plus' | 'topk_margin' | 'entropy' | 'random';
  /** Default 0: greedy. */
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  /** Draws the positions from softmax(score / algTemp) in place of taking the best. Default: off. */
  readonly algTemp?: number;
  /** Last point of the grid of times. Default 0.001. */
  readonly eps?: number;
  /** Keeps scores from here on in place of the grid; those of `entropy` are negative. */
  readonly threshold?: number;
  /** Fast-dLLM's factor rule in place of the grid. */
  readonly factor?: number;
  /** Runs steps that decide nothing, and the factor rule's exception at the last candidate. Default false. */
  readonly compatible?: boolean;
}

/**
 * Dream's sampler, in one block or several.
 *
 * @throws GallopError `invalid-argument` for options out of range, blocks that do not divide the length
 */
export const dreamSampler = (options: DreamOptions): Sampler => {
  const { algorithm = 'entropy', compatible = false, threshold, factor } = options;
  const untilFull = threshold !== undefined || factor !== undefined;
  const { steps = options.length } = untilFull ? { steps: options.length } : options;
  const { blockLength, stepsPerBlock } = dividedSizes({ ...options, steps });
  const grid: TimeGridOptions = { steps: stepsPerBlock, ...(options.eps !== undefined && { eps: options.eps }) };
  const whole = blockLength === options.length && !untilFull;
  return {
    name: 'dream',
    proposer: filteredProposer(options),
    scorer: algorithm === 'origin' ? confidence : scorers[algorithm],
    commit: commitRule(options, grid),
    ...(!untilFull && { quota: timeGridQuota(grid) }),
    blocks: fixedBlocks({ blockLength, stepsPerBlock }),
    ...{
      compatible,
      idleSteps: compatible ? (whole ? 'always' : 'unfilled') : algorithm === 'origin' ? 'unfilled' : 'never',
    },
  };
};

const commitRule = (options: DreamOptions, grid: TimeGridOptions): CommitPolicy => {
  const { algorithm = 'entropy', algTemp, threshold, factor, compatible = false } = options;
  if (threshold !== undefined) {
    if (algorithm !== 'entropy') requireThreshold('threshold', threshold); // entropies are negative scores
    return commitAbove(threshold);
  }
  if (factor !== undefined) return commitByFactor({ factor, compatible });
  if (algorithm === 'origin') return commitIndependently(({ call }) => timeGridShare(call, grid));
  return algTemp ? commitDrawn(algTemp) : commitBest;
};

export interface CachedDreamOptions extends ScheduleSizes {
  readonly cache: Exclude<CacheName, 'none'>;
  /** Top probability from which a proposal is kept; null: the grid of times, ranked by entropy. Default 0.9. */
  readonly threshold?: number | null;
  readonly eps?: number;
  readonly topP?: number;
  readonly topK?: number;
  /**
   * Published code cannot predict the first row of a block from the block's rows, so that the full pass decides it, whatever
   * its confidence, and nothing else. By default the row before the block is fed along and no such rule is needed.
   */
  readonly compatible?: boolean;
}

/** Fast-dLLM's cached loop for Dream. Approximate. @throws GallopError `invalid-argument` for options out of range */
export const cachedDreamSampler = (options: CachedDreamOptions): Sampler => {
  const { cache, threshold = 0.9, compatible = false, eps } = options;
  const { blockLength, stepsPerBlock } = dividedSizes(options);
  const grid: TimeGridOptions = { steps: stepsPerBlock, ...(eps !== undefined && { eps }) };
  if (threshold !== null) requireThreshold('threshold', threshold);
  const rule = threshold === null ? commitBest : commitAbove(threshold);
  const schedule = compatible ? laterSteps(grid) : timeGridQuota(grid);
  return {
    name: 'dream-cached',
    proposer: filteredProposer({ ...options, temperature: 0 }),
    scorer: threshold === null ? negativeEntropy : confidence,
    commit: compatible ? firstThen(rule) : rule,
    ...(threshold === null && { quota: schedule }),
    blocks: fixedBlocks({ blockLength, stepsPerBlock }),
    cache: cacheByName(cache, { compatible }),
    ...{ compatible, idleSteps: compatible ? 'unfilled' : 'never' },
  };
};

/** The block's first position after the full pass, then a rule. */
const firstThen =
  (rule: CommitPolicy): CommitPolicy =>
  (step) =>
    step.call === 0 ? Array.from(step.positions).filter((position) => position === step.block.start) : rule(step);

/** The grid from its second interval on: the full pass stands for the first. */
const laterSteps = (grid: TimeGridOptions): QuotaSchedule => {
  const passes = Math.max(2, grid.steps);
  const count = (call: number, masked: number): number => (call >= grid.steps ? 0 : timeGridCount(call, masked, grid));
  return () => ({ passes, count });
};
