import { GallopError } from '@gallop/core';
import type { Backend } from '@gallop/tensor';
import { describe, expect, it } from 'vitest';
import { type BackendFactory, type BackendName, selectBackend } from './select-backend.ts';

const working =
  (name: BackendName): BackendFactory =>
  async ({ threads = 1 }) => {
    const unused = (): never => {
      throw new Error('not part of this test');
    };
    return {
      name,
      variant: 'test',
      threads,
      allocate: unused,
      execute: unused,
      dispose: () => undefined,
    } satisfies Backend;
  };

const failing =
  (error: Error): BackendFactory =>
  async () => {
    throw error;
  };

const all = { native: working('native'), wasm: working('wasm'), reference: working('reference') };
const unavailable = new GallopError('backend-unavailable', 'Expected a compiler; found none; install one.');

describe('selectBackend', () => {
  it('takes the native backend by default, with the threads asked for', async () => {
    expect(await selectBackend({ threads: 3 }, all, undefined)).toMatchObject({ name: 'native', threads: 3 });
  });

  it('falls back on wasm and says why in one line', async () => {
    const lines: string[] = [];
    const choice = { onWarning: (line: string): number => lines.push(line) };
    const backend = await selectBackend(choice, { ...all, native: failing(unavailable) }, undefined);
    expect(backend.name).toBe('wasm');
    expect(lines).toEqual([expect.stringMatching(/^using the wasm backend.*Expected a compiler/)]);
  });

  it('does not hide other failures, nor replace a backend that was named', async () => {
    const broken = new GallopError('out-of-memory', 'x');
    await expect(selectBackend({}, { ...all, native: failing(broken) }, undefined)).rejects.toBe(broken);
    const named = selectBackend({ backend: 'native' }, { ...all, native: failing(unavailable) }, undefined);
    await expect(named).rejects.toBe(unavailable);
  });

  it('lets the environment decide what the caller left open', async () => {
    expect((await selectBackend({}, all, 'reference')).name).toBe('reference');
    expect((await selectBackend({ backend: 'wasm' }, all, 'reference')).name).toBe('wasm');
    expect((await selectBackend({}, all, '')).name).toBe('native');
    await expect(selectBackend({}, all, 'gpu')).rejects.toThrow(/GALLOP_BACKEND; received "gpu"/);
  });

  it('refuses unknown names and thread counts', async () => {
    await expect(selectBackend({ backend: 'gpu' as BackendName }, all, undefined)).rejects.toThrow(/as backend/);
    for (const threads of [0, -1, 1.5, Number.NaN]) {
      await expect(selectBackend({ threads }, all, undefined)).rejects.toThrow(/threads/);
    }
  });
});
