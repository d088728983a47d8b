/** The backend that model cases run on: `GALLOP_BACKEND` (native, wasm or reference), by default native where it loads. */
import { GallopError } from '@gallop/core';
import { type Backend, createReferenceBackend } from '@gallop/tensor';

async function createBackend(name: string): Promise<Backend> {
  if (name === 'reference') return createReferenceBackend();
  if (name === 'wasm') return (await import('@gallop/backend-wasm')).createWasmBackend({ threads: 1 });
  if (name === 'native') return (await import('@gallop/backend-native')).createNativeBackend({ threads: 1 });
  throw new Error(`Expected native, wasm or reference as GALLOP_BACKEND; received "${name}".`);
}

async function chosenBackend(): Promise<Backend> {
  const name = process.env.GALLOP_BACKEND;
  if (name) return createBackend(name);
  try {
    return await createBackend('native');
  } catch (error) {
    if (!GallopError.isInstance(error, 'backend-unavailable')) throw error;
    return createBackend('wasm');
  }
}

/** Runs a body on a backend of its own. */
export async function withBackend<Result>(body: (backend: Backend) => Promise<Result>): Promise<Result> {
  const backend = await chosenBackend();
  try {
    return await body(backend);
  } finally {
    backend.dispose();
  }
}
