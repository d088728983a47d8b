/** Models that are causal across blocks: SDAR (arXiv 2510.06303) and block diffusion (BD3-LM, arXiv 2503.09573). */
import { fixedBlocks } from '../blocks/planners.ts';
import { exactBlockCache } from '../cache/exact-cache.ts';
import { commitFirstHit } from '../commit/first-hitting.ts';
import { commitAboveOrBest, commitBest, commitLeftmost, commitWithinEntropy } from '../commit/rules.ts';
import { requireWhole } from '../loop/checks.ts';
import type { CommitPolicy, QuotaSchedule, Sampler } from '../loop/sampler.ts';
import { entropyInNats } from '../propose/distribution.ts';
import { filteredProposer } from '../propose/proposers.ts';
import { uniformCounts } from '../quota/schedules.ts';
import { confidence } from '../score/scorers.ts';
import { stopAfterBlock } from '../stop/stoppers.ts';

export interface SdarOptions {
  /** K. Default 4. */
  readonly blockLength?: number;
  /** Denoising steps of a block, from 1 to K. Default: K. */
  readonly steps?: number;
  /** Default `low_confidence_dynamic`. */
  readonly strategy?: 'sequential' | 'low_confidence_static' | 'low_confidence_dynamic' | 'entropy_bounded';
  /** θ of the dynamic strategy. Default 0.85; from 1 on it equals the static one. */
  readonly threshold?: number;
  /** γ of the entropy-bounded strategy in nats. Default 0.35. */
  readonly entropyBound?: number;
  /** Default 1; 0 is greedy. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  /** Whether the confidence is that of the filtered distribution, as in the published script. Default `unfiltered`. */
  readonly confidenceSource?: 'filtered' | 'unfiltered';
  /** Tokens after whose block no further one is run. */
  readonly endTokens?: ReadonlySet<number>;
  /** The mask token may be proposed, and masks stay behind a stop. Default false. */
  readonly compatible?: boolean;
}

/**
 * SDAR's block-wise decoding: exact cache of finished blocks, one clean pass a block to store it. Approximate; with blocks of
 * one token it is autoregressive decoding.
 *
 * @throws GallopError `invalid-argument` for options out of range
 */
export const sdarSampler = (options: SdarOptions = {}): Sampler => {
  const { blockLength = 4, steps = blockLength, strategy = 'low_confidence_dynamic', temperature = 1 } = options;
  const { topK, topP, confidenceSource = 'unfiltered', endTokens, compatible = false } = options;
  requireWhole('blockLength', blockLength, 1);
  requireWhole('steps', steps, 1, blockLength);
  const bounded = strategy === 'entropy_bounded';
  const scored = bounded || confidenceSource === 'unfiltered' ? 'tempered' : 'filtered';
  const filters = { ...(topK !== undefined && { topK }), ...(topP !== undefined && { topP }) };
  return {
    name: 'sdar',
    proposer: filteredProposer({ temperature, ...filters, first: 'top-k', scored }),
    scorer: bounded ? ({ probabilities }) => -entropyInNats(probabilities) : confidence,
    commit: strategyRule(strategy, options),
    quota: blockQuota(blockLength, steps),
    blocks: fixedBlocks({ blockLength, aligned: true, stepsPerBlock: steps }),
    cache: exactBlockCache({ blockLength }),
    ...(endTokens && { stopper: stopAfterBlock({ endTokens, scope: 'generated' }) }),
    ...{ lengthMultiple: blockLength, compatible, idleSteps: 'unfilled' },
  };
};

const strategyRule = (strategy: SdarOptions['strategy'], options: SdarOptions): CommitPolicy => {
  if (strategy === 'sequential') return commitLeftmost;
  if (strategy === 'low_confidence_static') return commitBest;
  if (strategy === 'entropy_bounded') return commitWithinEntropy(options.entropyBound ?? 0.35);
  return commitAboveOrBest(options.threshold ?? 0.85);
};

/** A whole block's positions shared evenly over its steps, however many of them a prompt has given. */
const blockQuota = (blockLength: number, steps: number): QuotaSchedule => {
  const counts = uniformCounts(blockLength, steps);
  return () => ({ passes: steps, count: (call, left) => Math.min(left, call < steps ? counts[call] : left) });
};

export interface FirstHittingOptions {
  readonly blockLength: number;
  /** Nucleus of the token draw; the token that crosses it goes. Default 0.9. */
  readonly nucleusP?: number;
  readonly endTokens?: ReadonlySet<number>;
}

/**
 * Block diffusion with the first-hitting sampler: one uniformly chosen position a step, its token drawn from the nucleus.
 * Exact for the block-wise any-order law with `nucleusP: 1`.
 *
 * @throws GallopError `invalid-argument` for options out of range
 */
export const firstHittingSampler = ({ blockLength, nucleusP = 0.9, endTokens }: FirstHittingOptions): Sampler => ({
  name: 'first-hitting',
  proposer: filteredProposer({ temperature: 1, topP: nucleusP, crossing: 'drop' }),
  scorer: confidence,
  commit: commitFirstHit,
  blocks: fixedBlocks({ blockLength, aligned: true }),
  cache: exactBlockCache({ blockLength }),
  lengthMultiple: blockLength,
  ...(endTokens && { stopper: stopAfterBlock({ endTokens, scope: 'generated' }) }),
});
