/**
 * Hyper-parameters of a checkpoint under both spellings: config.json of Hugging Face, and the metadata of GGUF, whose
 * keys start with the architecture's name.
 */
import { GallopError } from '@gallop/core';
import { type GgufMetadata, JsonView } from '@gallop/formats';

export type Container = 'huggingFace' | 'gguf';

/** Key of config.json (or several, for families that spell it differently), and key of GGUF after the architecture. */
type Keys = readonly [huggingFace: string | readonly string[], gguf: string];

export class Settings {
  readonly container: Container;
  /** `model_type` or `general.architecture`. */
  readonly architecture: string;
  /** config.json; empty for GGUF. */
  readonly json: JsonView;
  readonly metadata: GgufMetadata | undefined;

  constructor(architecture: string, json: JsonView, metadata?: GgufMetadata) {
    this.architecture = architecture;
    this.json = json;
    this.metadata = metadata;
    this.container = metadata ? 'gguf' : 'huggingFace';
  }

  /** A number. Without `fallback` it must be there. @throws GallopError `invalid-file` */
  number(keys: Keys, fallback?: number): number {
    const [huggingFace, gguf] = keys;
    if (this.metadata) return this.metadata.number(`${this.architecture}.${gguf}`, fallback);
    const spellings = typeof huggingFace === 'string' ? [huggingFace] : huggingFace;
    const key = spellings.find((spelling) => this.json.get(spelling) !== undefined) ?? spellings[0]!;
    return this.json.number(key, fallback);
  }

  /** A count: a positive integer below 2³¹. @throws GallopError `invalid-file` */
  count(keys: Keys, fallback?: number): number {
    const value = this.number(keys, fallback);
    if (Number.isInteger(value) && value >= 1 && value < 2 ** 31) return value;
    throw new GallopError(
      'invalid-file',
      `expected a positive integer as ${this.container === 'gguf' ? keys[1] : keys[0]}; the file says ${value}; convert or download the model again`,
    );
  }

  /** A number of config.json or of GGUF's metadata, or undefined. */
  optional(keys: Keys): number | undefined {
    const value = this.number(keys, Number.NaN);
    return Number.isNaN(value) ? undefined : value;
  }

  /**
   * Settings of a part of config.json that is an object.
   * @param defaults what the part leaves out
   */
  part(key: string, defaults: Readonly<Record<string, unknown>> = {}): Settings {
    const stated = Object.fromEntries(this.json.view(key).entries());
    const view = new JsonView({ ...defaults, ...stated }, `${key} of config.json`);
    return new Settings(view.string('model_type'), view);
  }
}

/** Parses config.json. Infinity and NaN may be written bare, as Python does, or as `{"__float__": "Infinity"}`. */
export function parseConfig(text: string): JsonView {
  const revive = (_key: string, value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || !('__float__' in value)) return value;
    return Number(value.__float__);
  };
  try {
    return new JsonView(JSON.parse(text, revive), 'config.json');
  } catch (cause) {
    if (GallopError.isInstance(cause)) throw cause;
    const quoted = text.replace(/([:[,]\s*)(-?Infinity|NaN)(?=\s*[,\]}])/g, '$1{"__float__":"$2"}');
    if (quoted !== text) return parseConfig(quoted);
    throw new GallopError('invalid-file', `Expected JSON in config.json; ${(cause as Error).message}.`, { cause });
  }
}
