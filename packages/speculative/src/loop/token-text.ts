/** The running text as ids, in one growing array that drafters may look at. */

export class TokenText {
  #ids: Int32Array;
  #length: number;

  constructor(ids: ArrayLike<number>) {
    this.#ids = new Int32Array(Math.max(256, ids.length * 2));
    this.#ids.set(ids as ArrayLike<number> & Iterable<number>);
    this.#length = ids.length;
  }

  get length(): number {
    return this.#length;
  }

  /** The ids as a view, valid until the text grows. */
  get ids(): Int32Array {
    return this.#ids.subarray(0, this.#length);
  }

  push(id: number): void {
    this.#reserve(this.#length + 1);
    this.#ids[this.#length++] = id;
  }

  /** The ids with a path behind them: a view, valid until the text changes. */
  with(path: readonly number[]): Int32Array {
    this.#reserve(this.#length + path.length);
    for (let i = 0; i < path.length; i++) this.#ids[this.#length + i] = path[i];
    return this.#ids.subarray(0, this.#length + path.length);
  }

  #reserve(length: number): void {
    if (length <= this.#ids.length) return;
    const grown = new Int32Array(length * 2);
    grown.set(this.#ids);
    this.#ids = grown;
  }
}
