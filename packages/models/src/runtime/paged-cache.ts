/**
 * Keys and values of all layers in pages of 128 slots. A page holds, layer after layer, keys [head][slot/16][d][16] and
 * values [head][slot][d]. Pages are shared by forks until one of them writes.
 */
import type { StateBytes } from '@gallop/core';
import type { Backend, CacheLayer, Memory, Recorder } from '@gallop/tensor';
import type { DecoderConfig } from '../config.ts';

const pageSlots = 128;

interface Page {
  readonly memory: Memory;
  owners: number;
}

export class PagedCache {
  readonly #backend: Backend;
  readonly #config: DecoderConfig;
  readonly #dtype: 'f16' | 'f32';
  readonly #pages: Page[] = [];
  #table: Memory;

  constructor(backend: Backend, config: DecoderConfig, dtype: 'f16' | 'f32') {
    this.#backend = backend;
    this.#config = config;
    this.#dtype = dtype;
    this.#table = backend.allocate(64 * 8);
  }

  get #halfLayerBytes(): number {
    const { keyHeads, headSize } = this.#config;
    return pageSlots * keyHeads * headSize * (this.#dtype === 'f16' ? 2 : 4);
  }

  get #pageBytes(): number {
    return this.#halfLayerBytes * 2 * this.#config.layerCount;
  }

  /** How kernels see one layer. Ask again after `reserve`. */
  layer(index: number): CacheLayer {
    const { keyHeads, headSize } = this.#config;
    const keyOffset = index * 2 * this.#halfLayerBytes;
    return {
      pages: this.#table,
      pageSlots,
      keyOffset,
      valueOffset: keyOffset + this.#halfLayerBytes,
      heads: keyHeads,
      headSize,
      dtype: this.#dtype,
    };
  }

  /** Makes slots [from, to) writable: allocates missing pages and copies shared ones. @throws GallopError `out-of-memory` */
  reserve(from: number, to: number): void {
    if (to <= from) return;
    for (let index = Math.floor(from / pageSlots); index * pageSlots < to; index++) {
      const page = this.#pages[index];
      if (page?.owners === 1) continue;
      const memory = this.#backend.allocate(this.#pageBytes);
      if (page) {
        memory.bytes().set(page.memory.bytes());
        page.owners--;
      }
      this.#pages[index] = { memory, owners: 1 };
      this.#writeTable();
    }
  }

  /** Moves rows, pair by pair in order, in every layer. */
  move(recorder: Recorder, from: Int32Array, to: Int32Array): void {
    const source = recorder.upload(from);
    const target = recorder.upload(to);
    for (let index = 0; index < this.#config.layerCount; index++) recorder.cacheMove(this.layer(index), source, target);
    recorder.flush();
  }

  /** A cache that shares the pages of the first `length` slots. */
  fork(length: number): PagedCache {
    const copy = new PagedCache(this.#backend, this.#config, this.#dtype);
    for (const page of this.#pages.slice(0, Math.ceil(length / pageSlots))) {
      page.owners++;
      copy.#pages.push(page);
    }
    copy.#writeTable();
    return copy;
  }

  bytes(length: number): StateBytes {
    const used = (this.#pageBytes / pageSlots) * length;
    return { used, reserved: this.#pageBytes * this.#pages.length };
  }

  dispose(): void {
    for (const page of this.#pages) if (--page.owners === 0) page.memory.free();
    this.#pages.length = 0;
    this.#table.free();
  }

  #writeTable(): void {
    if (this.#pages.length * 8 > this.#table.byteLength) {
      this.#table.free();
      this.#table = this.#backend.allocate(this.#pages.length * 16);
    }
    const bytes = this.#table.bytes();
    const addresses = new Float64Array(bytes.buffer, bytes.byteOffset, this.#pages.length);
    this.#pages.forEach((page, index) => {
      addresses[index] = page.memory.address;
    });
  }
}
