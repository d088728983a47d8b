import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GallopError } from '../errors.ts';
import {
  randomUniform,
  randomWords,
  seedWords,
  wordsToGaussians,
  wordsToUniformDouble,
  wordToUniform,
} from './draws.ts';
import { type GeneratorName, randomBlock } from './generators.ts';
import { multiplyHigh, multiplyLow } from './words.ts';

const words = (text: string): Uint32Array => Uint32Array.from(text.split(' '), (word) => Number.parseInt(word, 16));

/** Known-answer vectors of random123 (kat_vectors): generator, rounds, counter, key, result. */
const KNOWN: readonly (readonly [GeneratorName, number, string, string, string])[] = [
  ['philox4x32', 10, '0 0 0 0', '0 0', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['philox4x32', 10, 'ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['philox4x32', 10, '243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ['philox2x32', 10, '0 0', '0', 'ff1dae59 6cd10df2'],
  ['threefry2x32', 20, '0 0', '0 0', '6b200159 99ba4efe'],
  ['threefry2x32', 20, 'ffffffff ffffffff', 'ffffffff ffffffff', '1cb996fc bb002be7'],
  ['threefry4x32', 20, '0 0 0 0', '0 0 0 0', '9c6ca96a e17eae66 fc10ecd4 5256a7d8'],
];

describe('counter-based generators', () => {
  it.each(KNOWN)('%s with %i rounds of counter %s and key %s', (generator, rounds, counter, key, result) => {
    expect([...randomBlock(generator, rounds, words(counter), words(key))]).toEqual([...words(result)]);
  });

  it('multiplies words exactly', () => {
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const product = BigInt(a) * BigInt(b);
        expect(multiplyHigh(a, b)).toBe(Number(product >> 32n));
        expect(multiplyLow(a, b)).toBe(Number(product & 0xffff_ffffn));
      }),
      { examples: [[0xffff_ffff, 0xffff_ffff]] },
    );
  });

  it('refuses what it cannot compute', () => {
    expect(() => randomBlock('other' as GeneratorName, 10, words('0 0'), words('0 0'))).toThrow(GallopError);
    expect(() => randomBlock('philox4x32', 0, words('0 0 0 0'), words('0 0'))).toThrow(GallopError);
    expect(() => randomBlock('philox4x32', 1e9, words('0 0 0 0'), words('0 0'))).toThrow(GallopError);
    expect(() => randomBlock('philox4x32', 10, words('0 0'), words('0 0'))).toThrow(/4 counter words/);
  });
});

describe('named draws', () => {
  it('uses every part of the name', () => {
    const base = { seed: 7, stream: 1, position: 2, purpose: 3 };
    const others = [{ seed: 8 }, { seed: 7n + (1n << 32n) }, { stream: 0 }, { position: 1 }, { purpose: 0 }];
    for (const other of others) expect(randomWords({ ...base, ...other })).not.toEqual(randomWords(base));
    expect(randomWords({ ...base })).toEqual(randomWords(base));
  });

  it('splits seeds into words, numbers and bigints alike', () => {
    expect([...seedWords(2 ** 53 - 1)]).toEqual([0xffff_ffff, 0x1f_ffff]);
    expect([...seedWords((1n << 64n) - 1n)]).toEqual([0xffff_ffff, 0xffff_ffff]);
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53, -1n, 1n << 64n])
      expect(() => seedWords(seed)).toThrow(GallopError);
  });

  it('refuses positions outside 32 bits', () => {
    for (const position of [-1, 0.5, Number.NaN, 2 ** 32])
      expect(() => randomWords({ seed: 0, position })).toThrow(/position/);
  });

  it('maps words to [0, 1)', () => {
    expect([wordToUniform(0), wordToUniform(0xffff_ffff)]).toEqual([0, 1 - 2 ** -24]);
    expect([wordsToUniformDouble(0, 0), wordsToUniformDouble(0xffff_ffff, 0xffff_ffff)]).toEqual([0, 1 - 2 ** -53]);
  });

  it('has the moments of the uniform and the normal distribution', () => {
    const count = 4000;
    let uniform = 0;
    let normal = 0;
    let square = 0;
    for (let position = 0; position < count; position++) {
      uniform += randomUniform({ seed: 3, position }) / count;
      const [a, b] = randomWords({ seed: 4, position });
      const [x, y] = wordsToGaussians(a, b);
      normal += (x + y) / (2 * count);
      square += (x * x + y * y) / (2 * count);
    }
    // Five standard errors.
    expect(Math.abs(uniform - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / count));
    expect(Math.abs(normal)).toBeLessThan(5 / Math.sqrt(2 * count));
    expect(Math.abs(square - 1)).toBeLessThan(5 * Math.sqrt(2 / (2 * count)));
  });
});
