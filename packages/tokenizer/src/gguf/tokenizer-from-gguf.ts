/**
 * Tokenizers from the metadata of a GGUF file (keys tokenizer.ggml.*), with the semantics of llama.cpp: control,
 * user-defined and unknown tokens are cut out of the raw text, the longest first; the rest goes to the model.
 */
import { GallopError } from '@gallop/core';
import type { AddedToken } from '../added-tokens/added-token.ts';
import { type Template, type TemplatePart, templateProcessor } from '../post-processors/template.ts';
import { Tokenizer } from '../tokenizer.ts';
import type { SpecialTokens } from '../tokenizer-parts.ts';
import type { StringTable } from '../vocabulary/string-table.ts';
import { Vocabulary } from '../vocabulary/vocabulary.ts';
import { endOfGenerationIds } from './end-of-generation.ts';
import { bytePairStages, type GgufStages, scoreStages } from './gguf-models.ts';
import { type MetadataSource, TokenizerMetadata } from './metadata.ts';
import { TokenType } from './token-types.ts';
import { unigramStages } from './unigram-stages.ts';
import { wordPieceStages } from './word-piece-stages.ts';

const roleKeys = {
  beginningOfText: 'bos',
  endOfText: 'eos',
  unknown: 'unknown',
  separator: 'seperator',
  padding: 'padding',
  mask: 'mask',
} as const;

/**
 * Reads the tokenizer of a GGUF file.
 * @throws GallopError `unsupported` for a model or pre-tokenizer that is not known, `invalid-file` for metadata that does
 * not fit together.
 */
export function tokenizerFromGguf(source: MetadataSource): Tokenizer {
  const metadata = new TokenizerMetadata(source);
  const tokens = metadata.strings('tokenizer.ggml.tokens');
  if (!tokens || tokens.length === 0) {
    throw new GallopError(
      'invalid-file',
      'Expected token texts as metadata tokenizer.ggml.tokens; found none. Use a GGUF file with a tokenizer.',
    );
  }
  const vocabulary = Vocabulary.fromTable(tokens);
  const stages = stagesOf(metadata, vocabulary);
  const special = specialTokens(metadata, stages.defaults, vocabulary);
  const types = tokenTypes(metadata, tokens);
  const addedTokens = addedFrom(tokens, types, stages.spaceMark);
  return new Tokenizer({
    ...stages,
    addedTokens,
    overlapRule: 'longest',
    postProcessor: templateProcessor(templateOf(metadata, stages, special, vocabulary)),
    truncation: undefined,
    padding: undefined,
    specialTokens: special,
    endOfGeneration: endOfGenerationIds(metadata, vocabulary, special),
    chatTemplates: chatTemplates(metadata),
  });
}

/** By tokenizer.ggml.model. */
const stageBuilders: Readonly<Record<string, (metadata: TokenizerMetadata, vocabulary: Vocabulary) => GgufStages>> = {
  gpt2: bytePairStages,
  gemma4: bytePairStages,
  llama: scoreStages,
  bert: wordPieceStages,
  t5: unigramStages,
};

function stagesOf(metadata: TokenizerMetadata, vocabulary: Vocabulary): GgufStages {
  const kind = metadata.string('tokenizer.ggml.model');
  if (kind !== undefined && Object.hasOwn(stageBuilders, kind)) return stageBuilders[kind](metadata, vocabulary);
  throw new GallopError(
    'unsupported',
    `Expected tokenizer.ggml.model to be one of ${Object.keys(stageBuilders).join(', ')}; received ${JSON.stringify(kind)}. Use the model's tokenizer.json instead.`,
  );
}

function tokenTypes(metadata: TokenizerMetadata, tokens: StringTable): ArrayLike<number> {
  const types = metadata.numbers('tokenizer.ggml.token_type');
  if (types && types.length !== tokens.length) {
    throw new GallopError(
      'invalid-file',
      `Expected a token type for each of ${tokens.length} tokens; received ${types.length}. Use a complete conversion of the model.`,
    );
  }
  return types ?? [];
}

function addedFrom(tokens: StringTable, types: ArrayLike<number>, spaceMark: boolean): AddedToken[] {
  const added: AddedToken[] = [];
  for (let id = 0; id < types.length; id++) {
    const type = types[id];
    if (type !== TokenType.control && type !== TokenType.userDefined && type !== TokenType.unknown) continue;
    const text = tokens.at(id);
    if (!text) continue;
    added.push({
      id,
      content: spaceMark ? text.replaceAll('\u2581', ' ') : text,
      special: type !== TokenType.userDefined,
      normalized: false,
      leftStrip: false,
      rightStrip: false,
      singleWord: false,
    });
  }
  return added;
}

function specialTokens(metadata: TokenizerMetadata, defaults: SpecialTokens, vocabulary: Vocabulary): SpecialTokens {
  const ids: Record<string, number> = {};
  for (const [role, name] of Object.entries(roleKeys)) {
    const id = metadata.id(`tokenizer.ggml.${name}_token_id`) ?? defaults[role as keyof SpecialTokens];
    // Converters write ids such as 2^32 - 1 for "none".
    if (id !== undefined && vocabulary.has(id)) ids[role] = id;
  }
  return ids;
}

function templateOf(
  metadata: TokenizerMetadata,
  stages: GgufStages,
  special: SpecialTokens,
  vocabulary: Vocabulary,
): Template {
  const part = (key: string, fallback: boolean, id: number | undefined, typeId: number): TemplatePart[] => {
    if (!metadata.boolean(`tokenizer.ggml.add_${key}_token`, fallback) || id === undefined) return [];
    return [{ kind: 'special', ids: [id], tokens: [vocabulary.text(id) ?? ''], typeId }];
  };
  const begin = part('bos', stages.addBeginning, special.beginningOfText, 0);
  const text = (index: 0 | 1): TemplatePart => ({ kind: 'text', text: index, typeId: index });
  const close = (typeId: number): TemplatePart[] => [
    ...part('sep', stages.addSeparator, special.separator, typeId),
    ...part('eos', stages.addEnd, special.endOfText, typeId),
  ];
  return {
    single: [...begin, text(0), ...close(0)],
    pair: [...begin, text(0), ...close(0), text(1), ...close(1)],
  };
}

function chatTemplates(metadata: TokenizerMetadata): Map<string, string> {
  const templates = new Map<string, string>();
  const prefix = 'tokenizer.chat_template.';
  for (const key of metadata.keys()) {
    const template = key.startsWith(prefix) ? metadata.string(key) : undefined;
    if (template !== undefined) templates.set(key.slice(prefix.length), template);
  }
  const main = metadata.string('tokenizer.chat_template');
  if (main !== undefined) templates.set('default', main);
  return templates;
}
