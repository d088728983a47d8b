/**
 * What GGUF calls the networks of Hugging Face configurations, their hyper-parameters and their tensors. Two conventions
 * differ: architecture `llama` stores query and key rows so that rotary pairs are neighbours (row 2i + k of a head of
 * size d is row k·d/2 + i in Hugging Face), and Gemma's norm weights are stored ready to multiply, with the 1 added.
 */
import { GallopError } from '@gallop/core';
import type { GgufValue } from '../gguf/metadata.ts';
import type { JsonView } from './json-view.ts';

/** A network family as GGUF knows it. */
export interface Family {
  /** `general.architecture`. */
  readonly architecture: string;
  /** Query and key rows are reordered for neighbouring rotary pairs. */
  readonly permutesHeads: boolean;
  /** Norm weights are stored with 1 added. */
  readonly addsOneToNorms: boolean;
  /** Tensor names within a layer, without `.weight` or `.bias`. */
  readonly layerNames: Readonly<Record<string, string>>;
}

const commonNames = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};
const gemmaNames = {
  ...commonNames,
  post_attention_layernorm: 'post_attention_norm',
  pre_feedforward_layernorm: 'ffn_norm',
  post_feedforward_layernorm: 'post_ffw_norm',
};

const plain = { permutesHeads: false, addsOneToNorms: false, layerNames: commonNames };
const families: Readonly<Record<string, Family>> = {
  llama: { ...plain, architecture: 'llama', permutesHeads: true },
  mistral: { ...plain, architecture: 'llama', permutesHeads: true },
  qwen2: { ...plain, architecture: 'qwen2' },
  qwen3: { ...plain, architecture: 'qwen3' },
  gemma3_text: { architecture: 'gemma3', permutesHeads: false, addsOneToNorms: true, layerNames: gemmaNames },
};

/** The family of a configuration. @throws GallopError `unsupported` naming those that are known. */
export function familyOf(config: JsonView): Family {
  const type = config.string('model_type');
  const family = Object.hasOwn(families, type) ? families[type] : undefined;
  if (family !== undefined) return family;
  throw new GallopError(
    'unsupported',
    `Expected a model of type ${Object.keys(families).join(', ')}; received ${type}. Convert it with llama.cpp's converter first.`,
  );
}

/** Numbers of a configuration that names and metadata share. */
export interface Sizes {
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
}

export function sizesOf(config: JsonView): Sizes {
  const heads = config.number('num_attention_heads');
  return {
    layers: config.number('num_hidden_layers'),
    heads,
    keyValueHeads: config.number('num_key_value_heads', heads),
    headSize: config.number('head_dim', config.number('hidden_size') / heads),
  };
}

/** GGUF's name of a tensor, or undefined for one that GGUF does not store. @throws GallopError `unsupported`. */
export function ggufName(family: Family, name: string): string | undefined {
  const short = name.replace(/^(model\.)?(language_model\.)?(model\.)?/, '');
  const top: Record<string, string> = {
    'embed_tokens.weight': 'token_embd.weight',
    'norm.weight': 'output_norm.weight',
    'lm_head.weight': 'output.weight',
  };
  if (Object.hasOwn(top, short)) return top[short];
  const match = /^layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(short);
  if (match !== null && Object.hasOwn(family.layerNames, match[2])) {
    return `blk.${match[1]}.${family.layerNames[match[2]]}.${match[3]}`;
  }
  // Old checkpoints carry the rotary frequencies, which follow from the configuration.
  if (short.endsWith('rotary_emb.inv_freq')) return undefined;
  throw new GallopError('unsupported', `Expected tensors of a ${family.architecture} model; found ${name}.`);
}

/** Rotary parameters in the new style (`rope_parameters`) or the old (`rope_theta`, `rope_scaling`). */
export function ropeOf(config: JsonView): JsonView {
  const parameters = config.view('rope_parameters');
  if (parameters.get('full_attention') !== undefined) return parameters.view('full_attention');
  return parameters.get('rope_theta') === undefined ? config.view('rope_scaling') : parameters;
}

