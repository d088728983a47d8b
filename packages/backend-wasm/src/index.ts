export { createWasmBackend, type WasmBackendOptions, wasmVariants } from './wasm-backend.ts';
