/**
 * `bert`: WordPiece as GGUF files hold it. Tokens that begin a word carry U+2581 in front, those inside a word carry nothing.
 */
import { WordPieceModel } from '../models/word-piece-model.ts';
import { bertNormalizer } from '../normalizers/characters.ts';
import { prefixed } from '../pre-tokenizers/prefixed.ts';
import { bert } from '../pre-tokenizers/scanned.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { type GgufStages, MARK, markDecoder } from './gguf-models.ts';
import type { TokenizerMetadata } from './metadata.ts';

const UNKNOWN = 100;

export function wordPieceStages(metadata: TokenizerMetadata, vocabulary: Vocabulary): GgufStages {
  const unknownId = metadata.id('tokenizer.ggml.unknown_token_id') ?? UNKNOWN;
  return {
    model: new WordPieceModel(vocabulary, vocabulary.has(unknownId) ? unknownId : -1, '', Number.MAX_SAFE_INTEGER),
    normalizer: bertNormalizer({
      cleanText: true,
      handleChineseChars: true,
      stripAccents: metadata.boolean('tokenizer.ggml.normalizer.strip_accents', true),
      lowercase: metadata.boolean('tokenizer.ggml.normalizer.lowercase', true),
    }),
    preTokenizer: prefixed(bert, MARK),
    decoder: markDecoder(true),
    defaults: { beginningOfText: 101, unknown: UNKNOWN, separator: 102, padding: 0, mask: 103 },
    addBeginning: true,
    addEnd: false,
    addSeparator: true,
    spaceMark: false,
  };
}
