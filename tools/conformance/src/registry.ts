/**
 * Which code answers which golden case. An adapter translates a case's names and layouts into calls of a package's public
 * functions and back; it contains no algorithm and never sees the expected outputs. Each area has its files in
 * `adapters/`, which register themselves when imported; `adapters/index.ts` lists them.
 */
import type { TypedArray } from '@gallop/formats';

/** A tensor of a case. F16, BF16 and F8 are widened: their data is float32 while `dtype` names what was stored. */
export interface TensorValue {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: TypedArray;
}

/** What an adapter is given. Names come without their `in.`, `weight.` or `random.`. */
export interface CaseContext {
  readonly area: string;
  readonly method: string;
  readonly operation: string;
  /** The case's parameters: JSON values as in the file. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Inputs: a TensorValue in a tensor case, a JSON value in a JSON case. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The input tensor of this name. Throws when the case has none. */
  tensor(name: string): TensorValue;
  readonly weights: Readonly<Record<string, TensorValue>>;
  /** Random numbers the recorded run consumed, in the order of the file. */
  readonly randoms: Readonly<Record<string, TensorValue>>;
  /** Path of the shared model `<area>/models/<name>`; `name` may carry that prefix. Throws when there is none. */
  modelFolder(name: string): string;
  /** Path of the real file that `params.file` names, checked against `params.sha256`; skips the case when it is absent. */
  realFile(): Promise<string>;
}

/**
 * Outputs by name, without `out.` (steps keep their number: `0.tokens`). For a tensor: a TensorValue-like object
 * `{ data, shape }`, a typed array, a number or nested arrays of numbers; for JSON the value itself.
 */
export type CaseOutputs = Record<string, unknown>;

export type Adapter = (context: CaseContext) => CaseOutputs | Promise<CaseOutputs>;

const adapters = new Map<string, Adapter>();
const keyOf = (area: string, method: string, operation: string): string => `${area}/${method}/${operation}`;

/** Registers the adapter of an operation. A method of `*` stands for every method of the area without its own. */
export function register(area: string, method: string, operation: string, adapter: Adapter): void {
  const key = keyOf(area, method, operation);
  if (adapters.has(key)) throw new Error(`Expected one adapter for ${key}; a second was registered.`);
  adapters.set(key, adapter);
}

/** The adapter for an operation, or undefined. */
export function findAdapter(area: string, method: string, operation: string): Adapter | undefined {
  return adapters.get(keyOf(area, method, operation)) ?? adapters.get(keyOf(area, '*', operation));
}

/** Thrown by an adapter's context to leave a case out, with the reason. */
export class SkipCase extends Error {}
