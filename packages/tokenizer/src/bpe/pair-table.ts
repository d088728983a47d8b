/**
 * The merges of a BPE model: (left id, right id) → rank, rank → product id; an open-addressing table of typed arrays.
 */

/** Merges by pair. Of two merges of the same pair the later one counts. */
export class PairTable {
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #product: Int32Array;
  readonly #mask: number;
  /** rank + 1, or 0 for an empty slot. */
  readonly #slots: Int32Array;
  readonly #seed: number = (Math.random() * 0x100000000) | 0;

  /** Arrays of equal length in rank order; left[r] < 0 marks a merge that cannot happen. */
  constructor(left: Int32Array, right: Int32Array, product: Int32Array) {
    this.#left = left;
    this.#right = right;
    this.#product = product;
    let capacity = 16;
    while (capacity < left.length * 2) capacity *= 2;
    this.#mask = capacity - 1;
    this.#slots = new Int32Array(capacity);
    for (let rank = 0; rank < left.length; rank++) {
      if (left[rank] >= 0) this.#slots[this.#slot(left[rank], right[rank])] = rank + 1;
    }
  }

  /** The slot that holds a pair, or the empty one where it belongs. */
  #slot(left: number, right: number): number {
    let hash = Math.imul(left ^ this.#seed, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & this.#mask;
    for (let entry = this.#slots[slot]; entry !== 0; entry = this.#slots[slot]) {
      if (this.#left[entry - 1] === left && this.#right[entry - 1] === right) break;
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  /** The rank of a pair, or -1. */
  rank(left: number, right: number): number {
    return this.#slots[this.#slot(left, right)] - 1;
  }

  /** The id that a merge makes. */
  product(rank: number): number {
    return this.#product[rank];
  }

  /** True if the condition holds for the pair of any merge. */
  some(condition: (left: number, right: number) => boolean): boolean {
    for (let rank = 0; rank < this.#left.length; rank++) {
      if (this.#left[rank] >= 0 && condition(this.#left[rank], this.#right[rank])) return true;
    }
    return false;
  }
}
