/** The wasm backend fulfils the backend contract with every instruction set that this engine can run. */
import { backendContract } from '@gallop/tensor/testing';
import { createWasmBackend, wasmVariants } from './wasm-backend.ts';

for (const variant of wasmVariants())
  backendContract({ name: `wasm ${variant}`, create: ({ threads }) => createWasmBackend({ variant, threads }) });
