/** Memory, life cycle and errors. */
import { GallopError } from '@gallop/core';
import { expect } from 'vitest';
import type { Backend } from '../backend.ts';
import { Recorder } from '../recorder.ts';
import type { ContractCase, Subject } from './subject.ts';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (GallopError.isInstance(error)) return error.code;
    throw error;
  }
  return 'no error';
}

async function withBackend(subject: Subject, body: (backend: Backend) => void): Promise<void> {
  const backend = await subject.create({ threads: 1 });
  try {
    body(backend);
  } finally {
    backend.dispose();
  }
}

function expectZeroFilledAndAligned(backend: Backend): void {
  for (let round = 0; round < 3; round++) {
    const blocks = [1, 63, 64, 4097, 100_000].map((byteLength) => backend.allocate(byteLength));
    const ranges = blocks.map(({ address, byteLength }) => [address, address + byteLength] as const);
    for (const block of blocks) {
      expect(block.address % 64).toBe(0);
      expect(block.bytes().length).toBe(block.byteLength);
      expect(block.bytes().every((byte) => byte === 0)).toBe(true);
    }
    for (const block of blocks) block.bytes().fill(255);
    ranges.sort(([a], [b]) => a - b);
    for (let i = 1; i < ranges.length; i++) expect(ranges[i]![0]).toBeGreaterThanOrEqual(ranges[i - 1]![1]);
    for (const block of blocks) block.free();
  }
}

function expectRefusals(backend: Backend): void {
  for (const length of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(
      codeOf(() => backend.allocate(length)),
      `${length} bytes`,
    ).toBe('invalid-argument');
  expect(codeOf(() => backend.allocate(2 ** 52))).toBe('out-of-memory');
  const block = backend.allocate(64);
  expect(block.bytes().length, 'memory after a refusal').toBe(64);
  block.free();
  expect(
    codeOf(() => block.free()),
    'freeing twice',
  ).toBe('no error');
}

function expectDisposed(backend: Backend): void {
  const recorder = new Recorder(backend);
  recorder.add(recorder.upload(Float32Array.of(1)), recorder.upload(Float32Array.of(2)));
  backend.dispose();
  expect(codeOf(() => recorder.flush())).toBe('invalid-state');
  expect(
    codeOf(() => backend.dispose()),
    'disposing twice',
  ).toBe('no error');
}

export const memoryCases: readonly ContractCase[] = [
  {
    name: 'memory: zero-filled, aligned, disjoint',
    check: (subject) => withBackend(subject, expectZeroFilledAndAligned),
  },
  { name: 'memory: impossible sizes', check: (subject) => withBackend(subject, expectRefusals) },
  { name: 'dispose', check: async (subject) => expectDisposed(await subject.create({ threads: 1 })) },
];
