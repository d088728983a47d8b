/**
 * Reads golden cases from files: safetensors with the case as JSON in their metadata, or JSON with the same fields. Files
 * that are not cases (models, tokenizers, configurations) give undefined.
 */
import { readFileSync } from 'node:fs';
import { decodeValues, memorySource, openSafetensors } from '@gallop/formats';
import type { TensorValue } from './registry.ts';

/** Largest accepted difference `abs + rel·|expected|`, or equality element for element. */
export type Tolerance = 'exact' | { readonly abs: number; readonly rel: number };

export interface GoldenCase {
  readonly path: string;
  readonly method: string;
  readonly operation: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly tolerance: Tolerance;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly weights: Readonly<Record<string, TensorValue>>;
  readonly randoms: Readonly<Record<string, TensorValue>>;
  /** Tensors in a tensor case, JSON values in a JSON case. */
  readonly expected: Readonly<Record<string, unknown>>;
  readonly isJson: boolean;
}

interface CaseFields {
  readonly method: string;
  readonly operation: string;
  readonly params?: Record<string, unknown>;
  readonly tolerance: Tolerance;
}

/** The case in a file, or undefined when the file is something else. */
export async function readCase(path: string): Promise<GoldenCase | undefined> {
  return path.endsWith('.json') ? readJsonCase(path) : readTensorCase(path);
}

function readJsonCase(path: string): GoldenCase | undefined {
  const root: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof root !== 'object' || root === null || !('operation' in root) || !('tolerance' in root)) return undefined;
  return assemble(path, root as unknown as CaseFields, flatten(root as Record<string, unknown>), true);
}

/** Fields as `in.name` and `out.name`; some cases nest them as `in: { name }`. */
function flatten(root: Record<string, unknown>): Record<string, unknown> {
  const nested = ['in', 'out'].flatMap((side) =>
    Object.entries((root[side] ?? {}) as object).map(([name, value]) => [`${side}.${name}`, value] as const),
  );
  return { ...root, ...Object.fromEntries(nested) };
}

async function readTensorCase(path: string): Promise<GoldenCase | undefined> {
  const file = await openSafetensors(memorySource(readFileSync(path), path));
  const text = file.metadata.get('case');
  if (text === undefined) return undefined;
  const values: Record<string, TensorValue> = {};
  for (const tensor of file.tensors) {
    if (tensor.name.startsWith('info.')) continue;
    const data = decodeValues(tensor.dtype, await file.read(tensor));
    values[tensor.name] = { dtype: tensor.dtype, shape: tensor.shape, data };
  }
  return assemble(path, JSON.parse(text) as CaseFields, values, false);
}

function assemble(path: string, fields: CaseFields, values: Record<string, unknown>, isJson: boolean): GoldenCase {
  const withPrefix = <Value>(prefix: string): Record<string, Value> =>
    Object.fromEntries(
      Object.entries(values)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length), value as Value]),
    );
  return {
    path,
    method: fields.method,
    operation: fields.operation,
    params: fields.params ?? {},
    tolerance: fields.tolerance,
    inputs: withPrefix('in.'),
    weights: withPrefix('weight.'),
    randoms: withPrefix('random.'),
    expected: withPrefix('out.'),
    isJson,
  };
}
