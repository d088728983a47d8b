export { type ErrorCode, GallopError, requireArgument } from './errors.ts';
export type {
  AttentionPattern,
  Capabilities,
  ForwardRequest,
  ForwardResult,
  LanguageModel,
  Session,
  SpecialTokens,
  StateBytes,
  Wanted,
} from './language-model.ts';
export {
  type DrawName,
  randomUniform,
  randomWords,
  wordsToGaussians,
  wordsToUniformDouble,
  wordToUniform,
} from './random/draws.ts';
export { type GeneratorName, randomBlock } from './random/generators.ts';
export { chooseByUniform, chooseGreedy, sampleToken } from './sampling/choose.ts';
export { softmax } from './sampling/distribution.ts';
export { checkWarpOptions, type SamplingOptions, type WarpOptions } from './sampling/options.ts';
export { keepsBestToken, warpLogits } from './sampling/warp.ts';
export { type StopScan, StopScanner } from './stop.ts';
