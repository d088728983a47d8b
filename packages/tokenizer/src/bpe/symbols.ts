/**
 * The working state of one BPE run: a sequence of symbols, each a token id and the stretch of input that it covers,
 * linked so that two neighbours join in constant time.
 */

/** Symbols in order of their index; joined ones are skipped through `next`. Grows as needed and is used again and again. */
export class Symbols {
  count = 0;
  /** Token ids; -1 for a symbol that is no token by itself. */
  ids: Int32Array = new Int32Array(64);
  starts: Int32Array = new Int32Array(64);
  ends: Int32Array = new Int32Array(64);
  /** Index of the following symbol, -1 after the last. */
  next: Int32Array = new Int32Array(64);
  previous: Int32Array = new Int32Array(64);
  /** Rank of the merge of a symbol with its follower, -1 where there is none. */
  ranks: Int32Array = new Int32Array(64);
  /** The id which that merge makes. */
  products: Int32Array = new Int32Array(64);

  clear(): void {
    this.count = 0;
  }

  push(id: number, start: number, end: number): void {
    if (this.count === this.ids.length) this.#grow();
    const at = this.count++;
    this.ids[at] = id;
    this.starts[at] = start;
    this.ends[at] = end;
  }

  #grow(): void {
    const larger = (array: Int32Array): Int32Array => {
      const copy = new Int32Array(array.length * 2);
      copy.set(array);
      return copy;
    };
    this.ids = larger(this.ids);
    this.starts = larger(this.starts);
    this.ends = larger(this.ends);
    this.next = larger(this.next);
    this.previous = larger(this.previous);
    this.ranks = larger(this.ranks);
    this.products = larger(this.products);
  }
}
