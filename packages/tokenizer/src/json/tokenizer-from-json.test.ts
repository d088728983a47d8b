/** tokenizer.json files: the reference's rules where files are odd, and typed errors where they are wrong. */
import { GallopError } from '@gallop/core';
import { describe, expect, test } from 'vitest';
import { added, file, vocabulary } from '../testing/tokenizers.ts';
import { tokenizerFromJson } from './tokenizer-from-json.ts';

const words = { type: 'WordLevel', vocab: vocabulary('?', 'a', 'b', '<s>', '</s>'), unk_token: '?' };
const split = { pre_tokenizer: { type: 'WhitespaceSplit' } };
const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

test('a string, bytes and parsed JSON give the same tokenizer', () => {
  const json = file(words, split);
  for (const input of [json, JSON.stringify(json), bytes(json)]) {
    expect([...tokenizerFromJson(input).encode('a b c')]).toEqual([1, 2, 0]);
  }
});

describe('ids', () => {
  test('an added token has the id of the vocabulary, or the next one behind it', () => {
    const tokens = [added(77, 'b'), added(99, '<x>'), added(50, '<y>')];
    const tokenizer = tokenizerFromJson(file(words, { ...split, added_tokens: tokens }));
    expect(['b', '<x>', '<y>'].map((token) => tokenizer.tokenToId(token))).toEqual([2, 5, 6]);
  });

  test('two texts may have one id, and ids may be missing', () => {
    const vocab = { '?': 0, a: 3, b: 3, c: 9 };
    const tokenizer = tokenizerFromJson(file({ ...words, vocab }, split));
    expect([...tokenizer.encode('a b c d')]).toEqual([3, 3, 9, 0]);
    expect(tokenizer.idToToken(5)).toBeUndefined();
    expect(tokenizer.vocabularySize).toBe(10);
  });

  test('of two added tokens with one text the later one counts, but special stays special', () => {
    const tokens = [added(5, '<x>', { special: true }), added(6, '<x>', { lstrip: true })];
    const tokenizer = tokenizerFromJson(file(words, { ...split, added_tokens: tokens }));
    expect(tokenizer.encodeDetailed('a  <x>').tokens).toEqual(['a', '  <x>']);
    expect(tokenizer.decode([1, 5], { skipSpecialTokens: true })).toBe('a');
  });
});

