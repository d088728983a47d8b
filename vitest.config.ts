import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@gallop/source'] },
  ssr: { resolve: { conditions: ['@gallop/source', 'node', 'import', 'default'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tools/*/src/**/*.test.ts'],
    testTimeout: 60_000,
    maxWorkers: 2,
  },
});
