import { spawnSync } from 'node:child_process';
import { GallopError } from '@gallop/core';
import { type Backend, packWeight, Recorder, weightBytes } from '@gallop/tensor';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { supportsSimd, supportsThreads } from './features.ts';
import { createWasmBackend, type WasmBackendOptions, wasmVariants } from './wasm-backend.ts';

const open: Backend[] = [];
async function create(options: WasmBackendOptions): Promise<Backend> {
  const backend = await createWasmBackend(options);
  open.push(backend);
  return backend;
}
const failsWith = (code: GallopError['code']): unknown =>
  expect.toSatisfy((error) => GallopError.isInstance(error, code));

/** The sums of two rows of numbers, on this backend. */
function addOnce(backend: Backend): number[] {
  const recorder = new Recorder(backend);
  const sum = recorder.add(recorder.upload(Float32Array.of(1, 2, 3)), recorder.upload(Float32Array.of(10, 20, 30)));
  recorder.flush();
  const values = [...sum.floats()];
  recorder.dispose();
  return values;
}

describe('createWasmBackend', () => {
  afterEach(() => {
    for (const backend of open.splice(0)) backend.dispose();
    vi.unstubAllEnvs();
    vi.unstubAllGlobals();
  });

  it('finds WebAssembly SIMD and threads in Node', () => {
    expect([supportsSimd(), supportsThreads()]).toEqual([true, true]);
    expect(wasmVariants()).toContain('simd');
  });

  it('keeps contents while its memory grows', async () => {
    for (const threads of [1, 2]) {
      const backend = await create({ threads });
      const small = backend.allocate(1000);
      small.bytes().fill(7);
      const large = backend.allocate(64 << 20);
      expect(small.bytes().every((byte) => byte === 7)).toBe(true);
      expect(large.bytes().length).toBe(64 << 20);
      large.bytes().fill(1);
      large.free();
      large.free();
      expect(backend.allocate(64 << 20).address).toBe(large.address);
      expect(addOnce(backend)).toEqual([11, 22, 33]);
    }
  });

  it('refuses what does not fit and goes on', async () => {
    const backend = await create({ threads: 1 });
    expect(() => backend.allocate(5 * 2 ** 30)).toThrow(failsWith('out-of-memory'));
    expect(() => backend.allocate(-1)).toThrow(failsWith('invalid-argument'));
    expect(addOnce(backend)).toEqual([11, 22, 33]);
  });

  it('runs thousands of short lists on several threads', async () => {
    const backend = await create({ threads: 3 });
    for (let i = 0; i < 2000; i++) expect(addOnce(backend)).toEqual([11, 22, 33]);
  });

  it('takes the variant from the environment and names those there are', async () => {
    vi.stubEnv('GALLOP_WASM_VARIANT', 'simd');
    expect((await create({ threads: 1 })).variant).toBe('simd');
    vi.stubEnv('GALLOP_WASM_VARIANT', 'mmx');
    await expect(createWasmBackend()).rejects.toThrow(/must be one of .*simd.*received mmx/);
  });

  it('falls back to one thread where memory cannot be shared', async () => {
    vi.stubGlobal('SharedArrayBuffer', undefined);
    const backend = await create({ threads: 4 });
    expect(backend.threads).toBe(1);
    expect(addOnce(backend)).toEqual([11, 22, 33]);
  });

  it.each(wasmVariants())('decodes every f16 value, %s', async (variant) => {
    const backend = await create({ threads: 1, variant });
    const halves = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    const { address } = backend.allocate(weightBytes('F16', 1, 65536));
    const weight = await packWeight(backend, 'F16', 1, 65536, address, (_first, _count, into) =>
      into.set(new Uint8Array(halves.buffer)),
    );
    const recorder = new Recorder(backend);
    const decoded = recorder.embed(weight, recorder.upload(Int32Array.of(0)));
    recorder.flush();
    const values = decoded.floats();
    for (const bits of halves) {
      const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
      const size = exponent > 0 ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14;
      const magnitude = exponent < 31 ? size : fraction > 0 ? Number.NaN : Number.POSITIVE_INFINITY;
      if (!Object.is(values[bits], bits >> 15 ? -magnitude : magnitude)) expect.fail(`f16 ${bits}: ${values[bits]}`);
    }
  });

  it('refuses impossible thread counts and work after dispose', async () => {
    for (const threads of [0, 1.5, 257, Number.NaN])
      await expect(createWasmBackend({ threads })).rejects.toThrow(failsWith('invalid-argument'));
    const backend = await create({ threads: 2 });
    backend.dispose();
    expect(() => addOnce(backend)).toThrow(failsWith('invalid-state'));
  });

  it('lets the process end while helpers sleep', () => {
    const program = `
      const { createWasmBackend } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
      console.log((await createWasmBackend({ threads: 3 })).threads);`;
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--conditions=@gallop/source', '--input-type=module', '--eval', program],
      { encoding: 'utf8', timeout: 20_000 },
    );
    expect([stdout.trim(), status], stderr).toEqual(['3', 0]);
  });
});
