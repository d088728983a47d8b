/** The model of a tokenizer.json. */
import { mergesFromJson } from '../bpe/build-merges.ts';
import { BpeModel } from '../models/bpe-model.ts';
import type { TokenModel } from '../models/token-model.ts';
import { UnigramModel } from '../models/unigram-model.ts';
import { WordLevelModel } from '../models/word-level-model.ts';
import { WordPieceModel } from '../models/word-piece-model.ts';
import { Vocabulary } from '../vocabulary/vocabulary.ts';
import type { Fields } from './fields.ts';

/** The vocabulary {"text": id, …}. */
function vocabularyOf(fields: Fields): Vocabulary {
  fields.object('vocab');
  const object = fields.raw('vocab') as Record<string, number>;
  const texts = Object.keys(object);
  return Vocabulary.fromEntries(
    texts,
    texts.map((text) => object[text]),
  );
}

/** The id of the unknown token, -1 where none is named or the name is no token. */
function unknownOf(fields: Fields, vocabulary: Vocabulary, fallback?: string): number {
  const token = fields.optionalString('unk_token') ?? fallback;
  return token === undefined ? -1 : vocabulary.idOf(token);
}

function bpe(fields: Fields): TokenModel {
  const dropout = fields.raw('dropout') ?? 0;
  if (dropout !== 0) throw fields.fail('dropout', 'null or 0, because random merges are a matter of training');
  const vocabulary = vocabularyOf(fields);
  const prefix = fields.string('continuing_subword_prefix', '');
  return new BpeModel(vocabulary, mergesFromJson(vocabulary, fields.list('merges'), prefix), {
    unknownId: unknownOf(fields, vocabulary),
    fuseUnknown: fields.boolean('fuse_unk', false),
    byteFallback: fields.boolean('byte_fallback', false),
    ignoreMerges: fields.boolean('ignore_merges', false),
    continuingPrefix: prefix,
    endSuffix: fields.string('end_of_word_suffix', ''),
  });
}

function unigram(fields: Fields): TokenModel {
  const texts: string[] = [];
  const scores: number[] = [];
  for (const entry of fields.list('vocab')) {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string' || typeof entry[1] !== 'number') {
      throw fields.fail('vocab', 'a list of [text, score]');
    }
    texts.push(entry[0]);
    scores.push(entry[1]);
  }
  const named = fields.raw('unk_id') ?? null;
  const unknownId = named === null ? -1 : fields.integer('unk_id');
  if (unknownId >= texts.length) throw fields.fail('unk_id', `an id below ${texts.length}`);
  return new UnigramModel(Vocabulary.fromTable(texts), scores, unknownId, fields.boolean('byte_fallback', false));
}

function wordPiece(fields: Fields): TokenModel {
  const vocabulary = vocabularyOf(fields);
  return new WordPieceModel(
    vocabulary,
    unknownOf(fields, vocabulary, '[UNK]'),
    fields.string('continuing_subword_prefix', '##'),
    fields.integer('max_input_chars_per_word', 100),
  );
}

function wordLevel(fields: Fields): TokenModel {
  const vocabulary = vocabularyOf(fields);
  return new WordLevelModel(vocabulary, unknownOf(fields, vocabulary, '<unk>'));
}

const models: Readonly<Record<string, (fields: Fields) => TokenModel>> = {
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

/** @throws GallopError `unsupported` for an unknown type, `invalid-file` for wrong fields. */
export function modelFromJson(fields: Fields): TokenModel {
  const type = fields.raw('type') ?? guessType(fields);
  if (typeof type !== 'string' || !Object.hasOwn(models, type)) throw fields.unknownType('model', Object.keys(models));
  return models[type](fields);
}
