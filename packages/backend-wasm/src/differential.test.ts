/** Every wasm variant, with one and with two threads, computes the bits that native code computes. */
import { createNativeBackend } from '@gallop/backend-native';
import { type Backend, weightFormats } from '@gallop/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attentionProgram, linearProgram, type Results, rowsProgram } from './testing/random-programs.ts';
import { createWasmBackend, wasmVariants } from './wasm-backend.ts';

function nativeBackend(): Backend | string {
  try {
    return createNativeBackend({ threads: 1 });
  } catch (error) {
    return (error as Error).message;
  }
}

const native = nativeBackend();
const configurations = wasmVariants().flatMap((variant) => [1, 2].map((threads) => ({ variant, threads })));

function expectSameBits(actual: Results, expected: Results): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, bytes] of expected) {
    const other = actual.get(name)!;
    const at = bytes.findIndex((byte, index) => byte !== other[index]);
    expect(at, `${name}: first differing byte of ${bytes.length}`).toBe(-1);
    expect(other.length).toBe(bytes.length);
  }
}

describe.skipIf(typeof native === 'string')(
  `wasm against native code${typeof native === 'string' ? ` (skipped: ${native})` : ''}`,
  () => {
    const expected = native as Backend;
    afterAll(() => expected.dispose());

    describe.each(configurations)('$variant with $threads threads', ({ variant, threads }) => {
      let backend: Backend;
      beforeAll(async () => {
        backend = await createWasmBackend({ variant, threads });
      });
      afterAll(() => backend.dispose());

      it('is the configuration that was asked for', () => {
        expect([backend.name, backend.variant, backend.threads]).toEqual(['wasm', variant, threads]);
      });
      it.each(weightFormats)('linear %s', async (format) => {
        for (const seed of [1, 2])
          expectSameBits(await linearProgram(backend, format, seed), await linearProgram(expected, format, seed));
      });
      it('operations on rows', () => {
        for (const seed of [3, 4]) expectSameBits(rowsProgram(backend, seed), rowsProgram(expected, seed));
      });
      it.each(['f16', 'f32'] as const)('attention over a cache of %s', (dtype) => {
        for (const seed of [5, 6, 7])
          expectSameBits(attentionProgram(backend, dtype, seed), attentionProgram(expected, dtype, seed));
      });
    });
  },
);