/** Hyper-parameters as metadata, in GGUF's usual order. @throws GallopError `unsupported` for what GGUF cannot say. */
export function architectureMetadata(config: JsonView, family: Family): [string, GgufValue][] {
  const { layers, heads, keyValueHeads, headSize } = sizesOf(config);
  const rope = ropeOf(config);
  const u32 = (name: string, value: number): [string, GgufValue] => [
    `${family.architecture}.${name}`,
    { type: 'u32', value },
  ];
  const f32 = (name: string, value: number): [string, GgufValue] => [
    `${family.architecture}.${name}`,
    { type: 'f32', value },
  ];
  const entries = [
    u32('context_length', config.number('max_position_embeddings')),
    u32('embedding_length', config.number('hidden_size')),
    u32('block_count', layers),
    u32('feed_forward_length', config.number('intermediate_size')),
    u32('attention.head_count', heads),
    u32('attention.head_count_kv', keyValueHeads),
    u32('attention.key_length', headSize),
    u32('attention.value_length', headSize),
    f32('attention.layer_norm_rms_epsilon', config.number('rms_norm_eps')),
    u32('rope.dimension_count', headSize),
    f32('rope.freq_base', rope.number('rope_theta', config.number('rope_theta', 10_000))),
    u32('vocab_size', config.number('vocab_size')),
  ];
  const window = config.get('sliding_window');
  if (typeof window === 'number' && config.boolean('use_sliding_window', true)) {
    entries.push(u32('attention.sliding_window', window));
  }
  if (family.architecture === 'gemma3') requireUsualGemma(config, headSize);
  return [...entries, ...ropeScaling(rope, family.architecture)];
}

function ropeScaling(rope: JsonView, architecture: string): [string, GgufValue][] {
  const type = rope.string('rope_type', rope.string('type', 'default'));
  // llama3's frequencies travel as a tensor.
  if (type === 'default' || type === 'llama3') return [];
  if (type !== 'linear' && type !== 'yarn') {
    throw new GallopError('unsupported', `Expected rotary scaling linear, yarn or llama3; received ${type}.`);
  }
  const entries: [string, GgufValue][] = [
    [`${architecture}.rope.scaling.type`, { type: 'string', value: type }],
    [`${architecture}.rope.scaling.factor`, { type: 'f32', value: rope.number('factor') }],
  ];
  const original = rope.get('original_max_position_embeddings');
  if (typeof original === 'number') {
    entries.push([`${architecture}.rope.scaling.original_context_length`, { type: 'u32', value: original }]);
  }
  return entries;
}

/** Gemma 3's layer pattern, local rotary base and query scale are not in the file: they must be the usual ones. */
function requireUsualGemma(config: JsonView, headSize: number): void {
  const local = config.view('rope_parameters').view('sliding_attention');
  const base = local.number('rope_theta', config.number('rope_local_base_freq', 10_000));
  const pattern = config
    .list('layer_types')
    .every((type, layer) => (type === 'full_attention') === ((layer + 1) % 6 === 0));
  if (base === 10_000 && pattern && config.number('query_pre_attn_scalar', headSize) === headSize) return;
  throw new GallopError(
    'unsupported',
    'Expected Gemma 3 with every sixth layer global, local rotary base 10000 and queries scaled by the head size; GGUF cannot say otherwise.',
  );
}

/**
 * The divisors of the rotary frequencies that Llama 3.1's scaling gives, one per pair, or undefined without it: 1 for
 * wavelengths well below the original context, `factor` well above, smooth between.
 */
export function llama3RopeFactors(config: JsonView): Float32Array | undefined {
  const rope = ropeOf(config);
  if (rope.string('rope_type', rope.string('type', 'default')) !== 'llama3') return undefined;
  const { headSize } = sizesOf(config);
  const base = rope.number('rope_theta', config.number('rope_theta', 10_000));
  const factor = rope.number('factor');
  const low = rope.number('low_freq_factor');
  const high = rope.number('high_freq_factor');
  const original = rope.number('original_max_position_embeddings');
  return Float32Array.from({ length: headSize / 2 }, (_, pair) => {
    const turns = original / (2 * Math.PI * base ** ((2 * pair) / headSize));
    if (turns > high) return 1;
    if (turns < low) return factor;
    const smooth = (turns - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}
