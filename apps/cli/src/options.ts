/** Values of the command line: what each option accepts, and how it reaches `loadModel` and `generate`. */

import { InvalidArgumentError, Option } from 'commander';
import type { DraftMethod, GenerateOptions, LoadModelOptions } from 'gallop';

/** Options of every command that computes with a model. */
export interface ModelOptions {
  readonly model: string;
  readonly backend: 'auto' | 'native' | 'wasm' | 'reference';
  readonly threads?: number;
  readonly activations: 'q8' | 'f32';
  readonly contextLength?: number;
}

/** Options of the commands that write text. */
export interface SamplingFlags {
  readonly maxTokens?: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly seed: number;
  readonly stop?: readonly string[];
  readonly draft: DraftMethod;
}

/** The names of `draftMethods`, without loading the library. */
export const DRAFT_METHODS: readonly DraftMethod[] = [
  ...(['none', 'auto', 'lookup', 'suffix', 'recycling', 'aded', 'lookahead'] as const),
];

/** Parses a number; ranges are checked where the value is used, so that the library's message is the only one. */
export const numberValue = (text: string): number => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
};

/** Parses a whole number from 1. */
export const countValue = (text: string): number => {
  const value = numberValue(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
};

const append = (text: string, earlier: readonly string[] = []): readonly string[] => [...earlier, text];

/** The options behind `ModelOptions`, without `--model`. */
export const backendOptions = (): Option[] => [
  new Option('--backend <name>', 'what computes').choices(['auto', 'native', 'wasm', 'reference']).default('auto'),
  new Option('--threads <count>', 'threads to compute with (default: chosen by the backend)').argParser(countValue),
  new Option('--activations <type>', 'q8: 8-bit activations, fast; f32: exact').choices(['q8', 'f32']).default('q8'),
  new Option('--context-length <tokens>', "longest sequence (default: the model's own)").argParser(countValue),
];

/** The options behind `SamplingFlags`. */
export const samplingOptions = (): Option[] => [
  new Option('--max-tokens <count>', 'most tokens to write (default: until the model ends)').argParser(countValue),
  new Option('--temperature <number>', '0 = always the best token').argParser(numberValue).default(0.7),
  new Option('--top-k <count>', 'choose among the k best tokens').argParser(numberValue),
  new Option('--top-p <share>', 'choose among the best tokens with this probability in all').argParser(numberValue),
  new Option('--min-p <share>', "drop tokens below this share of the best one's probability").argParser(numberValue),
  new Option('--repetition-penalty <factor>', 'above 1: avoid tokens that were there before').argParser(numberValue),
  new Option('--seed <number>', 'names the random numbers').argParser(numberValue).default(0),
  new Option('--draft <method>', 'several tokens a pass, the same text').choices(DRAFT_METHODS).default('none'),
  new Option('--stop <text>', 'end before this text; may be given several times').argParser(append),
];

const definedOf = <Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;

/** What `generate` takes of the flags. */
export const generateOptionsOf = (flags: SamplingFlags): GenerateOptions => {
  const { maxTokens, temperature, topK, topP, minP, repetitionPenalty, seed, stop, draft } = flags;
  return definedOf({
    maxTokens,
    temperature,
    topK,
    topP,
    minP,
    repetitionPenalty,
    seed,
    stop,
    draft,
  }) as GenerateOptions;
};

/** What `loadModel` takes of the flags. */
export const loadOptionsOf = (flags: ModelOptions): LoadModelOptions => {
  const { backend, threads, activations, contextLength } = flags;
  return definedOf({ backend, threads, activations, contextLength }) as LoadModelOptions;
};
