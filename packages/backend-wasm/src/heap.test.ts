import { GallopError } from '@gallop/core';
import { describe, expect, it } from 'vitest';
import { Heap } from './heap.ts';
import { Numbers } from './testing/random-programs.ts';

const newHeap = (maximum = 1024): Heap => new Heap(new WebAssembly.Memory({ initial: 1, maximum }), 100);

describe('Heap', () => {
  it('aligns blocks, keeps them apart and fills them with zero when they are used again', () => {
    const heap = newHeap();
    const numbers = new Numbers(1);
    const live = new Map<number, number>();
    for (let step = 0; step < 2000; step++) {
      const [oldest] = live.keys();
      if (oldest !== undefined && numbers.integer(5) < 2) {
        heap.release(oldest, live.get(oldest)!);
        live.delete(oldest);
        continue;
      }
      const byteLength = numbers.integer(numbers.integer(10) ? 300 : 50_000);
      const address = heap.allocate(byteLength);
      expect(address % 64).toBe(0);
      const bytes = new Uint8Array(heap.memory.buffer, address, byteLength);
      expect(bytes.every((byte) => byte === 0)).toBe(true);
      bytes.fill(255);
      for (const [start, length] of live) expect(address + byteLength <= start || start + length <= address).toBe(true);
      live.set(address, byteLength);
    }
  });

  it('uses freed memory again instead of growing', () => {
    const heap = newHeap();
    const sizes = [70_000, 1000, 200_000, 64];
    const once = (): void => {
      const blocks = sizes.map((size) => heap.allocate(size));
      for (const index of [2, 0, 3, 1]) heap.release(blocks[index]!, sizes[index]!);
    };
    once();
    const { byteLength } = heap.memory.buffer;
    for (let i = 0; i < 100; i++) once();
    expect(heap.memory.buffer.byteLength).toBe(byteLength);
  });

  it('says when there is no more memory, and still serves smaller requests', () => {
    const heap = newHeap(16);
    for (const size of [2 ** 20, 2 ** 32, 2 ** 40])
      expect(() => heap.allocate(size)).toThrow(
        expect.toSatisfy((error) => GallopError.isInstance(error, 'out-of-memory')),
      );
    expect(heap.allocate(1000)).toBeGreaterThan(0);
  });
});
