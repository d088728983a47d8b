/**
 * Turns a Hugging Face checkpoint (config.json, tokenizer.json, safetensors) into a GGUF model, ready for `encodeGguf`.
 */
import { GallopError } from '@gallop/core';
import { quantize } from '../blocks/quantize.ts';
import type { GgmlTypeName } from '../gguf/ggml-types.ts';
import type { GgufValue } from '../gguf/metadata.ts';
import type { GgufModel, GgufTensorInput } from '../gguf/write.ts';
import { safetensorsDtypes, toFloat32 } from '../safetensors/dtypes.ts';
import type { SafetensorsFile, SafetensorsTensor } from '../safetensors/read.ts';
import {
  architectureMetadata,
  type Family,
  familyOf,
  ggufName,
  llama3RopeFactors,
  sizesOf,
} from './hugging-face-architecture.ts';
import { tokenizerMetadata } from './hugging-face-tokenizer.ts';
import { JsonView } from './json-view.ts';
import { fileTypeOf, type GgufRecipe, typeFor } from './recipe.ts';
import type { ConvertOptions } from './requantize-gguf.ts';

/** The files of a checkpoint; all but the weights as text. */
export interface HuggingFaceModel {
  readonly name: string;
  readonly config: string;
  readonly weights: SafetensorsFile;
  /** tokenizer.json; without it the result has no vocabulary. */
  readonly tokenizer?: string | undefined;
  readonly tokenizerConfig?: string | undefined;
  /** chat_template.jinja, which newer checkpoints have instead of an entry in tokenizer_config.json. */
  readonly chatTemplate?: string | undefined;
}

const VALUES_AT_ONCE = 1 << 18;

/**
 * The checkpoint as a GGUF model with tensor types by a recipe. Weights are read and converted while the result is
 * encoded.
 * @throws GallopError `unsupported` for other model types, tokenizers or tensors; `invalid-file`.
 */
export function huggingFaceToGguf(
  model: HuggingFaceModel,
  recipe: GgufRecipe,
  options: ConvertOptions = {},
): GgufModel {
  const config = JsonView.parse(model.config, 'config.json');
  const family = familyOf(config);
  const metadata: [string, GgufValue][] = [
    ['general.architecture', { type: 'string', value: family.architecture }],
    ['general.type', { type: 'string', value: 'model' }],
    ['general.name', { type: 'string', value: model.name }],
    ['general.file_type', { type: 'u32', value: fileTypeOf(recipe) }],
    ['general.quantization_version', { type: 'u32', value: 2 }],
    ...architectureMetadata(config, family),
  ];
  if (model.tokenizer !== undefined) {
    const tokenizerConfig = JsonView.parse(model.tokenizerConfig ?? '{}', 'tokenizer_config.json');
    metadata.push(...tokenizerMetadata(model.tokenizer, tokenizerConfig, config, model.chatTemplate));
  }
  return { metadata, tensors: listTensors(model.weights, config, family, recipe, options) };
}

function listTensors(
  weights: SafetensorsFile,
  config: JsonView,
  family: Family,
  recipe: GgufRecipe,
  options: ConvertOptions,
): GgufTensorInput[] {
  const sizes = sizesOf(config);
  const names = new Map<SafetensorsTensor, string>();
  for (const tensor of weights.tensors) {
    const name = ggufName(family, tensor.name);
    if (name !== undefined) names.set(tensor, name);
  }
  // A tied head may be stored all the same; the configuration decides.
  const tiedHead = config.boolean('tie_word_embeddings', ![...names.values()].includes('output.weight'));
  const facts = { layers: sizes.layers, headsPerKeyValueHead: sizes.heads / sizes.keyValueHeads, tiedHead };
  const tensors: GgufTensorInput[] = [];
  const ropeFactors = llama3RopeFactors(config);
  if (ropeFactors !== undefined) {
    const data = new Uint8Array(ropeFactors.buffer);
    tensors.push({ name: 'rope_freqs.weight', type: 'F32', dimensions: [ropeFactors.length], data });
  }
  let index = 0;
  for (const [tensor, name] of names) {
    if (tiedHead && name === 'output.weight') continue;
    requireNumbers(tensor);
    const dimensions = [...tensor.shape].reverse();
    const type = typeFor(recipe, name, dimensions, facts);
    const change = changeOf(name, family, sizes.headSize);
    const position = index++;
    const data = (): AsyncIterable<Uint8Array> => {
      options.onTensor?.(name, position, names.size);
      return convertedRows(weights, tensor, type, change, options.signal);
    };
    tensors.push({ name, type, dimensions, data });
  }
  return tensors;
}

function requireNumbers(tensor: SafetensorsTensor): void {
  if (tensor.shape.length >= 1 && tensor.shape.length <= 4 && /^B?F(8_|16|32|64)/.test(tensor.dtype)) return;
  throw new GallopError(
    'unsupported',
    `Expected tensors of floating-point numbers; ${tensor.name} is ${tensor.dtype} [${tensor.shape}].`,
  );
}

/** What happens to a tensor's values on the way. */
interface Change {
  /** Rows are reordered within groups of this many; 0 for none. */
  readonly permute: number;
  readonly add: number;
}

function changeOf(name: string, family: Family, headSize: number): Change {
  const permute = family.permutesHeads && /\.attn_[qk]\.(weight|bias)$/.test(name) ? headSize : 0;
  return { permute, add: family.addsOneToNorms && name.endsWith('norm.weight') ? 1 : 0 };
}

async function* convertedRows(
  weights: SafetensorsFile,
  tensor: SafetensorsTensor,
  type: GgmlTypeName,
  { permute, add }: Change,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  // A bias is a column: its elements are reordered as the rows of its weight are.
  const columns = tensor.shape.length === 1 && permute > 0 ? 1 : (tensor.shape.at(-1) ?? 1);
  const rows = tensor.elements / columns;
  const rowBytes = (columns * safetensorsDtypes[tensor.dtype]) / 8;
  const unit = Math.max(1, permute);
  const rowsAtOnce = unit * Math.max(1, Math.floor(VALUES_AT_ONCE / columns / unit));
  for (let row = 0; row < rows; row += rowsAtOnce) {
    signal?.throwIfAborted();
    const count = Math.min(rowsAtOnce, rows - row);
    const bytes = await weights.read(tensor, { offset: row * rowBytes, length: count * rowBytes });
    let values = toFloat32(tensor.dtype, bytes);
    if (permute > 0) values = neighbouringPairs(values, columns, permute);
    if (add !== 0) values = values.map((value) => value + add);
    yield quantize(type, values);
  }
}

/** Reorders the rows of whole heads: row 2i + k of the result is row k·d/2 + i. */
function neighbouringPairs(values: Float32Array, columns: number, headSize: number): Float32Array {
  const result = new Float32Array(values.length);
  const half = headSize / 2;
  for (let row = 0; row * columns < values.length; row++) {
    const within = row % headSize;
    const from = row - within + (within % 2) * half + (within >> 1);
    result.set(values.subarray(from * columns, (from + 1) * columns), row * columns);
  }
  return result;
}
