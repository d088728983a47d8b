/**
 * Runs command lists on the machine's own instructions, through the kernels' Node-API library. Memory lies outside the
 * JavaScript heap; `execute` blocks the calling thread, which works along with the helper threads.
 */
import { availableParallelism } from 'node:os';
import { GallopError, requireArgument } from '@gallop/core';
import { loadNativeLibrary, type NativeLibrary } from '@gallop/kernels/native';
import type { Backend, CommandList, Memory } from '@gallop/tensor';

export interface NativeBackendOptions {
  /** Threads that compute, the calling one included. Default: as many as the machine runs at once. */
  readonly threads?: number;
  /**
   * Instruction set: one of `nativeVariants()`. Default: the best one, or what the environment variable
   * GALLOP_NATIVE_VARIANT names.
   */
  readonly variant?: string;
}

/** Instruction sets this machine can run, best first. @throws GallopError `backend-unavailable` */
export function nativeVariants(): string[] {
  return loadNativeLibrary().variants();
}

class NativeMemory implements Memory {
  readonly address: number;
  readonly byteLength: number;
  readonly #library: NativeLibrary;
  #bytes: Uint8Array<ArrayBuffer>;

  constructor(library: NativeLibrary, address: number, buffer: ArrayBuffer) {
    this.#library = library;
    this.address = address;
    this.byteLength = buffer.byteLength;
    this.#bytes = new Uint8Array(buffer);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  free(): void {
    if (this.#bytes.byteLength > 0) this.#library.release(this.#bytes.buffer);
  }
}

/**
 * @throws GallopError `backend-unavailable` without a native library, `invalid-argument` for an unknown variant or a
 * thread count outside 1…256
 */
export function createNativeBackend(options: NativeBackendOptions = {}): Backend {
  const library = loadNativeLibrary();
  const variants = library.variants();
  const variant = options.variant ?? process.env.GALLOP_NATIVE_VARIANT ?? variants[0]!;
  const threads = options.threads ?? Math.min(availableParallelism(), 256);
  requireArgument(
    variants.includes(variant),
    () => `kernel variant must be one of ${variants.join(', ')} on this machine; received ${variant}`,
  );
  requireArgument(
    Number.isInteger(threads) && threads >= 1 && threads <= 256,
    () => `threads must be an integer from 1 to 256; received ${threads}`,
  );
  const pool = library.open(variant, threads);
  let open = true;
  return {
    name: 'native',
    variant,
    threads,
    allocate(byteLength: number): Memory {
      requireArgument(
        Number.isSafeInteger(byteLength) && byteLength >= 0,
        () => `a byte length must be a non-negative integer; received ${byteLength}`,
      );
      const block = library.allocate(Math.max(byteLength, 1));
      if (!block)
        throw new GallopError(
          'out-of-memory',
          `no memory for ${byteLength} bytes; close other models or use a smaller context`,
        );
      return new NativeMemory(library, block.address, block.buffer);
    },
    execute(list: CommandList): void {
      if (!open) throw new GallopError('invalid-state', 'this backend was disposed; create another one');
      library.execute(pool, list.words, list.length, list.commandCount, list.scratchFloats);
    },
    dispose(): void {
      if (open) library.close(pool);
      open = false;
    },
  };
}
