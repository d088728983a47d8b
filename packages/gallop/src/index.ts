export { Context } from './generate/context.ts';
export { type FinishReason, type Generation, type GenerationResult, generate } from './generate/generate.ts';
export type { GenerateOptions, GenerationStep } from './generate/options.ts';
export type { Prompt } from './generate/prompt.ts';
export { inspectModel, type ModelDescription } from './load/inspect-model.ts';
export type { LoadModelOptions, LoadProgress, Model } from './load/model.ts';
export type { ModelSource } from './load/open-source.ts';
export type { BackendName } from './load/select-backend.ts';
export type { ChatMessage, TextCodec, TextDecoder, TextModel } from './text-model.ts';
