/**
 * The memory of Token Recycling (Luo et al., 2408.08696): for each token the k best next tokens that the target last saw
 * after it. Bounded in bytes: vocabularies whose whole table would not fit share a fixed number of rows, the least
 * recently written of four neighbours giving way.
 */

import { GallopError, requireArgument } from '@gallop/core';

const MAGIC = 0x4d52_4c47; // "GLRM"
const HEADER_WORDS = 4;
const WAYS = 4;

export interface RecyclingMatrixOptions {
  readonly vocabSize: number;
  /** Candidates kept for a token. Default 8. */
  readonly topK?: number;
  /** Most bytes of all tables. Default 2 MB (2 · 10⁶). */
  readonly maximumBytes?: number;
}

/** k successors by token. Unknown tokens have none. */
export class RecyclingMatrix {
  readonly vocabSize: number;
  readonly topK: number;
  /** Ids by row; 16 bits where the vocabulary allows. */
  readonly #successors: Uint16Array | Int32Array;
  /** Token of each row, −1 while it is empty. */
  readonly #owner: Int32Array;
  /** Direct tables: the row is the token. */
  readonly #direct: boolean;
  /** Neighbour to overwrite next, by group of rows. */
  readonly #oldest: Uint8Array;

  /** @throws GallopError `invalid-argument` for sizes that are no counts, or too few bytes for a single group of rows */
  constructor({ vocabSize, topK = 8, maximumBytes = 2e6 }: RecyclingMatrixOptions) {
    requireArgument(
      [vocabSize, topK].every((value) => Number.isSafeInteger(value) && value >= 1 && value < 2 ** 31),
      () => {
        return `Expected vocabSize and topK to be whole numbers from 1; received ${vocabSize} and ${topK}; correct them.`;
      },
    );
    this.vocabSize = vocabSize;
    this.topK = topK;
    const rowBytes = topK * (vocabSize <= 0x1_0000 ? 2 : 4) + 4;
    const affordable = Math.floor(maximumBytes / (rowBytes + 1 / WAYS));
    this.#direct = vocabSize <= affordable;
    const rows = this.#direct ? vocabSize : 2 ** Math.floor(Math.log2(affordable));
    requireArgument(rows >= WAYS || this.#direct, () => {
      return `Expected room for at least ${WAYS} rows of ${rowBytes} bytes; received ${maximumBytes} bytes; allow more.`;
    });
    this.#successors = vocabSize <= 0x1_0000 ? new Uint16Array(rows * topK) : new Int32Array(rows * topK);
    this.#owner = new Int32Array(rows).fill(-1);
    this.#oldest = new Uint8Array(this.#direct ? 0 : rows / WAYS);
  }

  /** Place of a token's successors, or −1. Read them with `at`. */
  row(token: number): number {
    if (this.#direct) return this.#owner[token] === token ? token * this.topK : -1;
    const first = this.#group(token) * WAYS;
    for (let row = first; row < first + WAYS; row++) if (this.#owner[row] === token) return row * this.topK;
    return -1;
  }

  /** The successor at a place. */
  at(place: number): number {
    return this.#successors[place];
  }

  /** The successors of a token, best first; undefined while it is unknown. */
  get(token: number): Int32Array | undefined {
    const place = this.row(token);
    return place < 0 ? undefined : Int32Array.from(this.#successors.subarray(place, place + this.topK));
  }

  /** Replaces the successors of a token by `topK` ids that stand in `best` from `from`. */
  set(token: number, best: ArrayLike<number>, from: number = 0): void {
    let place = this.row(token);
    if (place < 0) place = this.#claim(token) * this.topK;
    for (let i = 0; i < this.topK; i++) this.#successors[place + i] = best[from + i];
  }

  /** Forgets all rows. */
  clear(): void {
    this.#owner.fill(-1);
  }

  /** Bytes of all tables. */
  bytes(): number {
    return this.#successors.byteLength + this.#owner.byteLength + this.#oldest.byteLength;
  }

  /** The known rows as bytes: a header, then (token, successors) a row, as little-endian 32-bit words. */
  save(): Uint8Array {
    const known = [...this.#owner].filter((token) => token >= 0).sort((a, b) => a - b);
    const view = new DataView(new ArrayBuffer(4 * (HEADER_WORDS + known.length * (this.topK + 1))));
    for (const [i, word] of [MAGIC, this.vocabSize, this.topK, known.length].entries())
      view.setUint32(4 * i, word, true);
    let at = 4 * HEADER_WORDS;
    for (const token of known) {
      const place = this.row(token);
      view.setInt32(at, token, true);
      for (let i = 0; i < this.topK; i++) view.setInt32(at + 4 * (i + 1), this.#successors[place + i], true);
      at += 4 * (this.topK + 1);
    }
    return new Uint8Array(view.buffer);
  }

  /**
   * Takes saved rows over; rows that are not among them stay.
   *
   * @throws GallopError `invalid-file` for bytes that are no matrix of this vocabulary and k; nothing is changed then
   */
  restore(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const words = bytes.byteLength / 4;
    const header = words >= HEADER_WORDS ? [0, 4, 8, 12].map((at) => view.getUint32(at, true)) : [];
    const stride = this.topK + 1;
    const fits = header[0] === MAGIC && header[1] === this.vocabSize && header[2] === this.topK;
    if (!fits || words !== HEADER_WORDS + header[3] * stride) {
      throw new GallopError(
        'invalid-file',
        `Expected a saved matrix of ${this.vocabSize} tokens with ${this.topK} successors; received ${bytes.byteLength} other bytes; start cold.`,
      );
    }
    const values = new Int32Array(header[3] * stride);
    for (let i = 0; i < values.length; i++) values[i] = view.getInt32(4 * (HEADER_WORDS + i), true);
    const wrong = values.find((value) => value < 0 || value >= this.vocabSize);
    if (wrong !== undefined) {
      throw new GallopError('invalid-file', `Expected ids below ${this.vocabSize}; received ${wrong}; start cold.`);
    }
    for (let at = 0; at < values.length; at += stride) this.set(values[at], values, at + 1);
  }

  #group(token: number): number {
    return (Math.imul(token, 0x9e3779b1) >>> 8) & (this.#oldest.length - 1);
  }

  #claim(token: number): number {
    if (this.#direct) {
      this.#owner[token] = token;
      return token;
    }
    const group = this.#group(token);
    const row = group * WAYS + this.#oldest[group];
    this.#oldest[group] = (this.#oldest[group] + 1) % WAYS;
    this.#owner[row] = token;
    return row;
  }
}
