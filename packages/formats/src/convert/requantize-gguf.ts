/** Turns a GGUF model into another one with tensors of other types, ready for `encodeGguf`. */
import { GallopError } from '@gallop/core';
import type { GgufValue } from '../gguf/metadata.ts';
import type { GgufFile } from '../gguf/read.ts';
import type { GgufModel } from '../gguf/write.ts';
import { convertedBytes } from './convert-tensor.ts';
import { fileTypeOf, type GgufRecipe, type ModelFacts, typeFor } from './recipe.ts';

export interface ConvertOptions {
  readonly signal?: AbortSignal;
  /** Called before each tensor is converted. */
  readonly onTensor?: (name: string, index: number, count: number) => void;
}

/**
 * A model with the same metadata whose tensors have the types of a recipe. Nothing is converted yet: that happens while
 * the result is encoded.
 * @throws GallopError `invalid-file` for a file without an architecture, `unsupported` for integer tensors.
 */
export function requantizeGguf(file: GgufFile, recipe: GgufRecipe, options: ConvertOptions = {}): GgufModel {
  const facts = modelFacts(file);
  const metadata = new Map<string, GgufValue>([...file.metadata].filter(([key]) => !key.startsWith('split.')));
  metadata.set('general.file_type', { type: 'u32', value: fileTypeOf(recipe) });
  metadata.set('general.quantization_version', { type: 'u32', value: 2 });
  const tensors = file.tensors.map((tensor, index) => {
    if (/^I\d/.test(tensor.type)) {
      throw new GallopError(
        'unsupported',
        `Expected tensors of numbers to quantise; ${tensor.name} is ${tensor.type}.`,
      );
    }
    const type = typeFor(recipe, tensor.name, tensor.dimensions, facts);
    return {
      name: tensor.name,
      type,
      dimensions: tensor.dimensions,
      data: () => {
        options.onTensor?.(tensor.name, index, file.tensors.length);
        return convertedBytes(file, tensor, type, options.signal);
      },
    };
  });
  return { metadata, tensors };
}

function modelFacts(file: GgufFile): ModelFacts {
  const { metadata } = file;
  const architecture = metadata.string('general.architecture');
  // Either may be a list with one number per layer.
  const heads = (key: string): number | undefined => {
    const value = metadata.get(`${architecture}.attention.${key}`);
    if (value === undefined) return undefined;
    return value.type === 'array' ? Number((value.value as ArrayLike<number>)[0]) : Number(value.value);
  };
  const queryHeads = heads('head_count') ?? 1;
  return {
    layers: metadata.number(`${architecture}.block_count`, 0),
    headsPerKeyValueHead: queryHeads / (heads('head_count_kv') ?? queryHeads),
    tiedHead: file.find('output.weight') === undefined,
  };
}
