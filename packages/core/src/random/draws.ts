/**
 * Named random draws. A draw is addressed by (seed, stream, position, purpose) and is the same whenever and wherever
 * it is made: a token sampled at absolute position 37 uses the draw of position 37, no matter how many tokens a step
 * decided, so sampled output does not depend on batching or drafting.
 *
 *   words = philox4x32-10(counter = (position, stream, purpose, 0), key = (seed mod 2³², ⌊seed / 2³²⌋))
 */

import { requireArgument } from '../errors.ts';
import { randomBlock } from './generators.ts';

const ROUNDS = 10;

/** The name of a block of draws. All parts are unsigned. */
export interface DrawName {
  /** 0 … 2⁶⁴ − 1; numbers up to 2⁵³ − 1, beyond that a bigint. */
  readonly seed: number | bigint;
  /** Tells independent sequences of one run apart. 32 bits. Default 0. */
  readonly stream?: number;
  /** Absolute position in the sequence. 32 bits. */
  readonly position: number;
  /** Tells several draws at one position apart; 0 is the choice of the token itself. 32 bits. Default 0. */
  readonly purpose?: number;
}

const isWord = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;

/**
 * Splits a seed into the two key words of the generator, low word first.
 *
 * @throws GallopError `invalid-argument` for a negative, fractional or too large seed
 */
export const seedWords = (seed: number | bigint): Uint32Array => {
  const valid = typeof seed === 'bigint' ? seed >= 0n && seed < 1n << 64n : Number.isSafeInteger(seed) && seed >= 0;
  requireArgument(valid, () => {
    return `Expected a seed that is a whole number from 0 to 2^53 - 1 (or a bigint below 2^64); received ${seed}; choose another seed.`;
  });
  const wide = BigInt(seed);
  return Uint32Array.of(Number(wide & 0xffff_ffffn), Number(wide >> 32n));
};

/**
 * The four random words of a name.
 *
 * @throws GallopError `invalid-argument` when a part of the name is out of its range
 */
export const randomWords = ({ seed, stream = 0, position, purpose = 0 }: DrawName): Uint32Array => {
  requireArgument(isWord(stream) && isWord(position) && isWord(purpose), () => {
    return `Expected stream, position and purpose to be whole numbers from 0 to 2^32 - 1; received ${stream}, ${position} and ${purpose}; pass values in that range.`;
  });
  return randomBlock('philox4x32', ROUNDS, Uint32Array.of(position, stream, purpose, 0), seedWords(seed));
};

/** The uniform draw of a name in [0, 1), a multiple of 2⁻²⁴: `wordToUniform` of its first word. */
export const randomUniform = (name: DrawName): number => wordToUniform(randomWords(name)[0]);

/** Maps a word to [0, 1) with 24 bits, exact in f32: (word >> 8) · 2⁻²⁴. */
export const wordToUniform = (word: number): number => (word >>> 8) * 2 ** -24;

/** Maps two words to [0, 1) with 53 bits: ((a >> 5) · 2²⁶ + (b >> 6)) · 2⁻⁵³. */
export const wordsToUniformDouble = (a: number, b: number): number => ((a >>> 5) * 2 ** 26 + (b >>> 6)) * 2 ** -53;

/**
 * Maps two words to two independent standard normal values (Box–Muller): r = √(−2 ln u₁), r cos 2πu₂, r sin 2πu₂
 * with u₁ = ((a >> 8) + 1) · 2⁻²⁴ in (0, 1] and u₂ = (b >> 8) · 2⁻²⁴.
 */
export const wordsToGaussians = (a: number, b: number): readonly [number, number] => {
  const radius = Math.sqrt(-2 * Math.log(((a >>> 8) + 1) * 2 ** -24));
  const angle = 2 * Math.PI * wordToUniform(b);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
};
