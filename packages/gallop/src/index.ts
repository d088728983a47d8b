export { Context } from './generate/context.ts';
export { type FinishReason, type Generation, type GenerationResult, generate } from './generate/generate.ts';
export type { GenerateOptions, GenerationStep } from './generate/options.ts';
export type { Prompt } from './generate/prompt.ts';
export type { ChatMessage, TextCodec, TextDecoder, TextModel } from './text-model.ts';
