/**
 * Typed look-up in GGUF metadata, whichever reader it comes from: values may be plain (string, number, array) or wrapped as
 * {type, value}, as @gallop/formats gives them.
 */
import { GallopError } from '@gallop/core';
import type { StringTable } from '../vocabulary/string-table.ts';

/** GGUF metadata by key. */
export interface MetadataSource {
  get(key: string): unknown;
  /** All keys; needed only for named chat templates. */
  keys?(): Iterable<string>;
}

/** Metadata with checked types. */
export class TokenizerMetadata {
  readonly #source: MetadataSource;

  constructor(source: MetadataSource) {
    this.#source = source;
  }

  #get(key: string): unknown {
    const value = this.#source.get(key);
    if (typeof value === 'object' && value !== null && 'type' in value && 'value' in value) return value.value;
    return value ?? undefined;
  }

  #wrong(key: string, expected: string, value: unknown): GallopError {
    const found = value === undefined ? 'no such key' : typeof value;
    return new GallopError(
      'invalid-file',
      `Expected ${expected} as metadata ${key}; found ${found}. Use a complete conversion of the model.`,
    );
  }

  string(key: string): string | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.#wrong(key, 'a string', value);
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.#get(key);
    if (value === undefined) return fallback;
    if (typeof value === 'boolean') return value;
    throw this.#wrong(key, 'a boolean', value);
  }

  /** A token id, undefined where the key is absent. */
  id(key: string): number | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    const id = typeof value === 'bigint' ? Number(value) : value;
    if (typeof id === 'number' && Number.isSafeInteger(id)) return id;
    throw this.#wrong(key, 'a token id', value);
  }

  strings(key: string): StringTable | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    const table = value as StringTable;
    if (
      typeof value === 'object' &&
      typeof table.length === 'number' &&
      typeof table.at === 'function' &&
      !ArrayBuffer.isView(value)
    ) {
      return table;
    }
    throw this.#wrong(key, 'an array of strings', value);
  }

  numbers(key: string): ArrayLike<number> | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
    const list = value as ArrayLike<unknown>;
    if (isList && (list.length === 0 || typeof list[0] === 'number')) return value as ArrayLike<number>;
    throw this.#wrong(key, 'an array of numbers', value);
  }

  keys(): Iterable<string> {
    return this.#source.keys?.() ?? [];
  }
}
