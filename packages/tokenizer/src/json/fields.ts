/** Checked access to parsed JSON: each getter says which field of which component is wrong. */
import { GallopError } from '@gallop/core';

type JsonObject = Readonly<Record<string, unknown>>;

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** One object of a tokenizer.json. */
export class Fields {
  readonly #object: JsonObject;
  /** Where the object stands, for messages. */
  readonly path: string;

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new GallopError(
        'invalid-file',
        `Expected an object at ${path}; received ${describe(value)}. Check the file.`,
      );
    }
    this.#object = value as JsonObject;
    this.path = path;
  }

  raw(key: string): unknown {
    return Object.hasOwn(this.#object, key) ? this.#object[key] : undefined;
  }

  fail(key: string, expected: string): GallopError {
    return new GallopError(
      'invalid-file',
      `Expected ${expected} at ${this.path}.${key}; received ${describe(this.raw(key))}. Check the file.`,
    );
  }

  /** Absent and null are the same. */
  #present(key: string): unknown {
    return this.raw(key) ?? undefined;
  }

  string(key: string, fallback?: string): string {
    const value = this.#present(key) ?? fallback;
    if (typeof value === 'string') return value;
    throw this.fail(key, 'a string');
  }

  optionalString(key: string): string | undefined {
    return this.#present(key) === undefined ? undefined : this.string(key);
  }

  boolean(key: string, fallback?: boolean): boolean {
    const value = this.#present(key) ?? fallback;
    if (typeof value === 'boolean') return value;
    throw this.fail(key, 'true or false');
  }

  /** A non-negative integer. */
  integer(key: string, fallback?: number): number {
    const value = this.#present(key) ?? fallback;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.fail(key, 'an integer from 0');
  }

  list(key: string): readonly unknown[] {
    const value = this.#present(key);
    if (Array.isArray(value)) return value;
    throw this.fail(key, 'a list');
  }

  object(key: string): Fields {
    return new Fields(this.raw(key), `${this.path}.${key}`);
  }

  optionalObject(key: string): Fields | undefined {
    return this.#present(key) === undefined ? undefined : this.object(key);
  }

  /** The objects of a list. */
  objects(key: string): Fields[] {
    return this.list(key).map((value, index) => new Fields(value, `${this.path}.${key}[${index}]`));
  }

  /** One of a few strings. */
  choice<Choice extends string>(key: string, choices: readonly Choice[], fallback?: Choice): Choice {
    const value = this.#present(key) ?? fallback;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw this.fail(key, `one of ${choices.join(', ')}`);
  }

  /** A value that may be valid but is not one that this package knows. */
  unsupported(key: string, expected: string): GallopError {
    return new GallopError(
      'unsupported',
      `Expected ${expected} at ${this.path}.${key}; received ${describe(this.raw(key))}. Ask for it in an issue.`,
    );
  }

  /** A component whose type this package does not know. */
  unknownType(kind: string, known: Iterable<string>): GallopError {
    return this.unsupported('type', `a ${kind} of a known type, ${[...known].join(', ')},`);
  }
}

/** How deep components may nest. */
const DEEPEST = 32;

/** Builds a component by its `type`, nested ones through the callback. */
export class ComponentFactory<Component> {
  readonly #kind: string;
  readonly #builders: ReadonlyMap<string, ComponentBuilder<Component>>;

  constructor(kind: string, builders: Readonly<Record<string, ComponentBuilder<Component>>>) {
    this.#kind = kind;
    this.#builders = new Map(Object.entries(builders));
  }

  build(fields: Fields, depth = 0): Component {
    if (depth > DEEPEST) throw fields.fail('type', `components nested at most ${DEEPEST} deep`);
    const type = fields.raw('type');
    const builder = typeof type === 'string' ? this.#builders.get(type) : undefined;
    if (!builder) throw fields.unknownType(this.#kind, this.#builders.keys());
    return builder(fields, (nested) => this.build(nested, depth + 1));
  }
}

export type ComponentBuilder<Component> = (fields: Fields, build: (nested: Fields) => Component) => Component;
