/** The model of a tokenizer.json. */
import { mergesFromTexts } from '../bpe/build-merges.ts';
import { BpeModel } from '../models/bpe-model.ts';
import type { TokenModel } from '../models/token-model.ts';
import { UnigramModel } from '../models/unigram-model.ts';
import { WordLevelModel } from '../models/word-level-model.ts';
import { WordPieceModel } from '../models/word-piece-model.ts';
import { Vocabulary } from '../vocabulary/vocabulary.ts';
import type { Fields } from './fields.ts';
import { type LargeParts, partsOfJson } from './large-parts.ts';

/** Builds a model from its fields and its large parts. */
type ModelBuilder = (fields: Fields, parts: LargeParts) => TokenModel;

function vocabularyOf(fields: Fields, parts: LargeParts): Vocabulary {
  if (!parts.vocabulary || Array.isArray(fields.raw('vocab'))) throw fields.fail('vocab', 'an object of token ids');
  return Vocabulary.withIds(parts.vocabulary, parts.vocabulary.numbers);
}

/** The id of the unknown token, -1 where none is named or the name is no token. */
function unknownOf(fields: Fields, vocabulary: Vocabulary, fallback?: string): number {
  const token = fields.optionalString('unk_token') ?? fallback;
  return token === undefined ? -1 : vocabulary.idOf(token);
}

function bpe(fields: Fields, parts: LargeParts): TokenModel {
  const dropout = fields.raw('dropout') ?? 0;
  if (dropout !== 0) throw fields.fail('dropout', 'null or 0, because random merges are a matter of training');
  const vocabulary = vocabularyOf(fields, parts);
  if (!parts.merges) throw fields.fail('merges', 'a list');
  const prefix = fields.string('continuing_subword_prefix', '');
  return new BpeModel(vocabulary, mergesFromTexts(vocabulary, parts.merges, prefix), {
    unknownId: unknownOf(fields, vocabulary),
    fuseUnknown: fields.boolean('fuse_unk', false),
    byteFallback: fields.boolean('byte_fallback', false),
    wholePieces: fields.boolean('ignore_merges', false) ? 'all' : 'none',
    continuingPrefix: prefix,
    endSuffix: fields.string('end_of_word_suffix', ''),
  });
}

function unigram(fields: Fields, parts: LargeParts): TokenModel {
  if (!parts.vocabulary || !Array.isArray(fields.raw('vocab'))) throw fields.fail('vocab', 'a list of [text, score]');
  const vocabulary = new Vocabulary(parts.vocabulary);
  const named = fields.raw('unk_id') ?? null;
  const unknownId = named === null ? -1 : fields.integer('unk_id');
  if (unknownId >= vocabulary.size) throw fields.fail('unk_id', `an id below ${vocabulary.size}`);
  return new UnigramModel(vocabulary, parts.vocabulary.numbers, unknownId, fields.boolean('byte_fallback', false));
}

function wordPiece(fields: Fields, parts: LargeParts): TokenModel {
  const vocabulary = vocabularyOf(fields, parts);
  return new WordPieceModel(
    vocabulary,
    unknownOf(fields, vocabulary, '[UNK]'),
    fields.string('continuing_subword_prefix', '##'),
    fields.integer('max_input_chars_per_word', 100),
  );
}

function wordLevel(fields: Fields, parts: LargeParts): TokenModel {
  const vocabulary = vocabularyOf(fields, parts);
  return new WordLevelModel(vocabulary, unknownOf(fields, vocabulary, '<unk>'));
}

const models: Readonly<Record<string, ModelBuilder>> = {
  BPE: bpe,
  Unigram: unigram,
  WordPiece: wordPiece,
  WordLevel: wordLevel,
};

/** What older files, which name no type, are. */
function guessType(fields: Fields): string {
  if (fields.raw('merges') !== undefined) return 'BPE';
  if (Array.isArray(fields.raw('vocab'))) return 'Unigram';
  return fields.raw('continuing_subword_prefix') === undefined ? 'WordLevel' : 'WordPiece';
}

/**
 * @param parts vocabulary and merges, if they were taken out of `fields` before.
 * @throws GallopError `unsupported` for an unknown type, `invalid-file` for wrong fields.
 */
export function modelFromJson(fields: Fields, parts: LargeParts = partsOfJson(fields)): TokenModel {
  const type = fields.raw('type') ?? guessType(fields);
  if (typeof type !== 'string' || !Object.hasOwn(models, type)) throw fields.unknownType('model', Object.keys(models));
  return models[type](fields, parts);
}
