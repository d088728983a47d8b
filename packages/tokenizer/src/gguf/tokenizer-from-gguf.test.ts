/** Tokenizers from GGUF metadata: each kind on a small vocabulary, defaults, and typed errors. */
import { GallopError } from '@gallop/core';
import { describe, expect, test } from 'vitest';
import { byteToCode } from '../text/byte-alphabet.ts';
import { tokenizerFromGguf } from './tokenizer-from-gguf.ts';

const MARK = '\u2581';
const [NORMAL, UNKNOWN, CONTROL, USER] = [1, 2, 3, 4];

/** Metadata with the prefix tokenizer. left out of its keys. */
function metadata(entries: Readonly<Record<string, unknown>>): Map<string, unknown> {
  return new Map(Object.entries(entries).map(([key, value]) => [`tokenizer.${key}`, value]));
}

const byteTokens = Array.from(byteToCode, (code) => String.fromCodePoint(code));

function byteLevel(pre: string, more: readonly string[], merges: readonly string[], extra: object = {}) {
  const tokens = [...byteTokens, ...more];
  return tokenizerFromGguf(
    metadata({ 'ggml.model': 'gpt2', 'ggml.pre': pre, 'ggml.tokens': tokens, 'ggml.merges': merges, ...extra }),
  );
}

describe('gpt2', () => {
  const texts = (pre: string, text: string): string[] => {
    const tokenizer = byteLevel(pre, ['12', '123', '\u0120a', 'ab'], ['1 2', '12 3', '\u0120 a', 'a b']);
    return tokenizer.encodeDetailed(text, { addSpecialTokens: false }).tokens.slice();
  };

  test.each([
    ['gpt-2', ['123', '4', '\u0120a', 'b']],
    ['llama-bpe', ['123', '4', '\u0120a', 'b']],
    ['qwen2', ['1', '2', '3', '4', '\u0120a', 'b']],
    ['smollm', ['1', '2', '3', '4', '\u0120a', 'b']],
    ['deepseek-v3', ['123', '4', '\u0120a', 'b']],
    ['gpt-4o', ['123', '4', '\u0120a', 'b']],
    ['tekken', ['1', '2', '3', '4', '\u0120a', 'b']],
    ['seed-coder', ['1', '2', '3', '4', '\u0120a', 'b']],
    ['default', ['123', '4', '\u0120a', 'b']],
  ])('%s cuts digits as its pattern says', (pre, expected) => {
    expect(texts(pre, '1234 ab')).toEqual(expected);
  });

  test('groups of thousands are counted from the right', () => {
    expect(texts('tiny_aya', '12345')).toEqual(['12', '3', '4', '5']);
  });

  test('every pre-tokenizer with a name gives back any text', () => {
    const names = listOf(thrownBy(() => byteLevel('nothing', [], [])).message);
    expect(names.length).toBeGreaterThan(70);
    const text = "It's 12345  naïve\r\n\n 中文 한국어 ÀÉ foo_bar(1) <x>\t'LL ";
    for (const name of names) {
      const tokenizer = byteLevel(name, ['ab'], ['a b']);
      const plain = name === 'gemma4' || name === 'sarvam-moe' || name === 'granite-embed-multi-311m';
      const ids = tokenizer.encode(text, { addSpecialTokens: false });
      expect([...ids]).toEqual([...tokenizer.encodeDetailed(text, { addSpecialTokens: false }).ids]);
      if (!plain) expect(tokenizer.decode(ids), name).toBe(text);
    }
  });

  test('special tokens stand where the metadata says', () => {
    const extra = { 'ggml.token_type': [...byteTokens.map(() => NORMAL), CONTROL, USER], 'ggml.bos_token_id': 256 };
    const tokenizer = byteLevel('llama-bpe', ['<s>', 'ab'], [], extra);
    expect([...tokenizer.encode('ab<s>')]).toEqual([256, 257, 256]);
    expect([...tokenizer.encode('<s>', { parseSpecial: false, addSpecialTokens: false })]).toHaveLength(3);
    expect(tokenizer.decode([256, 257], { skipSpecialTokens: true })).toBe('ab');
  });
});

test('llama: merges by score, bytes for the rest, a space in front', () => {
  const tokens = [
    '<unk>',
    '<s>',
    '</s>',
    ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
    MARK,
    'a',
    'b',
    'ab',
    `${MARK}ab`,
  ];
  const scores = tokens.map((_, id) => (id < 259 ? 0 : -id));
  const types = tokens.map((_, id) => (id === 0 ? UNKNOWN : id < 3 ? CONTROL : id < 259 ? 6 : NORMAL));
  const tokenizer = tokenizerFromGguf(
    metadata({ 'ggml.model': 'llama', 'ggml.tokens': tokens, 'ggml.scores': scores, 'ggml.token_type': types }),
  );
  expect(tokenizer.encodeDetailed('ab é').tokens).toEqual(['<s>', `${MARK}ab`, MARK, '<0xC3>', '<0xA9>']);
  expect(tokenizer.decode(tokenizer.encode('ab é'), { skipSpecialTokens: true })).toBe('ab é');
});

