/** One bundling recipe for every publishable package: ESM JavaScript by tsup, declarations by `tsc -b`. */
export const library = (overrides = {}) => ({
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'es2023',
  platform: 'neutral',
  sourcemap: true,
  dts: false,
  clean: false,
  splitting: true,
  external: [/^node:/, /^@gallop\//],
  ...overrides,
});
