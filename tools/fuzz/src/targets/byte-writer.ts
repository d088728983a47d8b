/** Builds little-endian files of which now and then a number is wrong. */
import { tellingNumbers } from '../mutation/bytes.ts';
import type { Random } from '../random.ts';

export class ByteWriter {
  readonly #random: Random;
  readonly #errorRate: number;
  readonly #parts: number[] = [];

  /** @param errorRate how often a number is replaced by a telling one. */
  constructor(random: Random, errorRate: number) {
    this.#random = random;
    this.#errorRate = errorRate;
  }

  get length(): number {
    return this.#parts.length;
  }

  number(value: number | bigint, bytes: 1 | 2 | 4 | 8): this {
    let left = BigInt(value);
    if (this.#random.chance(this.#errorRate)) left = this.#random.pick(tellingNumbers);
    left = BigInt.asUintN(bytes * 8, left);
    for (let index = 0; index < bytes; index++) {
      this.#parts.push(Number(left & 255n));
      left >>= 8n;
    }
    return this;
  }

  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#parts.push(byte);
    return this;
  }

  /** A u64 length and UTF-8. */
  string(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.number(bytes.length, 8).raw(bytes);
  }

  padTo(alignment: number): this {
    while (this.#parts.length % alignment !== 0) this.#parts.push(0);
    return this;
  }

  build(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }
}
