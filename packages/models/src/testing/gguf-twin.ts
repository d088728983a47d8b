/**
 * The GGUF file of a Hugging Face checkpoint, as llama.cpp's converters lay it out, in float32: other names, heads reordered
 * for neighbouring rotary pairs, fused matrices regrouped, matrices transposed, experts stacked. For tests that both
 * containers give one model; `huggingFaceToGguf` of @gallop/formats converts for use.
 */
import {
  type GgufFile,
  type GgufTensorInput,
  type GgufValue,
  type HuggingFaceModel,
  JsonView,
  type SafetensorsTensor,
} from '@gallop/formats';
import type { Naming } from '../loading/named-weights.ts';
import { openInMemory } from './tiny-model.ts';

export interface Matrix {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export type Change = (matrix: Matrix) => Matrix;

/** Rows in another order: row r of the result is row `from(r)`. A vector is one column. */
const reordered =
  (from: (row: number) => number): Change =>
  ({ shape, values }) => {
    const columns = shape.length === 1 ? 1 : shape.at(-1)!;
    const result = new Float32Array(values.length);
    for (let row = 0; row < values.length / columns; row++)
      result.set(values.subarray(from(row) * columns, (from(row) + 1) * columns), row * columns);
    return { shape, values: result };
  };

/** Halves of heads become neighbouring pairs. */
export const neighbours: (headSize: number) => Change = (headSize) =>
  reordered(
    (row) => row - (row % headSize) + ((row % headSize) % 2) * (headSize / 2) + Math.floor((row % headSize) / 2),
  );

/** Query, key and value of each head become all queries, all keys, all values. */
export const regrouped: (heads: number, headSize: number) => Change = (heads, headSize) =>
  reordered((row) => {
    const [kind, within] = [Math.floor(row / (heads * headSize)), row % (heads * headSize)];
    return Math.floor(within / headSize) * 3 * headSize + kind * headSize + (within % headSize);
  });

export const transposed: Change = ({ shape, values }) => {
  if (shape.length < 2) return { shape, values };
  const [rows, columns] = shape as [number, number];
  return {
    shape: [columns, rows],
    values: Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!),
  };
};

export const mapped: (change: (value: number) => number) => Change =
  (change) =>
  ({ shape, values }) => ({ shape, values: values.map(change) });

/** What a converter knows of one architecture. */
export interface TwinRules {
  readonly architecture: string;
  readonly naming: Naming;
  readonly metadata: (config: JsonView) => Readonly<Record<string, number | boolean | string>>;
  /** What becomes of a part. Default: nothing. */
  readonly change?: (part: string, config: JsonView) => Change | undefined;
  /** Parts of single experts that are stacked into one tensor of this name. */
  readonly stacked?: Readonly<Record<string, string>>;
}

/** The part that a Hugging Face name stands for, its indices, and whether it is a bias. */
function partOf(
  name: string,
  { names, prefixes = [''] }: Naming,
): { part: string; indices: number[]; isBias: boolean } {
  for (const isBias of [false, true])
    for (const [part, [template]] of Object.entries(names)) {
      const own = isBias ? template.replace(/weight$/, 'bias') : template;
      if (!template || (isBias && own === template)) continue;
      for (const prefix of prefixes) {
        const pattern = (prefix + own).replaceAll('.', '\\.').replaceAll('{}', '(\\d+)');
        const match = new RegExp(`^${pattern}$`).exec(name);
        if (match) return { part, indices: match.slice(1).map(Number), isBias };
      }
    }
  throw new Error(`expected a part of the table; received ${name}`);
}

function ggufValue(value: number | boolean | string): GgufValue {
  if (typeof value === 'boolean') return { type: 'bool', value };
  if (typeof value === 'string') return { type: 'string', value };
  return Number.isInteger(value) ? { type: 'u32', value } : { type: 'f32', value };
}

/** @param rules the converter of the checkpoint's architecture */
export async function ggufTwin(files: HuggingFaceModel, rules: TwinRules): Promise<GgufFile> {
  const config = JsonView.parse(files.config, 'config.json');
  const tensors = new Map<string, Matrix>();
  const stacks = new Map<string, Matrix[]>();
  const read = async (tensor: SafetensorsTensor): Promise<Matrix> => ({
    shape: tensor.shape,
    values: new Float32Array((await files.weights.read(tensor)).slice().buffer),
  });
  for (const tensor of files.weights.tensors) {
    const { part, indices, isBias } = partOf(tensor.name, rules.naming);
    if (part === 'head' && config.boolean('tie_word_embeddings', rules.architecture === 'gpt2')) continue;
    const change = rules.change?.(part, config);
    const matrix = change ? change(await read(tensor)) : await read(tensor);
    const stack = rules.stacked?.[part];
    const template = rules.naming.names[stack ?? part]![1];
    let index = 0;
    const name = template
      .replaceAll('{}', () => String(indices[index++]))
      .replace(/weight$/, isBias ? 'bias' : 'weight');
    if (stack) {
      if (!stacks.has(name)) stacks.set(name, []);
      stacks.get(name)![indices.at(-1)!] = matrix;
    } else tensors.set(name, matrix);
  }
  for (const [name, parts] of stacks) {
    const values = Float32Array.from(parts.flatMap((part) => [...part.values]));
    tensors.set(name, { shape: [parts.length, ...parts[0]!.shape], values });
  }
  const metadata: [string, GgufValue][] = [['general.architecture', { type: 'string', value: rules.architecture }]];
  for (const [key, value] of Object.entries(rules.metadata(config)))
    metadata.push([`${rules.architecture}.${key}`, ggufValue(value)]);
  return openInMemory({ metadata, tensors: [...tensors].map(([name, matrix]) => inputOf(name, matrix)) });
}

function inputOf(name: string, { shape, values }: Matrix): GgufTensorInput {
  const dimensions = shape.filter((size, axis) => size !== 1 || axis === shape.length - 1).toReversed();
  return { name, type: 'F32', dimensions, data: new Uint8Array(values.slice().buffer) };
}
