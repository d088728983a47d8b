/** Properties that hold for every text, on tokenizers of every kind. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recorded } from './testing/tokenizers.ts';
import type { Tokenizer } from './tokenizer.ts';

const byteLevel = ['bpe-gpt2', 'bpe-llama3', 'bpe-gpt4o', 'bpe-digits', 'bpe-deepseek'];
const all = [
  ...byteLevel,
  ...[
    'bpe-qwen2',
    'spm-bpe-llama2',
    'spm-bpe-metaspace',
    'unigram',
    'unigram-bytes',
    'wordpiece',
    'wordlevel',
    'added-tokens',
  ],
];

/** Texts with combining marks, astral characters, lone surrogates and stretches of every script. */
const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.constantFrom('e\u0301', ' ', '  ', '\n', 'a\u0308\u0323', 'ﬁ', '\ud800', '가', '中', "'s", '12345', '<s>'),
        { maxLength: 20 },
      )
      .map((parts) => parts.join('')),
  },
);
const settings = { numRuns: 30 };
const plain = { addSpecialTokens: false };

function streamed(tokenizer: Tokenizer, ids: ArrayLike<number>): string[] {
  const stream = tokenizer.createDecodeStream();
  return [...Array.from(ids, (id) => stream.push(id)), stream.flush()];
}

test.each(byteLevel)('%s: decode(encode(text)) is the text, a lone surrogate as U+FFFD', (name) => {
  const tokenizer = recorded(name);
  fc.assert(
    fc.property(text, (input) => {
      expect(tokenizer.decode(tokenizer.encode(input, plain))).toBe(input.toWellFormed());
    }),
    settings,
  );
});

test('byte fallback: decode(encode(text)) is the text where it has no U+2581', () => {
  const tokenizer = recorded('spm-bpe-llama2');
  fc.assert(
    fc.property(text, (input) => {
      const clean = input.replaceAll(/[\u2581<]/g, '').toWellFormed();
      expect(tokenizer.decode(tokenizer.encode(clean, plain))).toBe(clean);
    }),
    settings,
  );
});

describe.each(all)('%s', (name) => {
  const tokenizer = recorded(name);

  test('encode gives the ids of encodeDetailed', () => {
    fc.assert(
      fc.property(text, fc.boolean(), (input, addSpecialTokens) => {
        const quick = tokenizer.encode(input, { addSpecialTokens });
        expect([...quick]).toEqual([...tokenizer.encodeDetailed(input, { addSpecialTokens }).ids]);
      }),
      settings,
    );
  });

  test('offsets rise and lie in the text', () => {
    fc.assert(
      fc.property(text, (input) => {
        const { starts, ends } = tokenizer.encodeDetailed(input, plain);
        const length = [...input].length;
        for (let index = 0; index < starts.length; index++) {
          expect(starts[index]).toBeGreaterThanOrEqual(index > 0 ? starts[index - 1] : 0);
          expect(ends[index]).toBeGreaterThanOrEqual(starts[index]);
          expect(ends[index]).toBeLessThanOrEqual(length);
        }
      }),
      settings,
    );
  });

  test('a stream gives the text of decode, never half a character', () => {
    fc.assert(
      fc.property(text, (input) => {
        const ids = tokenizer.encode(input.replaceAll('\ufffd', ''), plain);
        const pieces = streamed(tokenizer, ids);
        expect(pieces.join('')).toBe(tokenizer.decode(ids));
        for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
      }),
      settings,
    );
  });

  test('a batch gives what its texts give one by one', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), (inputs) => {
        const batch = tokenizer.encodeBatch(inputs);
        expect(batch).toEqual(inputs.map((input) => tokenizer.encodeDetailed(input)));
      }),
      { numRuns: 15 },
    );
  });
});

test.each(byteLevel)('%s: without trimming, offsets cover the text', (name) => {
  fc.assert(
    fc.property(text, (input) => {
      const { starts, ends } = recorded(name).encodeDetailed(input, plain);
      // GPT-2's trims white space out of its offsets.
      if (name === 'bpe-gpt2') return;
      let reached = 0;
      for (let index = 0; index < starts.length; index++) {
        expect(starts[index]).toBeLessThanOrEqual(reached);
        reached = Math.max(reached, ends[index]);
      }
      expect(reached).toBe([...input.toWellFormed()].length);
    }),
    settings,
  );
});

const direction = fc.constantFrom('left', 'right');

test('truncated parts have the length, share the stride, and hold every token', () => {
  const tokenizer = recorded('bpe-gpt2');
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 9 }), fc.nat(1), direction, (input, maxLength, stride, side) => {
      const whole = [...tokenizer.encodeDetailed(input, plain).ids];
      const cut = tokenizer.encodeDetailed(input, { ...plain, truncation: { maxLength, stride, direction: side } });
      const parts = [cut, ...cut.overflowing].map(({ ids }) => [...ids]);
      if (side === 'left') parts.reverse();
      for (const part of parts) expect(part.length).toBeLessThanOrEqual(maxLength);
      const first = parts[0];
      const rest = parts.slice(1);
      if (side === 'right') expect([...first, ...rest.flatMap((part) => part.slice(stride))]).toEqual(whole);
      else
        expect([
          ...parts.slice(0, -1).flatMap((part) => part.slice(0, part.length - stride)),
          ...parts.at(-1)!,
        ]).toEqual(whole);
    }),
    settings,
  );
});

test('padding gives one length, a multiple, and marks itself', () => {
  const tokenizer = recorded('wordpiece');
  const multiple = fc.constantFrom(null, 1, 4, 7);
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 4 }),
      multiple,
      direction,
      (inputs, padToMultipleOf, side) => {
        const bare = tokenizer.encodeBatch(inputs);
        const padded = tokenizer.encodeBatch(inputs, { padding: { padId: 3, padToMultipleOf, direction: side } });
        const [{ length }] = padded;
        expect(length % (padToMultipleOf ?? 1)).toBe(0);
        padded.forEach((encoding, index) => {
          expect(encoding).toHaveLength(length);
          const kept = [...encoding.ids].filter((_, at) => encoding.attentionMask[at] === 1);
          expect(kept).toEqual([...bare[index].ids]);
          expect([...encoding.ids].filter((_, at) => encoding.attentionMask[at] === 0).every((id) => id === 3)).toBe(
            true,
          );
        });
      },
    ),
    settings,
  );
});
