/**
 * Small random models as GGUF files in memory, of the shapes that real files have: every matrix in the format asked for,
 * grouped query heads, norms of their own. They say nothing sensible, but they compute like their large relatives.
 */
import {
  collectChunks,
  encodeGguf,
  type GgmlTypeName,
  type GgufFile,
  type GgufModel,
  type GgufTensorInput,
  type GgufValue,
  ggufStrings,
  memorySource,
  openGguf,
  quantize,
} from '@gallop/formats';
import { Draws } from './draws.ts';

export interface TinyModelOptions {
  readonly architecture: 'llama' | 'gemma3';
  /** Default 1. */
  readonly seed?: number;
  /** How matrices are stored, all or by the part of their name (`attn_q`, `token_embd`, …). Default F32. */
  readonly format?: GgmlTypeName;
  readonly formats?: Readonly<Record<string, GgmlTypeName>>;
  readonly vocabSize?: number;
  readonly contextLength?: number;
  readonly layerCount?: number;
  readonly hiddenSize?: number;
  readonly feedForwardSize?: number;
  readonly heads?: number;
  readonly keyHeads?: number;
  readonly headSize?: number;
  /** Keys that a sliding layer of Gemma 3 sees. */
  readonly window?: number;
  /** Whether the head is the embedding table. Default true. */
  readonly tied?: boolean;
}

type TinyShape = Required<Omit<TinyModelOptions, 'format' | 'formats'>>;

const defaults: Omit<TinyShape, 'architecture'> = {
  seed: 1,
  vocabSize: 67,
  contextLength: 512,
  layerCount: 2,
  hiddenSize: 64,
  feedForwardSize: 96,
  heads: 4,
  keyHeads: 2,
  headSize: 16,
  window: 8,
  tied: true,
};

type Part = readonly [name: string, ...sizes: number[]];

/** Parts of one layer: vectors [length] and matrices [rows, columns]. */
function layerParts(shape: TinyShape): Part[] {
  const { architecture, hiddenSize, feedForwardSize, heads, keyHeads, headSize } = shape;
  const shared: Part[] = [
    ['attn_norm', hiddenSize],
    ['attn_q', heads * headSize, hiddenSize],
    ['attn_k', keyHeads * headSize, hiddenSize],
    ['attn_v', keyHeads * headSize, hiddenSize],
    ['attn_output', hiddenSize, heads * headSize],
    ['ffn_norm', hiddenSize],
    ['ffn_gate', feedForwardSize, hiddenSize],
    ['ffn_up', feedForwardSize, hiddenSize],
    ['ffn_down', hiddenSize, feedForwardSize],
  ];
  if (architecture === 'llama') return shared;
  const norms: Part[] = [
    ['attn_q_norm', headSize],
    ['attn_k_norm', headSize],
    ['post_attention_norm', hiddenSize],
    ['post_ffw_norm', hiddenSize],
  ];
  return [...shared, ...norms];
}

function metadata(shape: TinyShape): [string, GgufValue][] {
  const { architecture, heads, keyHeads, headSize, layerCount, vocabSize } = shape;
  const count = (key: string, value: number): [string, GgufValue] => [`${architecture}.${key}`, { type: 'u32', value }];
  const tokens = Array.from({ length: vocabSize }, (_, id) => (id < 3 ? `<${id}>` : `▁token${id}`));
  return [
    ['general.architecture', { type: 'string', value: architecture }],
    count('context_length', shape.contextLength),
    count('embedding_length', shape.hiddenSize),
    count('block_count', layerCount),
    count('feed_forward_length', shape.feedForwardSize),
    count('attention.head_count', heads),
    count('attention.head_count_kv', keyHeads),
    count('attention.key_length', headSize),
    count('attention.value_length', headSize),
    ...(architecture === 'gemma3' ? [count('attention.sliding_window', shape.window)] : []),
    [`${architecture}.attention.layer_norm_rms_epsilon`, { type: 'f32', value: 1e-5 }],
    [`${architecture}.rope.freq_base`, { type: 'f32', value: 10_000 }],
    ['tokenizer.ggml.model', { type: 'string', value: 'llama' }],
    ['tokenizer.ggml.tokens', ggufStrings(tokens)],
    ['tokenizer.ggml.bos_token_id', { type: 'u32', value: 1 }],
    ['tokenizer.ggml.eos_token_id', { type: 'u32', value: 2 }],
  ];
}

/** What the file holds, to be written or spoiled first. */
export function tinyModel(options: TinyModelOptions): GgufModel {
  const shape: TinyShape = { ...defaults, ...options };
  const draws = new Draws(shape.seed);
  const tensor = (prefix: string, [part, ...sizes]: Part): GgufTensorInput => {
    const columns = sizes.at(-1)!;
    const isVector = sizes.length === 1;
    const type = isVector ? 'F32' : (options.formats?.[part] ?? options.format ?? 'F32');
    const values = isVector
      ? draws.gaussians(columns, 0.2, 1)
      : draws.gaussians(sizes[0] * columns, part === 'token_embd' ? 1 : 1.5 / Math.sqrt(columns));
    return { name: `${prefix}${part}.weight`, type, dimensions: sizes.toReversed(), data: quantize(type, values) };
  };
  const head: Part[] = shape.tied ? [] : [['output', shape.vocabSize, shape.hiddenSize]];
  const layers = Array.from({ length: shape.layerCount }, (_, index) =>
    layerParts(shape).map((part) => tensor(`blk.${index}.`, part)),
  );
  return {
    metadata: metadata(shape),
    tensors: [
      tensor('', ['token_embd', shape.vocabSize, shape.hiddenSize]),
      ...layers.flat(),
      tensor('', ['output_norm', shape.hiddenSize]),
      ...head.map((part) => tensor('', part)),
    ],
  };
}

/** Writes a model and opens the file, in memory. */
export async function openInMemory(model: GgufModel): Promise<GgufFile> {
  return openGguf(memorySource(await collectChunks(encodeGguf(model))));
}
