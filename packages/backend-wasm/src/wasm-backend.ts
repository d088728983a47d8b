/**
 * Runs command lists on the kernels compiled to WebAssembly. Memory is one growing WebAssembly memory of at most 4 GiB;
 * with several threads it is shared with helper workers. `execute` blocks the calling thread, which works along; on a
 * browser's main thread it spins where others would sleep.
 */

import { GallopError, requireArgument } from '@gallop/core';
import { type WasmKernels, type WasmVariant, wasmModuleUrl } from '@gallop/kernels/wasm';
import type { Backend, CommandList, Memory } from '@gallop/tensor';
import { compileModule, machineThreads, requestedVariant, startHelper } from '#platform';
import { mayWait, supportsRelaxedSimd, supportsSimd, supportsThreads } from './features.ts';
import { Heap } from './heap.ts';
import type { Helper } from './helper.ts';

export interface WasmBackendOptions {
  /**
   * Threads that compute, the calling one included. Default: as many as the machine runs at once, 16 at most. One
   * where memory cannot be shared, whatever is asked for (a page needs cross-origin isolation for more).
   */
  readonly threads?: number;
  /**
   * Default: what the environment variable GALLOP_WASM_VARIANT names (in Node), else `relaxed` where the engine knows
   * it. Both compute the same bits.
   */
  readonly variant?: WasmVariant;
}

const stackBytes = 128 * 1024;
const initialPages = 64;

/** Instruction sets that this engine can run, best first; none without WebAssembly SIMD. */
export function wasmVariants(): WasmVariant[] {
  if (!supportsSimd()) return [];
  return supportsRelaxedSimd() ? ['relaxed', 'simd'] : ['simd'];
}

function chooseVariant(asked: string | undefined): WasmVariant {
  const variants = wasmVariants();
  if (variants.length === 0)
    throw new GallopError(
      'backend-unavailable',
      'this JavaScript engine has no WebAssembly SIMD; use a newer browser or Node 20 or later',
    );
  const variant = variants.find((name) => name === (asked ?? variants[0]));
  requireArgument(
    variant,
    () => `the wasm variant must be one of ${variants.join(', ')} in this engine; received ${asked}`,
  );
  return variant;
}

/** A memory with the largest address space that the engine reserves. */
function createMemory(shared: boolean): WebAssembly.Memory {
  for (const maximum of [65536, 32768, 16384]) {
    try {
      return new WebAssembly.Memory({ initial: initialPages, maximum, shared });
    } catch {
      // smaller devices refuse to reserve this much
    }
  }
  throw new GallopError('out-of-memory', 'the engine refuses a WebAssembly memory of 1 GiB; close other programs');
}

async function loadModule(variant: WasmVariant, shared: boolean): Promise<WebAssembly.Module> {
  const url = wasmModuleUrl(variant, shared);
  try {
    return await compileModule(url);
  } catch (cause) {
    throw new GallopError(
      'backend-unavailable',
      `the wasm kernels at ${url.href} could not be loaded (${(cause as Error).message}); in a checkout, build them with "pnpm --filter @gallop/kernels build:kernels"`,
      { cause },
    );
  }
}

class WasmMemory implements Memory {
  readonly address: number;
  readonly byteLength: number;
  readonly #heap: Heap;
  #freed = false;

  constructor(heap: Heap, byteLength: number) {
    this.#heap = heap;
    this.address = heap.allocate(byteLength);
    this.byteLength = byteLength;
  }