test('post-processors in a sequence see what the one before made', () => {
  const template = (parts: object[]) => ({
    type: 'TemplateProcessing',
    single: parts,
    pair: [{ SpecialToken: { id: '</s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    special_tokens: {
      '<s>': { id: '<s>', ids: [3], tokens: ['<s>'] },
      '</s>': { id: '</s>', ids: [4], tokens: ['</s>'] },
    },
  });
  const text = { Sequence: { id: 'A', type_id: 0 } };
  // The first template makes two parts, so the second one takes them for a pair and keeps the first of them.
  const processors = [template([{ SpecialToken: { id: '<s>', type_id: 0 } }, text]), template([text])];
  const tokenizer = tokenizerFromJson(file(words, { ...split, post_processor: { type: 'Sequence', processors } }));
  expect([...tokenizer.encode('a')]).toEqual([4, 3]);
});

test('offsets move to the left where characters vanish', () => {
  const bpe = { type: 'BPE', vocab: vocabulary('a', 'b', 'ab'), merges: ['a b'] };
  const tokenizer = tokenizerFromJson(file(bpe));
  expect(tokenizer.encodeDetailed('éaxb').offsets).toEqual([[0, 1]]);
  expect(tokenizer.encodeDetailed('aéb').offsets).toEqual([[0, 2]]);
});

test('scores are read as the reference reads them', () => {
  // The nearest double of this number is another one.
  const vocab = [
    ['<unk>', 0],
    ['a', -9.411548067906688],
    ['b', -9.411548067906688],
  ];
  const text = JSON.stringify(file({ type: 'Unigram', unk_id: 0, vocab }));
  expect([...tokenizerFromJson(text).encode('ab')]).toEqual([1, 2]);
});

const bpe = { type: 'BPE', vocab: vocabulary('a', 'b', 'ab'), merges: ['a b'] };
const template = { type: 'TemplateProcessing', single: [], pair: [], special_tokens: {} };

test.each<[what: string, input: string | object, code: string]>([
  ['nothing', '', 'invalid-file'],
  ['cut JSON', JSON.stringify(file(words)).slice(0, -20), 'invalid-file'],
  ['cut JSON in the vocabulary', JSON.stringify(file(words)).slice(0, 190), 'invalid-file'],
  ['a control character between values', JSON.stringify(file(words)).replace('null', '\u0001'), 'invalid-file'],
  ['a list', '[]', 'invalid-file'],
  ['no model', file(null as unknown as object), 'invalid-file'],
  ['another version', { ...file(words), version: '2.0' }, 'unsupported'],
  ['a model of an unknown kind', file({ type: 'Neural', vocab: {} }), 'unsupported'],
  ['a vocabulary of lists', file({ ...words, vocab: [] }), 'invalid-file'],
  ['a negative id', file({ ...words, vocab: { a: -1 } }), 'invalid-file'],
  ['a fractional id', file({ ...words, vocab: { a: 1.5 } }), 'invalid-file'],
  ['an id far off', file({ ...words, vocab: { a: 4_000_000_000 } }), 'invalid-file'],
  ['a merge of an unknown token', file({ ...bpe, merges: ['a c'] }), 'invalid-file'],
  ['a merge into an unknown token', file({ ...bpe, merges: ['b a'] }), 'invalid-file'],
  ['a merge of one part', file({ ...bpe, merges: ['ab'] }), 'invalid-file'],
  ['a merge of three parts', file({ ...bpe, merges: [['a', 'b', 'c']] }), 'invalid-file'],
  ['random merges', file({ ...bpe, dropout: 0.1 }), 'invalid-file'],
  ['a Unigram score that is no number', file({ type: 'Unigram', unk_id: 0, vocab: [['a', 'b']] }), 'invalid-file'],
  ['an unk_id outside', file({ type: 'Unigram', unk_id: 7, vocab: [['a', 0]] }), 'invalid-file'],
  ['an unknown normalizer', file(words, { normalizer: { type: 'Magic' } }), 'unsupported'],
  ['a prototype as a type', file(words, { normalizer: { type: '__proto__' } }), 'unsupported'],
  ['a normalizer that is a list', file(words, { normalizer: [] }), 'invalid-file'],
  [
    'an exponential pattern',
    file(words, { pre_tokenizer: { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Removed' } }),
    'invalid-file',
  ],
  [
    'a recursive pattern',
    file(words, { normalizer: { type: 'Replace', pattern: { Regex: '(?<a>\\g<a>)' }, content: '' } }),
    'invalid-file',
  ],
  [
    'an unknown behavior',
    file(words, { pre_tokenizer: { type: 'Split', pattern: { String: 'a' }, behavior: 'Odd' } }),
    'invalid-file',
  ],
  [
    'a table that is none',
    file(words, { normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAA' } }),
    'invalid-file',
  ],
  [
    'a template of an unknown token',
    file(words, { post_processor: { ...template, single: [{ SpecialToken: { id: 'x' } }] } }),
    'invalid-file',
  ],
  [
    'a template with B alone',
    file(words, { post_processor: { ...template, single: [{ Sequence: { id: 'B' } }] } }),
    'invalid-file',
  ],
  ['a truncation without length', file(words, { truncation: {} }), 'invalid-file'],
  ['an added token without content', file(words, { added_tokens: [{ id: 1 }] }), 'invalid-file'],
])('%s: %s', (_what, input, code) => {
  let thrown: unknown;
  try {
    tokenizerFromJson(input);
  } catch (error) {
    thrown = error;
  }
  expect(GallopError.isInstance(thrown), String(thrown)).toBe(true);
  expect(thrown).toMatchObject({ code });
  expect((thrown as GallopError).message).toMatch(/expected/i);
});

test('components nested without end', () => {
  let normalizer: object = { type: 'NFC' };
  for (let depth = 0; depth < 5000; depth++) normalizer = { type: 'Sequence', normalizers: [normalizer] };
  expect(() => tokenizerFromJson(file(words, { normalizer }))).toThrow(/nested/);
  const cyclic: { type: string; normalizers: object[] } = { type: 'Sequence', normalizers: [] };
  cyclic.normalizers.push(cyclic);
  expect(() => tokenizerFromJson(file(words, { normalizer: cyclic }))).toThrow(GallopError);
});

test('a word outside the vocabulary without an unknown token is an error when it comes', () => {
  const tokenizer = tokenizerFromJson(file({ ...words, unk_token: 'absent' }, split));
  expect([...tokenizer.encode('a')]).toEqual([1]);
  expect(() => tokenizer.encode('c')).toThrow(expect.objectContaining({ code: 'unsupported' }));
});
