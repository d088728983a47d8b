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

export type CacheShape = Pick<DecoderConfig, 'keyHeads' | 'headSize' | 'layerCount'>;

export class PagedCache implements Disposable {
  readonly #backend: Backend;
  readonly #config: CacheShape;
  readonly #dtype: 'f16' | 'f32';
  readonly #pages: Page[] = [];
  #table: Memory;

  /** @param pages shared with another cache of the same shape. @throws GallopError `out-of-memory` */
  constructor(backend: Backend, config: CacheShape, dtype: 'f16' | 'f32', pages: readonly Page[] = []) {
    this.#backend = backend;
    this.#config = config;
    this.#dtype = dtype;
    this.#table = backend.allocate(Math.max(64, pages.length) * 8);
    for (const page of pages) {
      page.owners++;
      this.#pages.push(page);
    }
    this.#writeTable();
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
    this.#growTable(Math.ceil(to / pageSlots));
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
    try {
      const source = recorder.upload(from);
      const target = recorder.upload(to);
      for (let layer = 0; layer < this.#config.layerCount; layer++)
        recorder.cacheMove(this.layer(layer), source, target);
      recorder.flush();
    } finally {
      recorder.discard();
    }
  }

  /** A cache that shares the pages of the first `length` slots. @throws GallopError `out-of-memory` */
  fork(length: number): PagedCache {
    const shared = this.#pages.slice(0, Math.ceil(length / pageSlots));
    return new PagedCache(this.#backend, this.#config, this.#dtype, shared);
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

  [Symbol.dispose](): void {
    this.dispose();
  }

  #growTable(pages: number): void {
    if (pages * 8 <= this.#table.byteLength) return;
    const longer = this.#backend.allocate(pages * 16);
    this.#table.free();
    this.#table = longer;
    this.#writeTable();
  }

  #writeTable(): void {
    const bytes = this.#table.bytes();
    const addresses = new Float64Array(bytes.buffer, bytes.byteOffset, this.#pages.length);
    this.#pages.forEach((page, index) => {
      addresses[index] = page.memory.address;
    });
  }
}