  bytes(): Uint8Array<ArrayBufferLike> {
    if (this.#freed) return new Uint8Array(0);
    return new Uint8Array(this.#heap.memory.buffer, this.address, this.byteLength);
  }

  free(): void {
    if (!this.#freed) this.#heap.release(this.address, this.byteLength);
    this.#freed = true;
  }
}

/** A block that is replaced by a larger one when it is too small. Its contents do not survive that. */
class Buffer {
  readonly #heap: Heap;
  #memory: WasmMemory | undefined;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  address(byteLength: number): number {
    if (this.#memory && this.#memory.byteLength >= byteLength) return this.#memory.address;
    this.#memory?.free();
    this.#memory = undefined;
    this.#memory = new WasmMemory(this.#heap, Math.ceil((byteLength * 1.5) / 4096) * 4096);
    return this.#memory.address;
  }
}

class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly variant: string;
  readonly threads: number;
  readonly #kernels: WasmKernels;
  readonly #heap: Heap;
  readonly #helpers: Helper[];
  readonly #words: Buffer;
  readonly #counters: Buffer;
  readonly #scratch: Buffer;
  #open = true;

  constructor(variant: string, kernels: WasmKernels, heap: Heap, helpers: Helper[]) {
    this.variant = variant;
    this.threads = helpers.length + 1;
    this.#kernels = kernels;
    this.#heap = heap;
    this.#helpers = helpers;
    this.#words = new Buffer(heap);
    this.#counters = new Buffer(heap);
    this.#scratch = new Buffer(heap);
  }

  allocate(byteLength: number): Memory {
    requireArgument(
      Number.isSafeInteger(byteLength) && byteLength >= 0,
      () => `a byte length must be a non-negative integer; received ${byteLength}`,
    );
    return new WasmMemory(this.#heap, byteLength);
  }

  execute(list: CommandList): void {
    if (!this.#open) throw new GallopError('invalid-state', 'this backend was disposed; create another one');
    const { length, commandCount } = list;
    const scratchFloats = Math.ceil(list.scratchFloats / 16) * 16;
    const words = this.#words.address(length * 8);
    const counterStride = Math.ceil(commandCount / 16) * 16;
    const counters = this.#counters.address(counterStride * 4 * this.threads);
    const scratch = this.#scratch.address(scratchFloats * 4 * this.threads);
    new Float64Array(this.#heap.memory.buffer, words, length).set(list.words.subarray(0, length));
    this.#kernels.execute(words, length, counters, counterStride, scratch, scratchFloats, this.threads);
  }

  dispose(): void {
    this.#open = false;
    for (const helper of this.#helpers) helper.terminate();
    this.#helpers.length = 0;
  }
}

/**
 * @throws GallopError `backend-unavailable` where the engine has no WebAssembly SIMD or the kernels are missing,
 * `invalid-argument` for a variant that the engine lacks or a thread count outside 1…256, `out-of-memory`
 */
export async function createWasmBackend(options: WasmBackendOptions = {}): Promise<Backend> {
  const variant = chooseVariant(options.variant ?? requestedVariant());
  const asked = options.threads ?? Math.min(machineThreads(), 16);
  requireArgument(
    Number.isInteger(asked) && asked >= 1 && asked <= 256,
    () => `threads must be an integer from 1 to 256; received ${asked}`,
  );
  const threads = supportsThreads() ? asked : 1;
  const module = await loadModule(variant, threads > 1);
  const memory = createMemory(threads > 1);
  const sleeps = threads > 1 && mayWait();
  const pause = (address: number, seen: number): void => {
    if (sleeps) Atomics.wait(new Int32Array(memory.buffer), address >>> 2, seen, 0.05);
  };
  const instance = await WebAssembly.instantiate(module, {
    env: { memory },
    host: { pause, now: () => performance.now() },
  });
  const kernels = instance.exports as unknown as WasmKernels;
  const heap = new Heap(memory, kernels.__heap_base.value);
  const starts = Array.from({ length: threads - 1 }, (_, index) =>
    startHelper({ module, memory, thread: index + 1, stackTop: heap.allocate(stackBytes) + stackBytes }),
  );
  const started = await Promise.allSettled(starts);
  const helpers = started.filter((result) => result.status === 'fulfilled').map((result) => result.value);
  const failure = started.find((result) => result.status === 'rejected');
  if (failure) {
    for (const helper of helpers) helper.terminate();
    throw new GallopError(
      'backend-unavailable',
      `a helper thread did not start (${failure.reason}); ask for one thread with { threads: 1 }`,
      { cause: failure.reason },
    );
  }
  return new WasmBackend(variant, kernels, heap, helpers);
}
