export type { Architecture, ArchitectureNames, NetworkPlan } from './architectures/architecture.ts';
export {
  type DecoderSizes,
  isTied,
  readDecoderSizes,
  readLayerCount,
  readLayerTypes,
  readRmsEpsilon,
  readVocabSize,
  readWindow,
} from './architectures/decoder-settings.ts';
export { architectures } from './architectures/registry.ts';
export type { DecoderConfig, NetworkConfig, Rotary } from './config.ts';
export { type EncodedInput, type EncoderDecoderModel, loadEncoderDecoder } from './encoder-decoder.ts';
export { type LoadLanguageModelOptions, type LoadOptions, loadLanguageModel } from './load.ts';
export type { ModelFiles } from './loading/checkpoint.ts';
export { activationsFor, type ModelWeights, type RowSelection } from './loading/model-weights.ts';
export type { NamedWeights, Naming, TensorNames } from './loading/named-weights.ts';
export {
  loadRotary,
  type RotaryFacts,
  readJsonRotary,
  readRotary,
  rotaryTensorNames,
} from './loading/rotary-settings.ts';
export type { Container, Settings } from './loading/settings.ts';
export type { SourceTensor, WeightSource } from './loading/weight-source.ts';
export type { EncodedImages } from './networks/vision-tower.ts';
export type {
  AttendOptions,
  DecoderNetwork,
  LanguageNetwork,
  LayerContext,
  NetworkEnds,
  RecurrentContext,
  RecurrentNetwork,
  RecurrentStep,
} from './runtime/network.ts';
export { type RotaryParameters, type RotaryType, rotaryFrequencies } from './runtime/rotary.ts';
export { loadVisionLanguageModel, type VisionLanguageModel } from './vision-language.ts';
export { loadVisionTower, type VisionTower } from './vision-tower.ts';
