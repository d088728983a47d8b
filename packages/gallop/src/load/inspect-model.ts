/** What a model file says about itself, without loading a weight. */

import type { GgufFile, GgufValue } from '@gallop/formats';
import { type ModelSource, openModelFile } from './open-source.ts';

/** What a model file holds. */
export interface ModelDescription {
  /** `general.architecture`. */
  readonly architecture: string;
  /** Weights, counted as numbers. */
  readonly parameters: number;
  readonly contextLength: number | undefined;
  readonly vocabSize: number | undefined;
  /** `tokenizer.ggml.model` and `tokenizer.ggml.pre`. */
  readonly tokenizer: string | undefined;
  readonly chatTemplate: boolean;
  /** How many tensors and bytes there are of each storage type. */
  readonly tensorTypes: readonly { readonly type: string; readonly tensors: number; readonly bytes: number }[];
  /** All metadata as text; long lists shortened. */
  readonly metadata: ReadonlyMap<string, string>;
}

const LONGEST_TEXT = 120;
const LONGEST_LIST = 6;

/**
 * Reads the header of a model file.
 *
 * @throws GallopError as `openModelFile`
 */
export const inspectModel = async (source: ModelSource, signal?: AbortSignal): Promise<ModelDescription> => {
  using file = await openModelFile(source, signal === undefined ? {} : { signal });
  return describeFile(file);
};

const describeFile = ({ metadata, tensors }: GgufFile): ModelDescription => {
  const architecture = metadata.string('general.architecture', 'unknown');
  const number = (key: string): number | undefined => (metadata.has(key) ? metadata.number(key) : undefined);
  const name = [metadata.string('tokenizer.ggml.model', ''), metadata.string('tokenizer.ggml.pre', '')].filter(Boolean);
  const types = new Map<string, { type: string; tensors: number; bytes: number }>();
  for (const { type, byteLength } of tensors) {
    const entry = types.get(type) ?? { type, tensors: 0, bytes: 0 };
    types.set(type, { type, tensors: entry.tensors + 1, bytes: entry.bytes + byteLength });
  }
  return {
    architecture,
    parameters: tensors.reduce((sum, { elements }) => sum + elements, 0),
    contextLength: number(`${architecture}.context_length`),
    vocabSize: metadata.strings('tokenizer.ggml.tokens')?.length ?? number(`${architecture}.vocab_size`),
    tokenizer: name.length === 0 ? undefined : name.join(', '),
    chatTemplate: metadata.has('tokenizer.chat_template'),
    tensorTypes: [...types.values()].sort((a, b) => b.bytes - a.bytes),
    metadata: new Map([...metadata].map(([key, value]) => [key, textOf(value)])),
  };
};

const textOf = (value: GgufValue): string => {
  if (value.type !== 'array') return shorten(String(value.value));
  const { length } = value.value;
  const shown: string[] = [];
  for (let i = 0; i < Math.min(length, LONGEST_LIST); i++) {
    const element = value.value.at(i);
    shown.push(typeof element === 'string' ? JSON.stringify(element) : String(element));
  }
  return shorten(`${length} × ${value.elementType}: ${shown.join(', ')}${length > LONGEST_LIST ? ', …' : ''}`);
};

const shorten = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}…` : line;
};
