export type { Architecture, ArchitectureNames, NetworkPlan } from './architectures/architecture.ts';
export { architectures } from './architectures/registry.ts';
export type { DecoderConfig, Rotary } from './config.ts';
export { type EncodedInput, type EncoderDecoderModel, loadEncoderDecoder } from './encoder-decoder.ts';
export { type LoadLanguageModelOptions, type LoadOptions, loadLanguageModel } from './load.ts';
export type { ModelFiles } from './loading/checkpoint.ts';
export { type RotaryParameters, type RotaryType, rotaryFrequencies } from './runtime/rotary.ts';
