export {
  type AdaBlockOptions,
  adaBlockLength,
  adaBlocks,
  type PlannedRow,
} from './blocks/ada-block.ts';
export { type AscendingPlan, ascendingBlocks, ascendingPlan, ascendingQuota } from './blocks/ascending.ts';
export {
  dividedSizes,
  type FixedBlocksOptions,
  fixedBlocks,
  oneBlock,
  type ScheduleSizes,
} from './blocks/planners.ts';
export { type BlockCacheOptions, dualCache, prefixCache } from './cache/block-cache.ts';
export { type DelayedCacheOptions, delayedCache } from './cache/delayed-cache.ts';
export { blockCausalLogits, blockCausalMask, type ExactCacheOptions, exactBlockCache } from './cache/exact-cache.ts';
export { guide, noCache } from './cache/no-cache.ts';
export { commitCertain } from './commit/entropy-threshold.ts';
export { commitFirstHit, firstHit, type HittingDraws, type HittingOptions, nextHit } from './commit/first-hitting.ts';
export {
  acceptedByFilter,
  commitFiltered,
  type FilterWeights,
  filterLogits,
  type LearnedFilterOptions,
} from './commit/learned-filter.ts';
export { commitAroundAnchors, type LocalLeapOptions } from './commit/local-leap.ts';
export {
  commitAbove,
  commitAboveOrBest,
  commitBest,
  commitByFactor,
  commitDrawn,
  commitIndependently,
  commitLeftmost,
  commitWithinEntropy,
  type FactorOptions,
} from './commit/rules.ts';
export { type DiffuseInput, type DiffuseOptions, diffuse } from './loop/diffuse.ts';
export { canvasOf, continuePrompt, finish, infill, type Segments } from './loop/generate.ts';
export { type DiffusionRandom, keyedDiffusionRandom, type SeedOptions } from './loop/random-source.ts';
export type {
  Block,
  BlockPlanner,
  BlockQuota,
  CacheHost,
  CachePolicy,
  CacheRun,
  Candidates,
  Canvas,
  CommitPolicy,
  Pass,
  Proposal,
  Proposer,
  QuotaSchedule,
  Reads,
  RowContext,
  Sampler,
  Scorer,
  StepContext,
  StepView,
  Stopper,
} from './loop/sampler.ts';
export type { DiffusionStep } from './loop/step.ts';
export {
  decodingOrder,
  globalAutoregressiveness,
  kendallTau,
  type LocalOrderOptions,
  localAutoregressiveness,
  orderCorrelation,
  passAtK,
  spearmanRho,
} from './measure/order.ts';
export { type CanvasModelOptions, type CanvasRow, canvasModel } from './models/function-model.ts';
export {
  arithmeticTask,
  cumulativeSumTask,
  dominoTask,
  latinSquareTask,
  type RepeatOptions,
  repeatTask,
} from './parallelbench/other-tasks.ts';
export { parseList, parseListStrictly } from './parallelbench/parse.ts';
export {
  type AnswerSet,
  perfectAccuracies,
  perfectAccuracy,
  shuffleStepAccuracy,
  totalCorrelation,
} from './parallelbench/perfect-denoiser.ts';
export { PythonRandom, taskSeed } from './parallelbench/python-random.ts';
export {
  anyTextIsGrammatical,
  type DominoReference,
  type EditReference,
  type Score,
  scoreArithmetic,
  scoreDomino,
  scoreInsertRandom,
  scoreLatinSquare,
  scoreListMatch,
  scoreRemoveRandom,
  scoreReplaceRandom,
  scoreSentence,
  scoreShuffle,
  scoreSudoku,
} from './parallelbench/score.ts';
export {
  printList,
  type TaskSample,
  type WaitingLineOptions,
  type WaitingLineTask,
  waitingLine,
} from './parallelbench/waiting-line.ts';
export {
  bestToken,
  entropyInNats,
  keepTopK,
  keepTopP,
  probabilitiesOf,
  tokenAt,
} from './propose/distribution.ts';
export {
  type FilteredOptions,
  filteredProposer,
  gumbelToken,
  type NoisyOptions,
  noisyProposer,
  substitutedProbabilities,
} from './propose/proposers.ts';
export {
  type TimeGridOptions,
  timeGridCount,
  timeGridCounts,
  timeGridQuota,
  timeGridShare,
  uniformCounts,
  uniformQuota,
} from './quota/schedules.ts';
export {
  type AdaBlockSamplerOptions,
  adaBlockSampler,
  type BlockDecodingOptions,
  type CacheName,
  cacheByName,
  type DParallelOptions,
  dParallelSampler,
  type FastDllmOptions,
  fastDllmSampler,
  type LocalLeapSamplerOptions,
  localLeapSampler,
} from './samplers/block-decoding.ts';
export {
  type FirstHittingOptions,
  firstHittingSampler,
  type SdarOptions,
  sdarSampler,
} from './samplers/block-diffusion.ts';
export { type CachedDreamOptions, cachedDreamSampler, type DreamOptions, dreamSampler } from './samplers/dream.ts';
export { type AscendingOptions, ascendingSampler, type EoserOptions, eoserSampler } from './samplers/eoser.ts';
export { type Learn2pdOptions, learn2pdSampler } from './samplers/learn2pd.ts';
export { type LladaOptions, lladaSampler } from './samplers/llada.ts';
export { type RemaskingOptions, type RemaskingStep, remaskingDecode } from './samplers/remasking.ts';
export {
  confidence,
  type EndPenaltyOptions,
  endPenalty,
  endPenaltyFactor,
  fineNegativeEntropy,
  margin,
  negativeEntropy,
  randomScore,
  scorers,
} from './score/scorers.ts';
export {
  type EndOfTextOptions,
  endOfTextPrediction,
  type StopAfterBlockOptions,
  stopAfterBlock,
} from './stop/stoppers.ts';
export {
  type AdamOptions,
  type FilterArrays,
  FilterTrainer,
  filterLoss,
  type OracleInput,
  type OracleSample,
  oracleTrace,
} from './training/filter-training.ts';
export {
  blockDiffusionLoss,
  type CertaintyOptions,
  type CertaintyView,
  certaintyForcingLoss,
  type LogitRows,
  type LossAndGradient,
  type MaskedLossInput,
  maskedDiffusionLoss,
  type NoiseView,
  type NoiseViewsOptions,
  type NoisingOptions,
  noise,
  noiseViews,
} from './training/losses.ts';
export {
  type AntitheticOptions,
  antitheticTimes,
  blockDiffusionMask,
  likelihoodMaskCounts,
  packedTrainingMask,
} from './training/masks.ts';
export {
  type ClipOptions,
  type CoupledBatch,
  type CoupledMasks,
  type CouplingOptions,
  centredAdvantages,
  clippedTerm,
  coupledLoss,
  coupledMasks,
  leaveOneOutAdvantages,
  type TrajectoryBatch,
  trajectoryLoss,
} from './training/policy-gradient.ts';
