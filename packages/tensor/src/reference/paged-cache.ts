/**
 * One layer of a paged key-value cache. `pages` holds the pages' addresses as float64 words; a page of P slots stores
 * keys as [head][P / 16][element][16 slots] and values as [head][P][element], in float16 or float32.
 */
import type { AddressSpace } from './address-space.ts';
import { fromHalf, toHalf } from './half-floats.ts';

export class PagedCache {
  readonly heads: number;
  readonly headSize: number;
  readonly #memory: AddressSpace;
  readonly #pages: number;
  readonly #pageSlots: number;
  readonly #keyOffset: number;
  readonly #valueOffset: number;
  readonly #half: boolean;

  constructor(
    memory: AddressSpace,
    pages: number,
    pageSlots: number,
    keyOffset: number,
    valueOffset: number,
    heads: number,
    headSize: number,
    half: number,
  ) {
    this.#memory = memory;
    this.#pages = pages;
    this.#pageSlots = pageSlots;
    this.#keyOffset = keyOffset;
    this.#valueOffset = valueOffset;
    this.heads = heads;
    this.headSize = headSize;
    this.#half = half === 1;
  }

  key(head: number, slot: number): Float32Array {
    return Float32Array.from({ length: this.headSize }, (_, d) => this.#read(this.#keyAddress(head, slot, d)));
  }

  value(head: number, slot: number): Float32Array {
    return Float32Array.from({ length: this.headSize }, (_, d) => this.#read(this.#valueAddress(head, slot, d)));
  }

  writeKey(head: number, slot: number, key: Float32Array): void {
    key.forEach((x, d) => {
      this.#write(this.#keyAddress(head, slot, d), x);
    });
  }

  writeValue(head: number, slot: number, value: Float32Array): void {
    value.forEach((x, d) => {
      this.#write(this.#valueAddress(head, slot, d), x);
    });
  }

  get #elementBytes(): number {
    return this.#half ? 2 : 4;
  }

  #page(slot: number): number {
    return this.#memory.doubles(this.#pages + Math.floor(slot / this.#pageSlots) * 8, 1)[0];
  }

  #keyAddress(head: number, slot: number, d: number): number {
    const inPage = slot % this.#pageSlots;
    const block = head * (this.#pageSlots / 16) + Math.floor(inPage / 16);
    return this.#page(slot) + this.#keyOffset + ((block * this.headSize + d) * 16 + (inPage % 16)) * this.#elementBytes;
  }

  #valueAddress(head: number, slot: number, d: number): number {
    const row = head * this.#pageSlots + (slot % this.#pageSlots);
    return this.#page(slot) + this.#valueOffset + (row * this.headSize + d) * this.#elementBytes;
  }

  #read(address: number): number {
    return this.#half ? fromHalf(this.#memory.halves(address, 1)[0]) : this.#memory.floats(address, 1)[0];
  }

  #write(address: number, x: number): void {
    if (this.#half) this.#memory.halves(address, 1)[0] = toHalf(x);
    else this.#memory.floats(address, 1)[0] = x;
  }
}

export function cacheWrite(
  memory: AddressSpace,
  pages: number,
  pageSlots: number,
  keyOffset: number,
  valueOffset: number,
  heads: number,
  headSize: number,
  half: number,
  keys: number,
  values: number,
  slots: number,
  rows: number,
): void {
  const cache = new PagedCache(memory, pages, pageSlots, keyOffset, valueOffset, heads, headSize, half);
  memory.integers(slots, rows).forEach((slot, row) => {
    for (let head = 0; head < heads; head++) {
      const at = (row * heads + head) * headSize * 4;
      cache.writeKey(head, slot, memory.floats(keys + at, headSize));
      cache.writeValue(head, slot, memory.floats(values + at, headSize));
    }
  });
}

/** Pair by pair in order, so that a move may read what an earlier one wrote. */
export function cacheMove(
  memory: AddressSpace,
  pages: number,
  pageSlots: number,
  keyOffset: number,
  valueOffset: number,
  heads: number,
  headSize: number,
  half: number,
  from: number,
  to: number,
  count: number,
): void {
  const cache = new PagedCache(memory, pages, pageSlots, keyOffset, valueOffset, heads, headSize, half);
  const targets = memory.integers(to, count);
  memory.integers(from, count).forEach((slot, i) => {
    for (let head = 0; head < heads; head++) {
      cache.writeKey(head, targets[i], cache.key(head, slot));
      cache.writeValue(head, targets[i], cache.value(head, slot));
    }
  });
}
