import { defineConfig } from 'tsup';

/**
 * The program's own files, in pieces that load when a command needs them. The libraries stay packages of their own: the
 * backends find the native library, the wasm modules and their worker beside themselves.
 */
export default defineConfig({
  entry: ['src/main.ts'],
  format: ['esm'],
  target: 'node22',
  platform: 'node',
  sourcemap: true,
  splitting: true,
  clean: true,
});
