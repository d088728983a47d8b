/** Finds the wasm modules of the kernels (built by `scripts/build.mjs wasm`, shipped with the package). */

/** Instruction sets: plain SIMD, or relaxed SIMD for its 8-bit dot product. Results are the same to the bit. */
export type WasmVariant = 'simd' | 'relaxed';

/**
 * Where a module lies, relative to this file: one level up from src/ as well as from dist/. The addresses are written
 * out so that bundlers see them and copy the modules.
 * @param shared the module that runs on several threads over shared memory
 */
export function wasmModuleUrl(variant: WasmVariant, shared: boolean): URL {
  if (variant === 'relaxed')
    return shared
      ? new URL('../build/gallop-relaxed-threads.wasm', import.meta.url)
      : new URL('../build/gallop-relaxed.wasm', import.meta.url);
  return shared
    ? new URL('../build/gallop-simd-threads.wasm', import.meta.url)
    : new URL('../build/gallop-simd.wasm', import.meta.url);
}

/** What a module exports. Addresses and sizes are in bytes of its memory. */
export interface WasmKernels {
  readonly __heap_base: { readonly value: number };
  readonly __stack_pointer: { value: number };
  /** Runs a command list on the calling thread and on `threads - 1` threads that sit in `help`. */
  execute(
    words: number,
    length: number,
    counters: number,
    counterStride: number,
    scratch: number,
    scratchFloats: number,
    threads: number,
  ): void;
  /** Works along with every `execute` as thread 1…; never returns. */
  help(thread: number): never;
}
