/** Look-ups in the JSON files that come with Hugging Face models; a value of the wrong kind gives a typed error. */
import { GallopError } from '@gallop/core';

/** A JSON object with typed getters; absent and null are both "absent". */
export class JsonView {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #what: string;

  constructor(value: unknown, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new GallopError(
        'invalid-file',
        `Expected an object as ${what}; received ${JSON.stringify(value)?.slice(0, 40)}.`,
      );
    }
    this.#value = value as Record<string, unknown>;
    this.#what = what;
  }

  /** Parses a file's text. @throws GallopError `invalid-file` for other text than a JSON object. */
  static parse(text: string, what: string): JsonView {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new GallopError('invalid-file', `Expected JSON in ${what}; ${(cause as Error).message}.`, { cause });
    }
    return new JsonView(value, what);
  }

  get(key: string): unknown {
    return Object.hasOwn(this.#value, key) ? (this.#value[key] ?? undefined) : undefined;
  }

  entries(): [string, unknown][] {
    return Object.entries(this.#value);
  }

  /** A number; without `fallback` it must be there. */
  number(key: string, fallback?: number): number {
    return this.#typed(key, 'number', fallback);
  }

  /** A string; without `fallback` it must be there. */
  string(key: string, fallback?: string): string {
    return this.#typed(key, 'string', fallback);
  }

  /** A boolean; without `fallback` it must be there. */
  boolean(key: string, fallback?: boolean): boolean {
    return this.#typed(key, 'boolean', fallback);
  }

  /** An object within this one; an empty one when absent. */
  view(key: string): JsonView {
    return new JsonView(this.get(key) ?? {}, `${key} of ${this.#what}`);
  }

  /** A list; an empty one when absent. */
  list(key: string): readonly unknown[] {
    const value = this.get(key) ?? [];
    if (Array.isArray(value)) return value;
    throw this.#wrong(key, 'a list');
  }

  #typed<Value>(key: string, type: string, fallback: Value | undefined): Value {
    const value = this.get(key) ?? fallback;
    if (typeof value === type) return value as Value;
    throw this.#wrong(key, `a ${type}`);
  }

  #wrong(key: string, expected: string): GallopError {
    const found = JSON.stringify(this.get(key))?.slice(0, 40) ?? 'nothing';
    return new GallopError('invalid-file', `Expected ${expected} as ${key} of ${this.#what}; found ${found}.`);
  }
}
