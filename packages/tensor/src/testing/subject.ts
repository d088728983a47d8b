/** The backend under test, and the comparison that most cases come down to: the same program, the same bits. */
import { expect } from 'vitest';
import type { Backend } from '../backend.ts';
import { createReferenceBackend } from '../reference/reference-backend.ts';
import type { Tensor } from '../tensor.ts';
import { Bench, bitsOf } from './bench.ts';

export interface Subject {
  create(options: { threads: number }): Backend | Promise<Backend>;
}

/** One test of the contract. */
export interface ContractCase {
  readonly name: string;
  readonly check: (subject: Subject) => Promise<void>;
}

/** Records work on a bench; the named tensors are what it computes. */
export type Program = (bench: Bench) => Promise<Record<string, Tensor>> | Record<string, Tensor>;

/** Runs a program and returns the bits of its results. */
export async function runProgram(backend: Backend, program: Program): Promise<Record<string, Uint32Array>> {
  const bench = new Bench(backend);
  try {
    const results = await program(bench);
    bench.recorder.flush();
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, bitsOf(tensor)]));
  } finally {
    bench.dispose();
  }
}

/** Fails at the first word that differs. */
export function expectSameBits(actual: Uint32Array, expected: Uint32Array, what: string): void {
  expect(actual.length, `${what}: length`).toBe(expected.length);
  const at = actual.findIndex((word, i) => word !== expected[i]);
  if (at >= 0) {
    const [received, wanted] = [actual, expected].map((words) => new Float32Array(words.buffer, 4 * at, 1)[0]);
    expect.fail(`${what}: word ${at} of ${actual.length} is ${received} as a float; expected ${wanted}`);
  }
}

export async function expectReferenceBits(subject: Subject, program: Program, threads = 1): Promise<void> {
  const actual = await runProgram(await subject.create({ threads }), program);
  const expected = await runProgram(createReferenceBackend(), program);
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, bits] of Object.entries(expected)) expectSameBits(actual[name]!, bits, name);
}

/** A case that passes when a program gives the reference's bits. */
export const sameBits = (name: string, program: Program): ContractCase => ({
  name,
  check: (subject) => expectReferenceBits(subject, program),
});
