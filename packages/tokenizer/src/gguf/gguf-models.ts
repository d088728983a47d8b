/** The stages of each kind of GGUF tokenizer (tokenizer.ggml.model). */
import { GallopError } from '@gallop/core';
import { mergesFromTable } from '../bpe/build-merges.ts';
import { byteFallbackDecoder, byteLevelDecoder } from '../decoders/byte-decoders.ts';
import { type Decoder, sequence as decoderSequence } from '../decoders/decoder.ts';
import { fuseDecoder, replaceDecoder, stripDecoder } from '../decoders/text-decoders.ts';
import { BpeModel } from '../models/bpe-model.ts';
import { ScoreBpeModel } from '../models/score-bpe-model.ts';
import type { TokenModel } from '../models/token-model.ts';
import { prepend, replace } from '../normalizers/edits.ts';
import { type Normalizer, sequence as normalizerSequence } from '../normalizers/normalizer.ts';
import { byteLevel } from '../pre-tokenizers/byte-level.ts';
import { type PreTokenizer, sequence as preTokenizerSequence } from '../pre-tokenizers/pre-tokenizer.ts';
import { split } from '../pre-tokenizers/split.ts';
import { literalPattern, regexPattern } from '../text/pattern.ts';
import type { SpecialTokens } from '../tokenizer-parts.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import type { TokenizerMetadata } from './metadata.ts';
import { ggufPreTokenizer } from './pre-tokenizer-table.ts';

/** What stands for a space. */
export const MARK = '\u2581';

/** What a kind of tokenizer contributes. */
export interface GgufStages {
  readonly model: TokenModel;
  readonly normalizer: Normalizer | undefined;
  readonly preTokenizer: PreTokenizer | undefined;
  readonly decoder: Decoder;
  /** Ids of roles that the file does not give. */
  readonly defaults: SpecialTokens;
  readonly addBeginning: boolean;
  readonly addEnd: boolean;
  readonly addSeparator: boolean;
  /** True if tokens write spaces as U+2581. */
  readonly spaceMark: boolean;
}

/** `gpt2`: BPE by merges, byte-level with few exceptions. */
export function bytePairStages(metadata: TokenizerMetadata, vocabulary: Vocabulary): GgufStages {
  const merges = metadata.strings('tokenizer.ggml.merges');
  if (!merges) {
    throw new GallopError(
      'invalid-file',
      'Expected metadata tokenizer.ggml.merges for a gpt2 tokenizer; found none. Use a complete conversion of the model.',
    );
  }
  const gemma = metadata.string('tokenizer.ggml.model') === 'gemma4';
  const pre = ggufPreTokenizer(gemma ? 'gemma4' : (metadata.string('tokenizer.ggml.pre') ?? 'default'));
  const patterns = pre.patterns.map(({ expression, splitter }) =>
    split(regexPattern(expression), 'Isolated', false, splitter),
  );
  const unknownId = metadata.id('tokenizer.ggml.unknown_token_id');
  const model = new BpeModel(vocabulary, mergesFromTable(vocabulary, merges), {
    wholePieces: pre.ignoreMerges ? 'all' : pre.wholeLineBreaks ? 'line breaks' : 'none',
    byteFallback: pre.plainText ?? false,
    ...(pre.plainText && unknownId !== undefined && { unknownId }),
  });
  const common = {
    model,
    defaults: gemma ? {} : { beginningOfText: 11, endOfText: 11 },
    addBeginning: pre.addBeginning ?? false,
    addEnd: false,
    addSeparator: pre.addSeparator ?? false,
  };
  if (pre.plainText) {
    return {
      ...common,
      normalizer: replace(literalPattern(' '), MARK),
      preTokenizer: preTokenizerSequence(patterns),
      decoder: markDecoder(false),
      spaceMark: true,
    };
  }
  return {
    ...common,
    normalizer: undefined,
    preTokenizer: preTokenizerSequence([...patterns, byteLevel(false, false)]),
    decoder: byteLevelDecoder,
    spaceMark: false,
  };
}

/** `llama`: SentencePiece BPE by scores with byte fallback. */
export function scoreStages(metadata: TokenizerMetadata, vocabulary: Vocabulary): GgufStages {
  const scores = metadata.numbers('tokenizer.ggml.scores');
  if (!scores || scores.length !== vocabulary.size) {
    throw new GallopError(
      'invalid-file',
      `Expected metadata tokenizer.ggml.scores with ${vocabulary.size} numbers; found ${scores?.length ?? 'none'}. Use a complete conversion of the model.`,
    );
  }
  const unknownId = metadata.id('tokenizer.ggml.unknown_token_id') ?? 0;
  const prefix = metadata.boolean('tokenizer.ggml.add_space_prefix', true);
  const marks = replace(literalPattern(' '), MARK);
  return {
    model: new ScoreBpeModel(vocabulary, scores, vocabulary.has(unknownId) ? unknownId : -1),
    normalizer: prefix ? normalizerSequence([prepend(' '), marks]) : marks,
    preTokenizer: undefined,
    decoder: markDecoder(prefix),
    defaults: { beginningOfText: 1, endOfText: 2, unknown: 0 },
    addBeginning: true,
    addEnd: false,
    addSeparator: false,
    spaceMark: true,
  };
}

/** U+2581 as a space, byte tokens as bytes, and without the space that encoding put in front. */
export function markDecoder(prefix: boolean): Decoder {
  const steps = [replaceDecoder(literalPattern(MARK), ' '), byteFallbackDecoder, fuseDecoder];
  return decoderSequence(prefix ? [...steps, stripDecoder(' ', 1, 0)] : steps);
}
