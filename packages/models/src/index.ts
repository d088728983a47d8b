export type { DecoderConfig, RotaryConfig } from './config.ts';
export { type LoadOptions, loadLanguageModel } from './load.ts';
export { supportedArchitectures } from './loading/architectures.ts';
