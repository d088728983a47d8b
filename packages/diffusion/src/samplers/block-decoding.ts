/**
 * Samplers that differ from LLaDA's in which proposals a step keeps: Fast-dLLM's threshold and factor, LocalLeap, AdaBlock,
 * dParallel. All run block by block, with or without Fast-dLLM's caches.
 */
import { type AdaBlockOptions, adaBlocks } from '../blocks/ada-block.ts';
import { dividedSizes, fixedBlocks, type ScheduleSizes } from '../blocks/planners.ts';
import { type BlockCacheOptions, dualCache, prefixCache } from '../cache/block-cache.ts';
import { noCache } from '../cache/no-cache.ts';
import { commitCertain } from '../commit/entropy-threshold.ts';
import { commitAroundAnchors, type LocalLeapOptions } from '../commit/local-leap.ts';
import { commitAbove, commitBest, commitByFactor } from '../commit/rules.ts';
import { requireThreshold } from '../loop/checks.ts';
import type { CachePolicy, Sampler } from '../loop/sampler.ts';
import { noisyProposer } from '../propose/proposers.ts';
import { uniformQuota } from '../quota/schedules.ts';
import { confidence, fineNegativeEntropy } from '../score/scorers.ts';
import { stopAfterBlock } from '../stop/stoppers.ts';

export type CacheName = 'none' | 'prefix' | 'dual';

/** What these samplers share. */
export interface BlockDecodingOptions extends ScheduleSizes {
  /** Of the Gumbel noise. Default 0: greedy. */
  readonly temperature?: number;
  /** Default `none`. */
  readonly cache?: CacheName;
  /** Does as the published loops. Default false. */
  readonly compatible?: boolean;
}

/** A cache policy by its name. */
export const cacheByName = (name: CacheName = 'none', options: BlockCacheOptions = {}): CachePolicy => {
  if (name === 'none') return noCache();
  return name === 'prefix' ? prefixCache(options) : dualCache(options);
};

/** The parts in which these samplers agree. */
const base = (options: BlockDecodingOptions): Omit<Sampler, 'name' | 'commit'> => {
  const { blockLength, stepsPerBlock } = dividedSizes(options);
  const { temperature = 0, cache, compatible = false } = options;
  return {
    proposer: noisyProposer({ temperature }),
    scorer: confidence,
    blocks: fixedBlocks({ blockLength, stepsPerBlock }),
    cache: cacheByName(cache, { compatible }),
    ...{ compatible, idleSteps: compatible ? 'unfilled' : 'never' },
  };
};

export interface FastDllmOptions extends BlockDecodingOptions {
  /** Score from which a proposal is kept; null: the even schedule of `steps`. Default 0.9. */
  readonly threshold?: number | null;
  /** Fast-dLLM's factor rule in place of the threshold. */
  readonly factor?: number;
}

/** Fast-dLLM (arXiv 2505.22618). Approximate. @throws GallopError `invalid-argument` for options out of range */
export const fastDllmSampler = (options: FastDllmOptions): Sampler => {
  const { threshold = 0.9, factor, compatible } = options;
  const shared = base(options);
  if (factor !== undefined) {
    return { ...shared, name: 'fast-dllm', commit: commitByFactor({ factor, ...(compatible && { compatible }) }) };
  }
  if (threshold !== null) {
    requireThreshold('threshold', threshold);
    return { ...shared, name: 'fast-dllm', commit: commitAbove(threshold) };
  }
  return { ...shared, name: 'fast-dllm', commit: commitBest, quota: uniformQuota(dividedSizes(options).stepsPerBlock) };
};

export interface LocalLeapSamplerOptions extends BlockDecodingOptions, LocalLeapOptions {
  /** Tokens that end a text: once a finished block holds one, everything behind it becomes `fill`. Default: no early stop. */
  readonly earlyStop?: { readonly endTokens: ReadonlySet<number>; readonly fill: number };
}

/** LocalLeap (arXiv 2510.07081). Approximate. @throws GallopError `invalid-argument` for options out of range */
export const localLeapSampler = (options: LocalLeapSamplerOptions): Sampler => {
  const cache = cacheByName(options.cache, { compatible: options.compatible === true, minimumCalls: 1 });
  const { earlyStop } = options;
  return {
    ...{ ...base(options), name: 'localleap', cache, commit: commitAroundAnchors(options) },
    ...(earlyStop && { stopper: stopAfterBlock(earlyStop) }),
  };
};

export interface AdaBlockSamplerOptions extends AdaBlockOptions {
  /** Score from which a proposal is kept. Default 0.9. */
  readonly threshold?: number;
  /** Of the Gumbel noise. Default 0: greedy. */
  readonly temperature?: number;
  /** Default `none`. */
  readonly cache?: CacheName;
  /** Does as the published loops. Default false. */
  readonly compatible?: boolean;
}

/** AdaBlock (arXiv 2509.26432) over threshold decoding. Approximate. @throws GallopError `invalid-argument` */
export const adaBlockSampler = (options: AdaBlockSamplerOptions): Sampler => {
  const { threshold = 0.9, temperature = 0, cache, compatible = false } = options;
  requireThreshold('threshold', threshold);
  return {
    name: 'adablock',
    proposer: noisyProposer({ temperature }),
    scorer: confidence,
    commit: commitAbove(threshold),
    blocks: adaBlocks(options),
    cache: cacheByName(cache, { compatible, minimumCalls: 1 }),
    compatible,
  };
};

export interface DParallelOptions extends BlockDecodingOptions {
  /** Entropy in nats up to which a proposal is kept; null: the even schedule of `steps`. Default 0.5. */
  readonly entropyThreshold?: number | null;
}

/**
 * dParallel's decoding (arXiv 2509.26488). Approximate; meant for a model distilled to be certain early. On the even schedule
 * the surest come first; published cached loops rank by entropy instead (`compatible`).
 *
 * @throws GallopError `invalid-argument` for options out of range
 */
export const dParallelSampler = (options: DParallelOptions): Sampler => {
  const { entropyThreshold = 0.5, compatible, cache = 'none' } = options;
  const shared = { ...base(options), name: 'dparallel' };
  if (entropyThreshold !== null) {
    return { ...shared, scorer: fineNegativeEntropy, commit: commitCertain(entropyThreshold) };
  }
  const scorer = compatible && cache !== 'none' ? fineNegativeEntropy : confidence;
  return { ...shared, scorer, commit: commitBest, quota: uniformQuota(dividedSizes(options).stepsPerBlock) };
};
