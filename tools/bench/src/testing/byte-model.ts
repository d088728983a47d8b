/** A tiny random model with a byte-level vocabulary, so that it can read any prompt. For tests of the benchmarks. */

import {
  collectChunks,
  encodeGguf,
  type GgufFile,
  type GgufModel,
  ggufStrings,
  memorySource,
  openGguf,
} from '@gallop/formats';
import { type TinyModelOptions, tinyModel } from '@gallop/models/testing';

/** The characters that stand for the 256 bytes in byte-level vocabularies: printable ones for themselves. */
const byteAlphabet = (): readonly string[] => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCodePoint(printable ? byte : next++);
  });
};

/** Merges that build a word letter by letter, and the tokens they make. */
const wordMerges = (word: string): readonly (readonly [left: string, right: string])[] =>
  [...word].slice(1).map((letter, index) => [word.slice(0, index + 1), letter]);

/** What the model's file holds. @param words tokens beyond the bytes; a space is `Ġ` */
export const byteModelParts = (words: readonly string[] = [], options: Partial<TinyModelOptions> = {}): GgufModel => {
  const merges = [...new Map(words.flatMap(wordMerges).map((merge) => [merge.join(''), merge])).values()];
  const tokens = [...byteAlphabet(), ...merges.map((merge) => merge.join('')), '<|end|>'];
  const model = tinyModel({ architecture: 'llama', vocabSize: tokens.length, ...options });
  const types = Int32Array.from(tokens, (_, id) => (id === tokens.length - 1 ? 3 : 1));
  return {
    tensors: model.tensors,
    metadata: new Map([
      ...model.metadata,
      ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
      ['tokenizer.ggml.pre', { type: 'string', value: 'gpt-2' }],
      ['tokenizer.ggml.tokens', ggufStrings(tokens)],
      ['tokenizer.ggml.token_type', { type: 'array', elementType: 'i32', value: types }],
      ['tokenizer.ggml.merges', ggufStrings(merges.map((merge) => merge.join(' ')))],
      ['tokenizer.ggml.bos_token_id', { type: 'u32', value: tokens.length - 1 }],
      ['tokenizer.ggml.eos_token_id', { type: 'u32', value: tokens.length - 1 }],
    ]),
  };
};

/** The model as an open file in memory. */
export const byteModel = async (words?: readonly string[], options?: Partial<TinyModelOptions>): Promise<GgufFile> =>
  openGguf(memorySource(await collectChunks(encodeGguf(byteModelParts(words, options)))));
