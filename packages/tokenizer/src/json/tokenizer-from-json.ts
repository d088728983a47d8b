/** Tokenizers from the files of the Hugging Face hub: tokenizer.json, and tokenizer_config.json for roles and templates. */
import { GallopError } from '@gallop/core';
import type { AddedToken } from '../added-tokens/added-token.ts';
import { endOfGenerationByText } from '../gguf/end-of-generation.ts';
import type { PaddingOptions } from '../padding.ts';
import { Tokenizer } from '../tokenizer.ts';
import type { SpecialTokens } from '../tokenizer-parts.ts';
import type { TruncationOptions } from '../truncation.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { decoderFromJson } from './decoder-from-json.ts';
import { Fields } from './fields.ts';
import { type LargeParts, splitFile } from './large-parts.ts';
import { modelFromJson } from './model-from-json.ts';
import { normalizerFromJson } from './normalizer-from-json.ts';
import { postProcessorFromJson } from './post-processor-from-json.ts';
import { preTokenizerFromJson } from './pre-tokenizer-from-json.ts';

/** A file: its text, its UTF-8 bytes, or what JSON.parse made of it. */
export type JsonInput = string | Uint8Array | object;

/** The only version of the format that there is. */
const VERSION = '1.0';

function parsed(input: JsonInput, name: string): Fields {
  if (typeof input === 'object' && !(input instanceof Uint8Array)) return new Fields(input, name);
  try {
    return new Fields(JSON.parse(typeof input === 'string' ? input : new TextDecoder().decode(input)), name);
  } catch (error) {
    if (GallopError.isInstance(error)) throw error;
    throw new GallopError(
      'invalid-file',
      `Expected ${name} as JSON; it does not parse: ${error instanceof Error ? error.message : error}. Download it again.`,
      { cause: error },
    );
  }
}

/** tokenizer.json with its large parts read from bytes where it comes as such. */
function parsedTokenizer(input: JsonInput): { fields: Fields; parts: LargeParts | undefined } {
  if (typeof input === 'object' && !(input instanceof Uint8Array)) {
    return { fields: parsed(input, 'tokenizer.json'), parts: undefined };
  }
  const { parts, rest } = splitFile(typeof input === 'string' ? new TextEncoder().encode(input) : input);
  return { fields: parsed(rest, 'tokenizer.json'), parts };
}

/**
 * Builds a tokenizer.
 * @param tokenizerJson tokenizer.json.
 * @param tokenizerConfig tokenizer_config.json, which names bos_token, eos_token and the like and holds the chat template.
 * @throws GallopError `unsupported` for components of an unknown type, `invalid-file` for a file that is not well formed.
 */
export function tokenizerFromJson(tokenizerJson: JsonInput, tokenizerConfig?: JsonInput): Tokenizer {
  const { fields, parts } = parsedTokenizer(tokenizerJson);
  if (fields.string('version', VERSION) !== VERSION) throw fields.unsupported('version', `"${VERSION}"`);
  const config = tokenizerConfig === undefined ? undefined : parsed(tokenizerConfig, 'tokenizer_config.json');
  const model = modelFromJson(fields.object('model'), parts);
  const addedTokens = numbered(addedTokensFrom(fields), model.vocabulary);
  const idOf = (text: string): number =>
    addedTokens.find(({ content }) => content === text)?.id ?? model.vocabulary.idOf(text);
  const optional = <Part>(key: string, build: (part: Fields) => Part): Part | undefined => {
    const part = fields.optionalObject(key);
    return part && build(part);
  };
  const specialTokens = rolesFrom(config, idOf, model.unknownId);
  const endOfGeneration = new Set(endOfGenerationByText(idOf));
  if (specialTokens.endOfText !== undefined) endOfGeneration.add(specialTokens.endOfText);
  return new Tokenizer({
    model,
    addedTokens,
    overlapRule: 'leftmost',
    normalizer: optional('normalizer', normalizerFromJson),
    preTokenizer: optional('pre_tokenizer', preTokenizerFromJson),
    postProcessor: optional('post_processor', postProcessorFromJson),
    decoder: optional('decoder', decoderFromJson),
    truncation: optional('truncation', truncationFrom),
    padding: optional('padding', paddingFrom),
    specialTokens,
    endOfGeneration,
    chatTemplates: chatTemplatesFrom(config),
  });
}

