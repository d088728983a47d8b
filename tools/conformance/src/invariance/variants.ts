/** Every way in which this machine can compute: backends, instruction sets, numbers of threads. */
import { createNativeBackend, nativeVariants } from '@gallop/backend-native';
import { createWasmBackend, wasmVariants } from '@gallop/backend-wasm';
import { GallopError } from '@gallop/core';
import type { Backend } from '@gallop/tensor';

export interface Variant {
  readonly name: string;
  readonly threads: number;
  open(): Promise<Backend>;
}

function availableNative(): string[] {
  try {
    return nativeVariants();
  } catch (error) {
    if (GallopError.isInstance(error, 'backend-unavailable')) return [];
    throw error;
  }
}

/** Best first. */
export function listVariants(threadCounts: readonly number[]): Variant[] {
  const native = availableNative().flatMap((variant) =>
    threadCounts.map((threads) => ({
      name: `native ${variant}`,
      threads,
      open: async () => createNativeBackend({ variant, threads }),
    })),
  );
  const wasm = wasmVariants().flatMap((variant) =>
    threadCounts.map((threads) => ({
      name: `wasm ${variant}`,
      threads,
      open: () => createWasmBackend({ variant, threads }),
    })),
  );
  return [...native, ...wasm];
}
