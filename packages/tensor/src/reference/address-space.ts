/**
 * The reference backend's memory: ordinary ArrayBuffers behind made-up addresses, so that commands can name places the
 * way they do for compiled kernels. Every access is looked up and checked against the block that it falls into.
 */
import { GallopError } from '@gallop/core';
import type { Memory } from '../backend.ts';

interface Block {
  readonly start: number;
  readonly buffer: ArrayBuffer;
}

/** Blocks are aligned to this, and at least this far apart. */
const alignment = 64;

export class AddressSpace {
  /** Live blocks by ascending address: addresses are never used twice. */
  readonly #blocks: Block[] = [];
  #next = 4096;

  /** A zero-filled block. @throws GallopError `out-of-memory` */
  allocate(byteLength: number): Memory {
    const start = this.#next;
    let block: Block | undefined = { start, buffer: newBuffer(byteLength) };
    this.#blocks.push(block);
    this.#next = start + (Math.ceil(byteLength / alignment) + 1) * alignment;
    return {
      address: start,
      byteLength,
      bytes: () => new Uint8Array(block?.buffer ?? new ArrayBuffer(0)),
      free: () => {
        if (block) this.#blocks.splice(this.#blocks.indexOf(block), 1);
        block = undefined;
      },
    };
  }

  bytes(address: number, length: number): Uint8Array<ArrayBuffer> {
    const { buffer, start } = this.#find(address, length);
    return new Uint8Array(buffer, address - start, length);
  }

  floats(address: number, length: number): Float32Array<ArrayBuffer> {
    const { buffer, start } = this.#find(address, length * 4);
    return new Float32Array(buffer, address - start, length);
  }

  halves(address: number, length: number): Uint16Array<ArrayBuffer> {
    const { buffer, start } = this.#find(address, length * 2);
    return new Uint16Array(buffer, address - start, length);
  }

  integers(address: number, length: number): Int32Array<ArrayBuffer> {
    const { buffer, start } = this.#find(address, length * 4);
    return new Int32Array(buffer, address - start, length);
  }

  doubles(address: number, length: number): Float64Array<ArrayBuffer> {
    const { buffer, start } = this.#find(address, length * 8);
    return new Float64Array(buffer, address - start, length);
  }

  #find(address: number, byteLength: number): Block {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#blocks[middle].start <= address) low = middle + 1;
      else high = middle;
    }
    const block = this.#blocks[low - 1];
    if (!block || address + byteLength > block.start + block.buffer.byteLength)
      throw new GallopError(
        'invalid-state',
        `a command must stay inside live memory; received ${byteLength} bytes at address ${address}; keep tensors and weights alive until the commands that use them have run`,
      );
    return block;
  }
}

function newBuffer(byteLength: number): ArrayBuffer {
  try {
    return new ArrayBuffer(byteLength);
  } catch (cause) {
    throw new GallopError(
      'out-of-memory',
      `no memory for ${byteLength} bytes; close other models or use a smaller context`,
      { cause },
    );
  }
}