function addedTokensFrom(fields: Fields): AddedToken[] {
  if ((fields.raw('added_tokens') ?? null) === null) return [];
  return fields.objects('added_tokens').map((token) => {
    const id = token.integer('id');
    if (id > 0x7fffffff) throw token.fail('id', 'a token id');
    const special = token.boolean('special', false);
    return {
      id,
      content: token.string('content'),
      special,
      normalized: token.boolean('normalized', !special),
      leftStrip: token.boolean('lstrip', false),
      rightStrip: token.boolean('rstrip', false),
      singleWord: token.boolean('single_word', false),
    };
  });
}

/**
 * Added tokens with the ids that the reference gives them: that of the vocabulary where it has the text, otherwise the
 * next one behind the vocabulary in the order of the file, which in a well-formed file is the id that stands there. Of two
 * with one text the later one counts.
 */
function numbered(tokens: readonly AddedToken[], vocabulary: Vocabulary): AddedToken[] {
  const byText = new Map<string, AddedToken>();
  const byId = new Map<number, AddedToken>();
  let next = vocabulary.count;
  for (const token of tokens) {
    if (token.content === '') continue;
    const before = byText.get(token.content);
    const known = before?.id ?? vocabulary.idOf(token.content);
    const special = token.special || before?.special === true;
    const placed = { ...token, special, id: known >= 0 ? known : next++ };
    byText.set(token.content, placed);
    byId.set(placed.id, placed);
  }
  return [...byId.values()];
}

/** Roles of tokenizer_config.json: a token text, or an object with `content`. */
function rolesFrom(config: Fields | undefined, idOf: (text: string) => number, unknownId: number): SpecialTokens {
  const role = (key: string): number | undefined => {
    const value = config?.raw(key) ?? undefined;
    if (value === undefined) return undefined;
    const id = idOf(typeof value === 'string' ? value : config!.object(key).string('content'));
    return id < 0 ? undefined : id;
  };
  const roles: Record<string, number | undefined> = {
    beginningOfText: role('bos_token'),
    endOfText: role('eos_token'),
    unknown: role('unk_token') ?? (unknownId < 0 ? undefined : unknownId),
    padding: role('pad_token'),
    separator: role('sep_token'),
    mask: role('mask_token'),
  };
  return Object.fromEntries(Object.entries(roles).filter(([, id]) => id !== undefined));
}

function chatTemplatesFrom(config: Fields | undefined): Map<string, string> {
  const templates = new Map<string, string>();
  const value = config?.raw('chat_template') ?? undefined;
  if (config && Array.isArray(value)) {
    for (const entry of config.objects('chat_template')) templates.set(entry.string('name'), entry.string('template'));
  } else if (config && value !== undefined) templates.set('default', config.string('chat_template'));
  return templates;
}

function truncationFrom(fields: Fields): TruncationOptions {
  const strategies = { LongestFirst: 'longest_first', OnlyFirst: 'only_first', OnlySecond: 'only_second' } as const;
  const strategy = fields.choice('strategy', ['LongestFirst', 'OnlyFirst', 'OnlySecond'], 'LongestFirst');
  return {
    maxLength: fields.integer('max_length'),
    stride: fields.integer('stride', 0),
    strategy: strategies[strategy],
    direction: fields.choice('direction', ['Left', 'Right'], 'Right') === 'Left' ? 'left' : 'right',
  };
}

/** The strategy is "BatchLongest" or {"Fixed": length}. */
function paddingFrom(fields: Fields): PaddingOptions {
  const strategy = fields.raw('strategy');
  const batchLongest = strategy === undefined || strategy === 'BatchLongest';
  return {
    direction: fields.choice('direction', ['Left', 'Right'], 'Right') === 'Left' ? 'left' : 'right',
    padId: fields.integer('pad_id', 0),
    padToken: fields.string('pad_token', '[PAD]'),
    padTypeId: fields.integer('pad_type_id', 0),
    length: batchLongest ? null : fields.object('strategy').integer('Fixed'),
    padToMultipleOf: (fields.raw('pad_to_multiple_of') ?? null) === null ? null : fields.integer('pad_to_multiple_of'),
  };
}
