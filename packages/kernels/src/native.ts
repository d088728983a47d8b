/** Finds and types the native kernel library of this platform (built by `scripts/build.mjs`, or shipped prebuilt). */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { GallopError } from '@gallop/core';

/** Opaque handle of a thread pool. */
export type NativePool = { readonly __nativePool: unique symbol };

export interface NativeLibrary {
  /** Instruction sets this processor can run, best first. */
  variants(): string[];
  open(variant: string, threads: number): NativePool;
  close(pool: NativePool): void;
  /** null when the system has no memory. */
  allocate(byteLength: number): { address: number; buffer: ArrayBuffer } | null;
  release(buffer: ArrayBuffer): void;
  execute(pool: NativePool, words: Float64Array, length: number, commands: number, scratchFloats: number): void;
}

/** Where the library of this platform is expected. */
export function nativeLibraryPath(): string {
  const name = `gallop-${process.platform}-${process.arch}.node`;
  // One level up from src/ as well as from dist/; a bundle names the place itself.
  return process.env.GALLOP_NATIVE_LIBRARY ?? fileURLToPath(new URL(`../build/${name}`, import.meta.url));
}

/** @throws GallopError `backend-unavailable` when the library is absent or cannot be loaded */
export function loadNativeLibrary(): NativeLibrary {
  const path = nativeLibraryPath();
  if (!existsSync(path))
    throw new GallopError(
      'backend-unavailable',
      `no native kernels for ${process.platform}-${process.arch}: ${path} does not exist; build them with "pnpm --filter @gallop/kernels build:kernels" (needs a C compiler) or use the wasm backend`,
    );
  try {
    return createRequire(import.meta.url)(path) as NativeLibrary;
  } catch (cause) {
    throw new GallopError(
      'backend-unavailable',
      `the native kernels at ${path} could not be loaded (${(cause as Error).message}); rebuild them or use the wasm backend`,
      { cause },
    );
  }
}