test('bert: tokens that begin a word carry the mark', () => {
  const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', `${MARK}un`, 'able', `${MARK}!`, `${MARK}eat`];
  const tokenizer = tokenizerFromGguf(
    metadata({
      'ggml.model': 'bert',
      'ggml.tokens': tokens,
      'ggml.token_type': [3, 3, 3, 3, 1, 1, 1, 1],
      'ggml.bos_token_id': 2,
      'ggml.seperator_token_id': 3,
      'ggml.unknown_token_id': 1,
    }),
  );
  expect([...tokenizer.encode('Unable! xx Éat')]).toEqual([2, 4, 5, 6, 1, 7, 3]);
  expect([...tokenizer.encode('Unable!')]).toEqual([...tokenizer.encodeDetailed('Unable!').ids]);
  expect(tokenizer.decode([4, 5, 6])).toBe('unable !');
});

test('t5: the best path, never through control tokens, an end token behind', () => {
  const tokens = ['<pad>', '</s>', '<unk>', `${MARK}`, 'a', 'b', `${MARK}ab`, '<x>'];
  const scores = [0, 0, 0, -2, -3, -3, -4, 0];
  const tokenizer = tokenizerFromGguf(
    metadata({
      'ggml.model': 't5',
      'ggml.tokens': tokens,
      'ggml.scores': scores,
      'ggml.token_type': [3, 3, 2, 1, 1, 1, 1, 4],
      'ggml.add_space_prefix': true,
      'ggml.remove_extra_whitespaces': true,
    }),
  );
  expect([...tokenizer.encode('  ab   aé ')]).toEqual([6, 3, 4, 2, 1]);
  expect([...tokenizer.encode('ab<x>', { addSpecialTokens: false })]).toEqual([6, 7]);
  expect([...tokenizer.encode('</s>', { addSpecialTokens: false, parseSpecial: false })]).toEqual([3, 2]);
});

test('gemma4: merges of plain characters, runs of line feeds whole', () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = [...bytes, MARK, 'a', `${MARK}a`, '\n', '\n\n'];
  const tokenizer = tokenizerFromGguf(
    metadata({ 'ggml.model': 'gemma4', 'ggml.tokens': tokens, 'ggml.merges': [`${MARK} a`] }),
  );
  expect(tokenizer.encodeDetailed('a a\n\né').tokens).toEqual(['a', `${MARK}a`, '\n\n', '<0xC3>', '<0xA9>']);
  expect(tokenizer.decode(tokenizer.encode('a a\n\né'))).toBe('a a\n\né');
});

function thrownBy(action: () => unknown): GallopError {
  try {
    action();
  } catch (error) {
    if (GallopError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The names that the message about an unknown one lists. */
function listOf(message: string): string[] {
  return message.slice(message.indexOf(': ') + 2, message.indexOf('; received')).split(', ');
}

describe('errors', () => {
  const good = { 'ggml.model': 'gpt2', 'ggml.tokens': ['a'], 'ggml.merges': [] };

  test('an unknown pre-tokenizer is named', () => {
    const error = thrownBy(() => tokenizerFromGguf(metadata({ ...good, 'ggml.pre': 'my-own' })));
    expect(error.code).toBe('unsupported');
    expect(error.message).toContain('"my-own"');
  });

  test.each<[what: string, entries: object, code: string]>([
    ['no tokens', { 'ggml.model': 'gpt2' }, 'invalid-file'],
    ['an unknown model', { ...good, 'ggml.model': 'rwkv' }, 'unsupported'],
    ['no merges', { ...good, 'ggml.merges': undefined }, 'invalid-file'],
    ['a merge of one part', { ...good, 'ggml.merges': ['ab'] }, 'invalid-file'],
    ['tokens that are numbers', { ...good, 'ggml.tokens': Int32Array.of(1) }, 'invalid-file'],
    ['too few types', { ...good, 'ggml.tokens': ['a', 'b'], 'ggml.token_type': [1] }, 'invalid-file'],
    ['no scores', { 'ggml.model': 'llama', 'ggml.tokens': ['a'] }, 'invalid-file'],
    ['an id that is a text', { ...good, 'ggml.bos_token_id': 'first' }, 'invalid-file'],
    [
      'a broken table',
      { 'ggml.model': 't5', 'ggml.tokens': ['a'], 'ggml.scores': [0], 'ggml.precompiled_charsmap': [1, 2] },
      'invalid-file',
    ],
  ])('%s', (_what, entries, code) => {
    expect(thrownBy(() => tokenizerFromGguf(metadata(entries as Record<string, unknown>)))).toMatchObject({ code });
  });
});
