/**
 * The random stream of Python's `random.Random`, so that task files come out byte for byte as the published generator makes
 * them: MT19937 (Matsumoto and Nishimura 1998), seeded by its array initialiser.
 */
import { requireArgument } from '@gallop/core';
import { requireWhole } from '../loop/checks.ts';

const SIZE = 624;
const SHIFT = 397;

/** A seeded stream. Draws are made in the order of the calls. */
export class PythonRandom {
  readonly #state = new Uint32Array(SIZE);
  #next = SIZE;

  /** @throws GallopError `invalid-argument` for a seed that is not whole or negative */
  constructor(seed: number | bigint) {
    requireArgument(typeof seed === 'bigint' ? seed >= 0n : Number.isSafeInteger(seed) && seed >= 0, () => {
      return `Expected a seed that is a whole number from 0; received ${seed}; choose another.`;
    });
    this.#seedFrom(keyWords(BigInt(seed)));
  }

  /** Uniform in [0, 1), 53 bits. */
  random(): number {
    const high = this.#word() >>> 5;
    return (high * 2 ** 26 + (this.#word() >>> 6)) / 2 ** 53;
  }

  /** Uniform whole number below n, from 1. */
  below(n: number): number {
    requireWhole('n', n, 1, 2 ** 32 - 1);
    const bits = 32 - Math.clz32(n);
    for (;;) {
      const value = this.#word() >>> (32 - bits);
      if (value < n) return value;
    }
  }

  /** Uniform whole number of [from, to]. */
  randint(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  choice<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)];
  }

  /** k draws with replacement. */
  choices<Item>(items: readonly Item[], k: number): Item[] {
    return Array.from({ length: k }, () => items[Math.floor(this.random() * items.length)]);
  }

  /** Shuffles in place. */
  shuffle(items: unknown[]): void {
    for (let index = items.length - 1; index > 0; index--) {
      const other = this.below(index + 1);
      [items[index], items[other]] = [items[other], items[index]];
    }
  }

  /** k different items in drawn order. */
  sample<Item>(items: readonly Item[], k: number): Item[] {
    requireWhole('k', k, 0, items.length);
    const n = items.length;
    const limit = 21 + (k > 5 ? 4 ** Math.ceil(Math.log(k * 3) / Math.log(4)) : 0);
    if (n > limit) return this.#sampleByRetry(items, k);
    const pool = [...items];
    return Array.from({ length: k }, (_, index) => {
      const place = this.below(n - index);
      const item = pool[place];
      pool[place] = pool[n - index - 1];
      return item;
    });
  }

  #sampleByRetry<Item>(items: readonly Item[], k: number): Item[] {
    const taken = new Set<number>();
    while (taken.size < k) taken.add(this.below(items.length));
    return Array.from(taken, (index) => items[index]);
  }

  #seedFrom(key: readonly number[]): void {
    const state = this.#state;
    state[0] = 19650218;
    for (let i = 1; i < SIZE; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    let [i, j] = [1, 0];
    const advance = (): void => {
      if (++i < SIZE) return;
      state[0] = state[SIZE - 1];
      i = 1;
    };
    for (let round = Math.max(SIZE, key.length); round > 0; round--) {
      state[i] = (state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), 1664525)) + key[j] + j;
      advance();
      j = (j + 1) % key.length;
    }
    for (let round = SIZE - 1; round > 0; round--) {
      state[i] = (state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), 1566083941)) - i;
      advance();
    }
    state[0] = 0x8000_0000;
  }

  #word(): number {
    if (this.#next === SIZE) this.#refill();
    let word = this.#state[this.#next++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c_5680;
    word ^= (word << 15) & 0xefc6_0000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #refill(): void {
    const state = this.#state;
    for (let i = 0; i < SIZE; i++) {
      const mixed = (state[i] & 0x8000_0000) | (state[(i + 1) % SIZE] & 0x7fff_ffff);
      state[i] = state[(i + SHIFT) % SIZE] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908_b0df : 0);
    }
    this.#next = 0;
  }
}

/** The 32-bit words of a seed, lowest first, at least one. */
const keyWords = (seed: bigint): number[] => {
  const words: number[] = [];
  for (let rest = seed; rest > 0n || words.length === 0; rest >>= 32n) words.push(Number(rest & 0xffff_ffffn));
  return words;
};

/** Seed of a task: SHA-256 of the last part of its name as a number, plus an offset, modulo 65535. Default offset 42. */
export const taskSeed = async (name: string, offset: number = 42): Promise<number> => {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(last)));
  const remainder = digest.reduce((sum, byte) => (sum * 256 + byte) % 65535, 0);
  return (remainder + (offset % 65535)) % 65535;
};
