/** Files that repeat a finding: the target's name and the input itself, so that they outlive changes of the generators. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { requireArgument } from '@gallop/core';
import type { FuzzInput } from './target.ts';

export interface Finding {
  readonly target: string;
  readonly seed: number;
  /** Number of the case in its campaign. */
  readonly number: number;
  readonly what: string;
  readonly input: FuzzInput;
}

/** Writes a reproducer and returns its path. */
export function writeReproducer(folder: string, finding: Finding): string {
  const { input, ...rest } = finding;
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${finding.target}-${finding.seed}-${finding.number}.json`);
  const stored = input instanceof Uint8Array ? { base64: Buffer.from(input).toString('base64') } : { value: input };
  writeFileSync(file, `${JSON.stringify({ ...rest, ...stored }, undefined, 2)}\n`);
  return file;
}

/** @throws GallopError `invalid-argument` for a file that is no reproducer. */
export function readReproducer(file: string): Finding {
  const { base64, value, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Finding & {
    base64?: string;
    value?: FuzzInput;
  };
  requireArgument(
    typeof rest.target === 'string' && (base64 !== undefined || value !== undefined),
    () => `Expected a reproducer with a target and an input; received ${file}. Use a file that fuzz wrote.`,
  );
  const input = base64 === undefined ? value : new Uint8Array(Buffer.from(base64, 'base64'));
  return { ...rest, input: input as FuzzInput };
}
