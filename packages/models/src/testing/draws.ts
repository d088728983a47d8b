/** Repeatable test data: a sequence of draws from the counter-based generator. */
import { randomWords, wordsToGaussians, wordToUniform } from '@gallop/core';

export class Draws {
  readonly #seed: number;
  readonly #stream: number;
  #position = 0;
  #words: Uint32Array = new Uint32Array();
  #used = 0;

  /** @param stream tells sequences of one seed apart. Default 0 */
  constructor(seed: number, stream = 0) {
    this.#seed = seed;
    this.#stream = stream;
  }

  #word(): number {
    if (this.#used === this.#words.length) {
      this.#words = randomWords({ seed: this.#seed, stream: this.#stream, position: this.#position++ });
      this.#used = 0;
    }
    return this.#words[this.#used++];
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return wordToUniform(this.#word());
  }

  /** A whole number of [from, to). */
  integer(from: number, to: number): number {
    return from + Math.floor(this.uniform() * (to - from));
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length)];
  }

  /** Token ids. */
  tokens(count: number, vocabSize: number): Int32Array {
    return Int32Array.from({ length: count }, () => this.integer(0, vocabSize));
  }

  /** Normal numbers around `mean`. */
  gaussians(count: number, deviation: number, mean = 0): Float32Array {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
      const [a, b] = wordsToGaussians(this.#word(), this.#word());
      values[i] = mean + deviation * a;
      if (i + 1 < count) values[i + 1] = mean + deviation * b;
    }
    return values;
  }
}
