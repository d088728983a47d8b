/** `t5`: Unigram as GGUF files hold it, with SentencePiece's replacements and its treatment of spaces. */
import { GallopError } from '@gallop/core';
import { UnigramModel } from '../models/unigram-model.ts';
import { prepend, replace, strip } from '../normalizers/edits.ts';
import { type Normalizer, sequence } from '../normalizers/normalizer.ts';
import { precompiled } from '../normalizers/precompiled.ts';
import { literalPattern, regexPattern } from '../text/pattern.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { type GgufStages, MARK, markDecoder } from './gguf-models.ts';
import type { TokenizerMetadata } from './metadata.ts';
import { TokenType } from './token-types.ts';

const UNKNOWN = 2;

/** User-defined tokens count nothing; control, unknown and byte tokens never come out of text. */
function tokenScores(scores: ArrayLike<number>, types: ArrayLike<number>): Float64Array {
  const neverFound: number[] = [TokenType.unknown, TokenType.control, TokenType.byte];
  return Float64Array.from(scores, (score, id) => {
    if (neverFound.includes(types[id])) return Number.NEGATIVE_INFINITY;
    return types[id] === TokenType.userDefined ? 0 : score;
  });
}

function normalizerOf(metadata: TokenizerMetadata): Normalizer {
  const steps: Normalizer[] = [];
  const table = metadata.numbers('tokenizer.ggml.precompiled_charsmap');
  if (table && table.length > 0) steps.push(precompiled(Uint8Array.from(table)));
  const merges = metadata.boolean('tokenizer.ggml.remove_extra_whitespaces', false);
  if (merges) steps.push(strip(true, true), replace(regexPattern(/ {2,}/gv), ' '));
  if (merges || metadata.boolean('tokenizer.ggml.add_space_prefix', false)) steps.push(prepend(' '));
  steps.push(replace(literalPattern(' '), MARK));
  return sequence(steps);
}

export function unigramStages(metadata: TokenizerMetadata, vocabulary: Vocabulary): GgufStages {
  const scores = metadata.numbers('tokenizer.ggml.scores');
  if (scores?.length !== vocabulary.size) {
    throw new GallopError(
      'invalid-file',
      `Expected metadata tokenizer.ggml.scores with ${vocabulary.size} numbers; found ${scores?.length ?? 'none'}. Use a complete conversion of the model.`,
    );
  }
  const unknownId = metadata.id('tokenizer.ggml.unknown_token_id') ?? UNKNOWN;
  const types = metadata.numbers('tokenizer.ggml.token_type') ?? [];
  return {
    model: new UnigramModel(vocabulary, tokenScores(scores, types), vocabulary.has(unknownId) ? unknownId : -1, false),
    normalizer: normalizerOf(metadata),
    preTokenizer: undefined,
    decoder: markDecoder(true),
    defaults: { endOfText: 1, unknown: UNKNOWN, padding: 0 },
    addBeginning: false,
    addEnd: true,
    addSeparator: false,
    spaceMark: true,
  };
}
