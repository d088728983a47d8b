/**
 * A tokenizer.json with a vocabulary of any size: the real vocabulary and merges of SmolLM2 (byte-level BPE), and beyond
 * it joined words with merges of their own, as larger vocabularies have. Every library reads the same file.
 */

import { GallopError } from '@gallop/core';
import type { GgufMetadata } from '@gallop/formats';

const CONTROL = 3;

interface Vocabulary {
  readonly tokens: string[];
  readonly merges: [left: string, right: string][];
}

/**
 * @param metadata of a GGUF file with a byte-level BPE vocabulary
 * @param size tokens wanted, at least as many as the file has
 * @throws GallopError `invalid-file` for a file with another kind of vocabulary
 */
export const tokenizerJson = (metadata: GgufMetadata, size: number): string => {
  const { tokens, merges } = vocabularyOf(metadata);
  const types = metadata.get('tokenizer.ggml.token_type');
  const isControl = (id: number): boolean => types?.type === 'array' && types.value.at(id) === CONTROL;
  const added = tokens.flatMap((content, id) => (isControl(id) ? [{ id, content }] : []));
  extend({ tokens, merges }, size);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added.map(({ id, content }) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel] },
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  });
};

const vocabularyOf = (metadata: GgufMetadata): Vocabulary => {
  const [tokens, merges] = ['tokens', 'merges'].map((key) => metadata.strings(`tokenizer.ggml.${key}`));
  if (tokens === undefined || merges === undefined) {
    throw new GallopError(
      'invalid-file',
      'Expected a GGUF file with a BPE vocabulary and merges; received one without; name SmolLM2 by --model.',
    );
  }
  return {
    tokens: Array.from({ length: tokens.length }, (_, id) => tokens.at(id)),
    merges: Array.from({ length: merges.length }, (_, rank) => {
      const [left, right] = merges.at(rank).split(' ');
      return [left, right];
    }),
  };
};

/** Joins words to words, each ending with another word in every turn, until there are `size` tokens. */
const extend = ({ tokens, merges }: Vocabulary, size: number): void => {
  const known = new Set(tokens);
  const starts = tokens.filter((token) => /^Ġ[a-z]{2,}$/.test(token));
  const endings = tokens.filter((token) => /^[a-z]{3,}$/.test(token));
  for (let turn = 0; turn < starts.length; turn++) {
    for (const [index, ending] of endings.entries()) {
      if (tokens.length >= size) return;
      const start = starts[(index * 31 + turn) % starts.length];
      const joined = start + ending;
      if (known.has(joined)) continue;
      known.add(joined);
      tokens.push(joined);
      merges.push([start, ending]);
    }
  }
  if (tokens.length >= size) return;
  throw new GallopError(
    'invalid-argument',
    `Expected a size that joined words can reach; received ${size}, of which ${tokens.length} were found; ask for fewer.`,
  );
};
