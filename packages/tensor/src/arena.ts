/**
 * Memory for intermediate results: a stack. Commands run in the order they were recorded, so what a scope frees at
 * recording time may be handed out again at once: whoever gets it runs later.
 */
import type { Backend, Memory } from './backend.ts';

const chunkBytes = 1 << 20;

export interface ArenaMark {
  readonly chunk: number;
  readonly offset: number;
}

export class Arena {
  readonly #backend: Backend;
  readonly #chunks: Memory[] = [];
  #chunk = 0;
  #offset = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** A zone of at least `byteLength` bytes, aligned to 64. Its contents are whatever was there before. */
  take(byteLength: number): { memory: Memory; byteOffset: number } {
    const needed = Math.ceil(byteLength / 64) * 64;
    while (this.#chunk < this.#chunks.length && this.#offset + needed > this.#chunks[this.#chunk]!.byteLength) {
      this.#chunk++;
      this.#offset = 0;
    }
    if (this.#chunk === this.#chunks.length) this.#chunks.push(this.#backend.allocate(Math.max(chunkBytes, needed)));
    const byteOffset = this.#offset;
    this.#offset += needed;
    return { memory: this.#chunks[this.#chunk]!, byteOffset };
  }

  mark(): ArenaMark {
    return { chunk: this.#chunk, offset: this.#offset };
  }

  release(mark: ArenaMark): void {
    this.#chunk = mark.chunk;
    this.#offset = mark.offset;
  }

  get byteLength(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }

  dispose(): void {
    for (const chunk of this.#chunks) chunk.free();
    this.#chunks.length = 0;
    this.release({ chunk: 0, offset: 0 });
  }
}
