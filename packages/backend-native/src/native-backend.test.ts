/** The native backend fulfils the backend contract with every instruction set that this machine can run. */
import { GallopError } from '@gallop/core';
import { backendContract } from '@gallop/tensor/testing';
import { describe, expect, test } from 'vitest';
import { createNativeBackend, nativeVariants } from './native-backend.ts';

function variantsOrReason(): { variants: string[]; reason?: string } {
  try {
    return { variants: nativeVariants() };
  } catch (error) {
    if (GallopError.isInstance(error, 'backend-unavailable')) return { variants: [], reason: error.message };
    throw error;
  }
}

const { variants, reason } = variantsOrReason();

for (const variant of variants)
  backendContract({ name: `native ${variant}`, create: ({ threads }) => createNativeBackend({ variant, threads }) });

describe.skipIf(reason !== undefined)(`native backend${reason === undefined ? '' : ` (${reason})`}`, () => {
  test('names its variant and threads', () => {
    const backend = createNativeBackend({ variant: 'portable', threads: 2 });
    expect(backend).toMatchObject({ name: 'native', variant: 'portable', threads: 2 });
    backend.dispose();
  });

  test.each([{ variant: 'z80' }, { threads: 0 }, { threads: 1.5 }, { threads: 257 }, { threads: Number.NaN }])(
    'refuses %o',
    (options) => {
      expect(() => createNativeBackend(options)).toThrow(GallopError);
    },
  );
});
