/**
 * Counter-based random bits (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a block of words
 * is a pure function of a counter and a key, so any draw can be made at any time, in any order, by anyone who knows its
 * name. Philox mixes by wide products, Threefry by add–rotate–xor. Checked against random123's known-answer vectors.
 */

import { requireArgument } from '../errors.ts';
import { multiplyHigh, multiplyLow, rotateLeft } from './words.ts';

export type GeneratorName = 'philox2x32' | 'philox4x32' | 'threefry2x32' | 'threefry4x32';

const PHILOX_M2 = 0xd256d193;
const PHILOX_M4 = [0xd2511f53, 0xcd9e8d57] as const;
const PHILOX_BUMP = [0x9e3779b9, 0xbb67ae85] as const;
const THREEFRY_PARITY = 0x1bd11bda;
const ROTATIONS_2 = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const ROTATIONS_4 = [
  [10, 26],
  [11, 21],
  [13, 27],
  [23, 5],
  [6, 20],
  [17, 11],
  [25, 10],
  [18, 20],
] as const;

const SHAPES: Readonly<Record<GeneratorName, { counter: number; key: number }>> = {
  philox2x32: { counter: 2, key: 1 },
  philox4x32: { counter: 4, key: 2 },
  threefry2x32: { counter: 2, key: 2 },
  threefry4x32: { counter: 4, key: 4 },
};

/** Rounds beyond this are refused: no generator here gains anything from them. */
const MAXIMUM_ROUNDS = 1024;

/**
 * One block of random words.
 *
 * @param generator which function
 * @param rounds how often it mixes (philox and threefry are usually run with 10 and 20), 1…1024
 * @param counter 2 or 4 words, the name of the block
 * @param key 1, 2 or 4 words, the seed
 * @returns as many words as the counter has
 * @throws GallopError `invalid-argument` for an unknown generator, bad rounds, or word arrays of another length
 */
export const randomBlock = (
  generator: GeneratorName,
  rounds: number,
  counter: Uint32Array,
  key: Uint32Array,
): Uint32Array => {
  const shape = SHAPES[generator];
  requireArgument(shape, () => {
    return `Expected one of ${Object.keys(SHAPES).join(', ')}; received generator "${generator}"; name one of these.`;
  });
  requireArgument(Number.isInteger(rounds) && rounds >= 1 && rounds <= MAXIMUM_ROUNDS, () => {
    return `Expected 1 to ${MAXIMUM_ROUNDS} rounds; received ${rounds}; use 10 for philox or 20 for threefry.`;
  });
  requireArgument(counter.length === shape.counter && key.length === shape.key, () => {
    return `Expected ${shape.counter} counter words and ${shape.key} key words for ${generator}; received ${counter.length} and ${key.length}; pass arrays of these lengths.`;
  });
  if (generator === 'philox2x32') return philox2x32(rounds, counter, key);
  if (generator === 'philox4x32') return philox4x32(rounds, counter, key);
  return threefry(rounds, counter, key);
};

const philox2x32 = (rounds: number, counter: Uint32Array, key: Uint32Array): Uint32Array => {
  let [c0, c1] = counter;
  let [k0] = key;
  for (let round = 0; round < rounds; round++) {
    if (round > 0) k0 = (k0 + PHILOX_BUMP[0]) >>> 0;
    const high = multiplyHigh(PHILOX_M2, c0);
    const low = multiplyLow(PHILOX_M2, c0);
    c0 = (high ^ k0 ^ c1) >>> 0;
    c1 = low;
  }
  return Uint32Array.of(c0, c1);
};

const philox4x32 = (rounds: number, counter: Uint32Array, key: Uint32Array): Uint32Array => {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    if (round > 0) {
      k0 = (k0 + PHILOX_BUMP[0]) >>> 0;
      k1 = (k1 + PHILOX_BUMP[1]) >>> 0;
    }
    const high0 = multiplyHigh(PHILOX_M4[0], c0);
    const low0 = multiplyLow(PHILOX_M4[0], c0);
    const high1 = multiplyHigh(PHILOX_M4[1], c2);
    const low1 = multiplyLow(PHILOX_M4[1], c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
  }
  return Uint32Array.of(c0, c1, c2, c3);
};

/** Both widths: the pairs that a round mixes are the only difference. */
const threefry = (rounds: number, counter: Uint32Array, key: Uint32Array): Uint32Array => {
  const width = counter.length;
  const keys = new Uint32Array(width + 1);
  keys.set(key);
  keys[width] = key.reduce((parity, word) => parity ^ word, THREEFRY_PARITY);
  const x = counter.map((word, i) => word + keys[i]);
  for (let round = 0; round < rounds; round++) {
    if (width === 2) {
      mix(x, 0, 1, ROTATIONS_2[round % 8]);
    } else {
      const [first, second] = ROTATIONS_4[round % 8];
      mix(x, 0, round % 2 === 0 ? 1 : 3, first);
      mix(x, 2, round % 2 === 0 ? 3 : 1, second);
    }
    if (round % 4 === 3) injectKey(x, keys, (round + 1) / 4);
  }
  return x;
};

const mix = (x: Uint32Array, a: number, b: number, rotation: number): void => {
  x[a] += x[b];
  x[b] = rotateLeft(x[b], rotation) ^ x[a];
};

const injectKey = (x: Uint32Array, keys: Uint32Array, time: number): void => {
  for (let j = 0; j < x.length; j++) x[j] += keys[(time + j) % keys.length];
  x[x.length - 1] += time;
};
