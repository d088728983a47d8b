/** A backend that counts what is allocated and freed, and that can be told to run out of memory. */
import { GallopError } from '@gallop/core';
import type { Backend, CommandList, Memory } from '@gallop/tensor';

export class WatchedBackend implements Backend {
  readonly name: Backend['name'];
  readonly variant: string;
  readonly threads: number;
  /** Blocks that were allocated and not yet freed. */
  readonly live: Set<Memory> = new Set();
  /** Allocations that succeed before one fails. Default: all. */
  allocationsLeft: number = Number.POSITIVE_INFINITY;
  /** Command lists that run before one fails. Default: all. */
  executionsLeft: number = Number.POSITIVE_INFINITY;
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.name = backend.name;
    this.variant = backend.variant;
    this.threads = backend.threads;
  }

  allocate(byteLength: number): Memory {
    if (this.allocationsLeft-- <= 0)
      throw new GallopError('out-of-memory', `no memory for ${byteLength} bytes; this backend was told to run out`);
    const memory = this.#backend.allocate(byteLength);
    const { live } = this;
    const watched: Memory = {
      address: memory.address,
      byteLength,
      bytes: () => {
        if (!live.has(watched))
          throw new GallopError('invalid-state', 'live memory was expected; this block was freed');
        return memory.bytes();
      },
      free() {
        if (!live.delete(watched))
          throw new GallopError('invalid-state', 'live memory was expected; it was freed twice');
        memory.free();
      },
    };
    live.add(watched);
    return watched;
  }

  execute(list: CommandList): void {
    if (this.executionsLeft-- <= 0)
      throw new GallopError('out-of-memory', 'no memory for scratch space; this backend was told to run out');
    this.#backend.execute(list);
  }

  dispose(): void {
    this.#backend.dispose();
  }
}
