import path from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@gallop/source'] },
  ssr: { resolve: { conditions: ['@gallop/source', 'node', 'import', 'default'] } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
      'tools/*/src/**/*.test.ts',
      'tools/bootstrap/*.test.mjs',
    ],
    env: { GALLOP_MODELS: path.resolve(process.env.GALLOP_MODELS ?? 'models') },
    testTimeout: 60_000,
    maxWorkers: 2,
  },
});
