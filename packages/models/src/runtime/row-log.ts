/** The rows of a sequence as they were given: ids, and embeddings where there is no id. */
import type { ForwardRequest } from '@gallop/core';
import { embeddedRow } from './request-checks.ts';

export class RowLog {
  readonly #width: number;
  #ids: Int32Array;
  #length: number;
  /** By index of the row. */
  readonly #embeddings: Map<number, Float32Array>;

  /** @param width numbers of an embedding */
  constructor(width: number, from?: { ids: Int32Array; length: number; embeddings: Map<number, Float32Array> }) {
    this.#width = width;
    this.#ids = from?.ids ?? new Int32Array(256);
    this.#length = from?.length ?? 0;
    this.#embeddings = from?.embeddings ?? new Map();
  }

  get length(): number {
    return this.#length;
  }

  get byteLength(): number {
    return 4 * (this.#length + this.#embeddings.size * this.#width);
  }

  /** Appends these rows of a request. */
  append({ ids, embeddings }: ForwardRequest, rows: Int32Array): void {
    if (this.#length + rows.length > this.#ids.length) {
      const grown = new Int32Array(Math.max(this.#length + rows.length, this.#ids.length * 2));
      grown.set(this.#ids);
      this.#ids = grown;
    }
    for (const row of rows) {
      const id = ids[row]!;
      if (id === embeddedRow && embeddings) {
        const place = ids.subarray(0, row).filter((other) => other === embeddedRow).length;
        this.#embeddings.set(this.#length, embeddings.slice(place * this.#width, (place + 1) * this.#width));
      }
      this.#ids[this.#length++] = id;
    }
  }

  truncate(length: number): void {
    this.#length = length;
    for (const row of this.#embeddings.keys()) if (row >= length) this.#embeddings.delete(row);
  }

  /** The rows from `first` on, as a request. */
  rows(first: number): ForwardRequest {
    const ids = this.#ids.slice(first, this.#length);
    const given = [...this.#embeddings].filter(([row]) => row >= first).sort(([a], [b]) => a - b);
    if (given.length === 0) return { ids };
    const embeddings = new Float32Array(given.length * this.#width);
    given.forEach(([, values], place) => {
      embeddings.set(values, place * this.#width);
    });
    return { ids, embeddings };
  }

  copy(): RowLog {
    return new RowLog(this.#width, {
      ids: this.#ids.slice(),
      length: this.#length,
      embeddings: new Map(this.#embeddings),
    });
  }
}
