/**
 * Worst cases take time in proportion to their length, with every algorithm: a megabyte without anything to split at, in
 * one character or in many, and texts of nothing but overlapping added tokens. A method of quadratic time would need minutes
 * for these.
 */
import { expect, test } from 'vitest';
import { tokenizerFromJson } from './json/tokenizer-from-json.ts';
import { added, file, recorded, vocabulary } from './testing/tokenizers.ts';

const SIZE = 250_000;
const texts: Readonly<Record<string, string>> = {
  'one word': Array.from({ length: SIZE }, (_, index) =>
    'etaoinshrdlu'.charAt((index * index + (index >> 3)) % 12),
  ).join(''),
  'one letter': 'a'.repeat(SIZE),
  spaces: ' '.repeat(SIZE),
  'combining marks': `e${'\u0301'.repeat(SIZE)}`,
  'line breaks': '\r\n'.repeat(SIZE / 2),
  digits: '7'.repeat(SIZE),
};
const names = [
  'bpe-gpt2',
  'bpe-llama3',
  'bpe-deepseek',
  'spm-bpe-llama2',
  'spm-bpe-metaspace',
  'unigram',
  'unigram-bytes',
  'wordpiece',
  'wordlevel',
];

test.each(names.flatMap((name) => Object.keys(texts).map((kind) => [name, kind])))(
  '%s: %s',
  (name, kind) => {
    const tokenizer = recorded(name);
    const text = texts[kind];
    const ids = tokenizer.encode(text, { addSpecialTokens: false });
    // Two halves make about as many tokens as the whole: nothing was given up.
    const half = tokenizer.encode(text.slice(0, text.length / 2), { addSpecialTokens: false });
    expect(Math.abs(ids.length - 2 * half.length)).toBeLessThanOrEqual(4 + ids.length * 0.001);
    expect(typeof tokenizer.decode(ids)).toBe('string');
  },
  20_000,
);

test.each(['leftmost', 'normalized'])('added tokens inside added tokens, %s', (kind) => {
  const tokens = Array.from({ length: 200 }, (_, index) =>
    added(4 + index, 'ab'.repeat(index + 1), { normalized: kind === 'normalized', lstrip: index % 2 === 0 }),
  );
  const tokenizer = tokenizerFromJson(
    file({ type: 'WordLevel', vocab: vocabulary('?', 'a', 'b', 'c'), unk_token: '?' }, { added_tokens: tokens }),
  );
  const ids = tokenizer.encode('ab'.repeat(100_000));
  expect(ids).toHaveLength(500);
  expect(tokenizer.encode(`${'ab'.repeat(199)}a `.repeat(200)).length).toBe(400);
});

test('a stream of a hundred thousand invalid bytes', () => {
  const tokenizer = recorded('spm-bpe-llama2');
  const stream = tokenizer.createDecodeStream();
  const id = tokenizer.tokenToId('<0xE4>')!;
  for (let count = 0; count < 100_000; count++) expect(stream.push(id)).toBe('');
  expect(stream.flush()).toHaveLength(100_000);
});
