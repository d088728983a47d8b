/**
 * The key–value metadata of a GGUF file, with typed look-up. Writers disagree on integer widths, so `number` accepts any
 * numeric type. 64-bit integers outside ±2^53 stay bigints; all others are numbers.
 */
import { GallopError } from '@gallop/core';
import type { StringTable } from './string-table.ts';

/** Numbers of a metadata array; booleans are bytes 0 and 1. */
export type GgufNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

export type GgufNumberType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64' | 'f32' | 'f64';

export type GgufElementType = GgufNumberType | 'bool' | 'string';

/** One metadata value with its type in the file. */
export type GgufValue =
  | { readonly type: GgufNumberType; readonly value: number | bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly elementType: 'string'; readonly value: StringTable }
  | { readonly type: 'array'; readonly elementType: GgufNumberType | 'bool'; readonly value: GgufNumbers };

/** Value types by their number in a file. */
export const ggufValueTypes: readonly (GgufElementType | 'array')[] = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
];

/** Metadata in file order. Every getter throws `invalid-file` for a value of another type. */
export class GgufMetadata implements Iterable<[string, GgufValue]> {
  readonly #values: ReadonlyMap<string, GgufValue>;
  readonly #name: string;

  /** @param name what to call the file in error messages. */
  constructor(values: ReadonlyMap<string, GgufValue>, name = 'this file') {
    this.#values = values;
    this.#name = name;
  }

  get size(): number {
    return this.#values.size;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): GgufValue | undefined {
    return this.#values.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  [Symbol.iterator](): Iterator<[string, GgufValue]> {
    return this.#values[Symbol.iterator]();
  }

  /** A string. Without `fallback` an absent key throws `invalid-file`. */
  string(key: string, fallback?: string): string {
    const value = this.#values.get(key);
    if (value === undefined && fallback !== undefined) return fallback;
    if (value?.type === 'string') return value.value;
    throw this.#wrong(key, 'a string', value);
  }

  /** A boolean. Without `fallback` an absent key throws `invalid-file`. */
  boolean(key: string, fallback?: boolean): boolean {
    const value = this.#values.get(key);
    if (value === undefined && fallback !== undefined) return fallback;
    if (value?.type === 'bool') return value.value;
    throw this.#wrong(key, 'a boolean', value);
  }

  /** A number of any width that fits a double exactly. Without `fallback` an absent key throws `invalid-file`. */
  number(key: string, fallback?: number): number {
    const value = this.#values.get(key);
    if (value === undefined && fallback !== undefined) return fallback;
    if (typeof value?.value === 'number') return value.value;
    throw this.#wrong(key, 'a number within ±2^53', value);
  }

  /** A list of numbers, or undefined when the key is absent. */
  numbers(key: string): GgufNumbers | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    if (value.type === 'array' && value.elementType !== 'string') return value.value;
    throw this.#wrong(key, 'an array of numbers', value);
  }

  /** A list of strings, or undefined when the key is absent. */
  strings(key: string): StringTable | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    if (value.type === 'array' && value.elementType === 'string') return value.value;
    throw this.#wrong(key, 'an array of strings', value);
  }

  #wrong(key: string, expected: string, value: GgufValue | undefined): GallopError {
    const found =
      value === undefined ? 'no such key' : value.type === 'array' ? `an array of ${value.elementType}` : value.type;
    return new GallopError(
      'invalid-file',
      `Expected ${expected} as metadata ${key} of ${this.#name}; found ${found}. Use a complete conversion of the model.`,
    );
  }
}
