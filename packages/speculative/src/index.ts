export { type AutoDrafterOptions, autoDrafter, DraftMemory, type DraftMemoryOptions } from './adaptive/auto.ts';
export { type CalibrateOptions, calibrate } from './adaptive/calibrate.ts';
export { bestDraftSize, CostModel, type MeasuredCost } from './adaptive/cost-model.ts';
export {
  type AdaptiveDecodeOptions,
  type AdaptiveStep,
  adaptiveDecode,
  adaptiveGuarantee,
  type BranchLogits,
  type LookaheadRerankOptions,
  type RerankedCandidates,
  rerankCandidates,
} from './decoding/adaptive-decode.ts';
export { type ExitChoice, ExitStatistics, type ShadowRound, selectExit } from './decoding/del-policy.ts';
export { NgramModel } from './decoding/ngram-model.ts';
export {
  type LayerRows,
  type SelfSpeculationOptions,
  type SelfSpeculationRound,
  selfSpeculate,
} from './decoding/self-speculation.ts';
export {
  type SuperposedDraft,
  type SuperposedOptions,
  type SuperposedResult,
  superposedDecode,
  superposedGuarantee,
} from './decoding/superposed.ts';
export {
  type DraftState,
  draftWeights,
  initialDrafts,
  mixEmbeddings,
  type ScoredDraft,
  type SelectedDraft,
  type SuperpositionOptions,
  selectDrafts,
  superposeStep,
  tokenWeights,
} from './decoding/superposition.ts';
export {
  entropyAndRank,
  entropyOf,
  entropyThreshold,
  type LabelledEntropies,
  type LearnedThreshold,
  learnThreshold,
} from './decoding/uncertainty.ts';
export {
  type AcceptanceBlock,
  type AcceptanceHead,
  type AcceptanceStopOptions,
  AcceptanceStopRule,
  acceptanceHead,
  acceptanceLogits,
  acceptanceOf,
  acceptanceStop,
  thresholdFromTimes,
} from './drafters/acceptance-head.ts';
export {
  type AcceptanceLoss,
  acceptanceLabel,
  acceptanceLoss,
  type Gradient,
  type MixedInputs,
  mixInputs,
} from './drafters/acceptance-training.ts';
export { type AdedOptions, adedDrafter, cutPaths, draftTrie, proposeByTrigrams } from './drafters/aded.ts';
export { adaptiveSize, chainDrafters, fallbackDrafters, fuseDrafters } from './drafters/combinators.ts';
export { type DraftModelDrafter, type DraftModelOptions, draftModelDrafter } from './drafters/draft-model.ts';
export { type LookaheadOptions, lookaheadDrafter, lookaheadParents } from './drafters/lookahead.ts';
export { type LookaheadShape, NgramPool } from './drafters/lookahead-pool.ts';
export { type PromptLookupOptions, promptLookup, promptLookupDrafter } from './drafters/prompt-lookup.ts';
export {
  type DistributionDrafter,
  type FusedTree,
  fusePaths,
  type PrunedTrie,
  type PruneOptions,
  prunedPaths,
  pruneTrie,
  type RasdOptions,
  type Retriever,
  rasdDrafter,
} from './drafters/rasd.ts';
export { RecyclingMatrix, type RecyclingMatrixOptions } from './drafters/recycling-matrix.ts';
export { recyclingPaths, recyclingTemplate } from './drafters/recycling-template.ts';
export {
  type Retrieval,
  type RetrievalOptions,
  retrievalDrafter,
  retrieve,
  TokenCorpus,
} from './drafters/retrieval.ts';
export { confidenceStop, type DraftedToken, type StopPolicy } from './drafters/stop-policy.ts';
export { type SuffixOptions, suffixDrafter } from './drafters/suffix.ts';
export { SuffixAutomaton, type SuffixMatch } from './drafters/suffix-automaton.ts';
export {
  recycle,
  recycledTree,
  type TokenRecyclingOptions,
  tokenRecyclingDrafter,
} from './drafters/token-recycling.ts';
export {
  type PuctNode,
  puct,
  type SearchNode,
  type SearchOptions,
  type SearchResult,
  searchTrigrams,
} from './drafters/trigram-search.ts';
export { type BumpOptions, buildTrigramTable, type TrigramRow, TrigramTable } from './drafters/trigram-table.ts';
export type { DraftContext, Drafter, DraftObservation } from './loop/drafter.ts';
export { keyedRandom, type RandomSource } from './loop/random-source.ts';
export { type SpeculateInput, type SpeculateOptions, speculate } from './loop/speculate.ts';
export { SpeculationStatistics, type SpeculationTotals } from './loop/statistics.ts';
export type { DecodingStep } from './loop/step.ts';
export { guaranteeOf, type Verification } from './loop/verification.ts';
export { type FunctionModelOptions, functionModel, type NextLogits, tableModel } from './models/table-model.ts';
export { type LlamaCppModelOptions, type LlamaSequence, llamaCppModel } from './peers/llama-cpp-model.ts';
export { llamaTokenPredictor, type TokenPredictorMethods } from './peers/llama-token-predictor.ts';
export { type EnumeratedCell, type Enumeration, enumerateEmissions } from './report/enumeration.ts';
export { chooseDraftSize, cutSteps, type EagleWarpOptions, warpInEagleOrder } from './report/published.ts';
export {
  acceptanceByDepth,
  type BaselineItem,
  type DepthReport,
  expectedSpeed,
  type GroupReport,
  groupOf,
  type MethodItem,
  multiRunReport,
  type SpecBenchReport,
  specBenchReport,
} from './report/spec-bench.ts';
export {
  type ChildLists,
  chainTree,
  checkDraftTree,
  childLists,
  type DraftTree,
  isChain,
  pathTo,
  rootOnly,
  type SampledGroup,
  treeDepths,
} from './tree/draft-tree.ts';
export {
  bestIndices,
  type DynamicTree,
  type DynamicTreeOptions,
  type Expand,
  type Frontier,
  growDynamicTree,
} from './tree/dynamic-tree.ts';
export { chooseSequoiaSize, type SequoiaChoice, type SequoiaTable, sequoiaTable, sequoiaTree } from './tree/sequoia.ts';
export { candidateIndices, type TreeTemplate, treeTemplate } from './tree/static-tree.ts';
export {
  compactRows,
  keptRows,
  type LeafOrder,
  leafPaths,
  type TreeBuffers,
  treeBuffers,
} from './tree/tree-buffers.ts';
export { buildTrie, orderByScore, type Trie } from './tree/trie.ts';
export { verifyByBlock } from './verify/block.ts';
export { chooseFromProbabilities, largestIndex, type Probabilities } from './verify/distribution.ts';
export { verifyByRejection } from './verify/rejection.ts';
export { verifyByTraversal } from './verify/traversal.ts';
export { type TypicalOptions, type TypicalVerdict, verifyTypical } from './verify/typical.ts';
export type { Guarantee, TargetRow, Verdict, VerifierDraws } from './verify/verdict.ts';
export { verifyByWalk, verifyGreedy } from './verify/walk.ts';
