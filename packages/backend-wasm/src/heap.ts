/**
 * The heap of a wasm memory: blocks aligned to 64 bytes, handed out first-fit from a list of free ranges that is kept
 * sorted and merged, so that what is freed is used again. When no range fits, the memory grows.
 */
import { GallopError } from '@gallop/core';

const pageBytes = 65536;
const alignment = 64;
const growthPages = 64;
const addressSpace = 2 ** 32;

interface Range {
  start: number;
  end: number;
}

export class Heap {
  readonly memory: WebAssembly.Memory;
  readonly #free: Range[];
  /** Bytes from here on have never been handed out, so they are zero. */
  #untouched: number;

  constructor(memory: WebAssembly.Memory, base: number) {
    this.memory = memory;
    this.#untouched = Math.ceil(base / alignment) * alignment;
    this.#free = [{ start: this.#untouched, end: memory.buffer.byteLength }];
  }

  /** Bytes of a block as it lies in memory: one vector load past its end stays inside. */
  static blockBytes(byteLength: number): number {
    return Math.ceil((byteLength + alignment) / alignment) * alignment;
  }

  /**
   * The address of a zero-filled block.
   * @throws GallopError `out-of-memory`
   */
  allocate(byteLength: number): number {
    const size = Heap.blockBytes(byteLength);
    let index = this.#free.findIndex((range) => range.end - range.start >= size);
    if (index < 0) index = this.#grow(size, byteLength);
    const range = this.#free[index]!;
    const address = range.start;
    range.start += size;
    if (range.start === range.end) this.#free.splice(index, 1);
    const used = Math.min(address + size, this.#untouched);
    if (used > address) new Uint8Array(this.memory.buffer, address, used - address).fill(0);
    this.#untouched = Math.max(this.#untouched, address + size);
    return address;
  }

  /** Gives back a block of `allocate(byteLength)`. */
  release(address: number, byteLength: number): void {
    const end = address + Heap.blockBytes(byteLength);
    let index = this.#free.findIndex((range) => range.start >= end);
    if (index < 0) index = this.#free.length;
    const before = this.#free[index - 1];
    const after = this.#free[index];
    const joinsBefore = before?.end === address;
    const joinsAfter = after?.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.#free.splice(index, 1);
    } else if (joinsBefore) before.end = end;
    else if (joinsAfter) after.start = address;
    else this.#free.splice(index, 0, { start: address, end });
  }

  /** Makes the last free range at least `size` bytes long; returns its index. */
  #grow(size: number, requested: number): number {
    const end = this.memory.buffer.byteLength;
    const last = this.#free.at(-1);
    const reachesEnd = last !== undefined && last.end === end;
    const missing = size - (reachesEnd ? last.end - last.start : 0);
    const pages = Math.ceil(missing / pageBytes);
    if (end + pages * pageBytes > addressSpace) throw outOfMemory(requested, end);
    const spare = Math.min(pages + growthPages, (addressSpace - end) / pageBytes);
    if (!this.#tryGrow(spare) && !this.#tryGrow(pages)) throw outOfMemory(requested, end);
    const newEnd = this.memory.buffer.byteLength;
    if (reachesEnd) last.end = newEnd;
    else this.#free.push({ start: end, end: newEnd });
    return this.#free.length - 1;
  }

  #tryGrow(pages: number): boolean {
    try {
      this.memory.grow(pages);
      return true;
    } catch {
      return false;
    }
  }
}

function outOfMemory(byteLength: number, inUse: number): GallopError {
  return new GallopError(
    'out-of-memory',
    `no room for ${byteLength} bytes beside the ${inUse} bytes that the WebAssembly memory has (4 GiB at most); close other models or use a smaller one`,
  );
}
