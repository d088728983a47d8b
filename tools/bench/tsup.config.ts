import { defineConfig } from 'tsup';

/**
 * The programs whose start-up is measured, as plain JavaScript beside the built packages: what a user's Node would run.
 * Everything else of this tool runs from its sources.
 */
export default defineConfig({
  entry: [
    'src/workers/gallop-generate.ts',
    'src/workers/gallop-passes.ts',
    'src/workers/llama-generate.ts',
    'src/workers/tokenize.ts',
  ],
  outDir: 'dist/workers',
  format: ['esm'],
  target: 'node22',
  platform: 'node',
  splitting: false,
  clean: false,
});
