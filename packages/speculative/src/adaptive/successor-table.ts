/**
 * Successors by context: the k best next tokens that the target last saw after a context, and how far behind the best each
 * was. A context is a token, or a hash of the last two. Bounded: four neighbours share a set, the oldest gives way.
 */

import { GallopError, requireArgument } from '@gallop/core';

const WAYS = 4;
/** Margins are stored in steps of 1/16 nat. */
const MARGIN_STEPS = 16;

export interface SuccessorTableOptions {
  readonly topK: number;
  /** Largest id plus one. */
  readonly vocabSize: number;
  /** Most bytes. */
  readonly maximumBytes: number;
}

export class SuccessorTable {
  readonly topK: number;
  readonly vocabSize: number;
  readonly #sets: number;
  readonly #keys: Int32Array;
  readonly #tokens: Uint16Array | Int32Array;
  readonly #margins: Uint8Array;
  readonly #oldest: Uint8Array;

  constructor({ topK, vocabSize, maximumBytes }: SuccessorTableOptions) {
    const idBytes = vocabSize <= 0x1_0000 ? 2 : 4;
    const rowBytes = 4 + topK * (idBytes + 1) + 1 / WAYS;
    const wanted = Math.floor(maximumBytes / (rowBytes * WAYS));
    requireArgument(wanted >= 1, () => {
      return `Expected room for a set of ${WAYS} contexts; received ${maximumBytes} bytes; allow more.`;
    });
    this.topK = topK;
    this.vocabSize = vocabSize;
    this.#sets = wanted;
    this.#keys = new Int32Array(wanted * WAYS).fill(-1);
    this.#tokens = idBytes === 2 ? new Uint16Array(wanted * WAYS * topK) : new Int32Array(wanted * WAYS * topK);
    this.#margins = new Uint8Array(wanted * WAYS * topK);
    this.#oldest = new Uint8Array(wanted);
  }

  /** Row of a context (a whole number from 0), or −1. */
  find(key: number): number {
    const first = this.#set(key) * WAYS;
    for (let row = first; row < first + WAYS; row++) if (this.#keys[row] === key) return row;
    return -1;
  }

  /** The successor of rank `rank`. */
  token(row: number, rank: number): number {
    return this.#tokens[row * this.topK + rank];
  }

  /** How far its logit was behind the best one, in nats, at most 15.9. */
  margin(row: number, rank: number): number {
    return this.#margins[row * this.topK + rank] / MARGIN_STEPS;
  }

  /** Replaces the successors of a context by those that stand in `tokens` from `from`, best first. */
  set(key: number, tokens: Int32Array, logits: Float32Array | undefined, from: number): void {
    let row = this.find(key);
    if (row < 0) {
      const set = this.#set(key);
      row = set * WAYS + this.#oldest[set];
      this.#oldest[set] = (this.#oldest[set] + 1) % WAYS;
      this.#keys[row] = key;
    }
    const place = row * this.topK;
    for (let rank = 0; rank < this.topK; rank++) {
      this.#tokens[place + rank] = tokens[from + rank];
      const margin = logits === undefined ? rank : logits[from] - logits[from + rank];
      this.#margins[place + rank] = Math.min(255, Math.max(0, Math.round(margin * MARGIN_STEPS)));
    }
  }

  clear(): void {
    this.#keys.fill(-1);
  }

  bytes(): number {
    return this.#keys.byteLength + this.#tokens.byteLength + this.#margins.byteLength + this.#oldest.byteLength;
  }

  /** The arrays that hold the table. */
  save(): readonly [Int32Array, Uint16Array | Int32Array, Uint8Array] {
    return [this.#keys.slice(), this.#tokens.slice(), this.#margins.slice()];
  }

  /** @throws GallopError `invalid-file` for arrays of another table; nothing is changed then */
  restore([keys, tokens, margins]: readonly [Int32Array, ArrayLike<number>, ArrayLike<number>]): void {
    const fits =
      keys.length === this.#keys.length && tokens.length === this.#tokens.length && margins.length === tokens.length;
    if (!fits || Array.from(tokens).some((token) => !(token >= 0 && token < this.vocabSize))) {
      throw new GallopError(
        'invalid-file',
        'Expected a saved table of this size and vocabulary; received another; start cold.',
      );
    }
    this.#keys.set(keys);
    this.#tokens.set(tokens);
    this.#margins.set(margins);
  }

  #set(key: number): number {
    return (Math.imul(key, 0x9e37_79b1) >>> 4) % this.#sets;
  }
}

/** A context of two tokens as a key. */
export const pairKey = (before: number, token: number): number =>
  (Math.imul(before + 1, 0x85eb_ca6b) ^ Math.imul(token, 0xc2b2_ae35)) & 0x7fff_ffff;
