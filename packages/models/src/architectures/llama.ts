/** How files describe Llama and its relatives, and where they keep the tensors. */
import { GallopError } from '@gallop/core';
import { gateNamed } from '../blocks/activation.ts';
import type { ExpertsConfig } from '../blocks/experts.ts';
import type { Rotary } from '../config.ts';
import type { Naming, TensorNames } from '../loading/named-weights.ts';
import { loadRotary, readRotary, rotaryTensorNames } from '../loading/rotary-settings.ts';
import type { Settings } from '../loading/settings.ts';
import type { WeightSource } from '../loading/weight-source.ts';
import { type LlamaConfig, type LlamaLayerConfig, loadLlama } from '../networks/llama.ts';
import type { Architecture } from './architecture.ts';
import {
  type DecoderSizes,
  isTied,
  readDecoderSizes,
  readLayerTypes,
  readRmsEpsilon,
  readWindow,
} from './decoder-settings.ts';

const names: TensorNames = {
  ...rotaryTensorNames,
  embeddings: ['embed_tokens.weight', 'token_embd.weight'],
  finalNorm: ['norm.weight', 'output_norm.weight'],
  head: ['lm_head.weight', 'output.weight'],
  attentionNorm: ['layers.{}.input_layernorm.weight', 'blk.{}.attn_norm.weight'],
  query: ['layers.{}.self_attn.q_proj.weight', 'blk.{}.attn_q.weight'],
  key: ['layers.{}.self_attn.k_proj.weight', 'blk.{}.attn_k.weight'],
  value: ['layers.{}.self_attn.v_proj.weight', 'blk.{}.attn_v.weight'],
  queryKeyValue: ['layers.{}.self_attn.qkv_proj.weight', 'blk.{}.attn_qkv.weight'],
  queryNorm: ['layers.{}.self_attn.q_norm.weight', 'blk.{}.attn_q_norm.weight'],
  keyNorm: ['layers.{}.self_attn.k_norm.weight', 'blk.{}.attn_k_norm.weight'],
  attentionOutput: ['layers.{}.self_attn.o_proj.weight', 'blk.{}.attn_output.weight'],
  mlpNorm: ['layers.{}.post_attention_layernorm.weight', 'blk.{}.ffn_norm.weight'],
  gate: ['layers.{}.mlp.gate_proj.weight', 'blk.{}.ffn_gate.weight'],
  up: ['layers.{}.mlp.up_proj.weight', 'blk.{}.ffn_up.weight'],
  gateUp: ['layers.{}.mlp.gate_up_proj.weight', 'blk.{}.ffn_up.weight'],
  down: ['layers.{}.mlp.down_proj.weight', 'blk.{}.ffn_down.weight'],
  expertGates: ['', 'blk.{}.ffn_gate_exps.weight'],
  expertUps: ['', 'blk.{}.ffn_up_exps.weight'],
  expertDowns: ['', 'blk.{}.ffn_down_exps.weight'],
};

export const languageModelPrefixes: readonly string[] = [
  'model.',
  '',
  'language_model.model.',
  'model.language_model.',
  'language_model.',
];
export const llamaNaming: Naming = { names, prefixes: languageModelPrefixes };

const mixtralNaming: Naming = {
  ...llamaNaming,
  names: {
    ...names,
    router: ['layers.{}.block_sparse_moe.gate.weight', 'blk.{}.ffn_gate_inp.weight'],
    expertGate: ['layers.{}.block_sparse_moe.experts.{}.w1.weight', 'blk.{}.ffn_gate.{}.weight'],
    expertUp: ['layers.{}.block_sparse_moe.experts.{}.w3.weight', 'blk.{}.ffn_up.{}.weight'],
    expertDown: ['layers.{}.block_sparse_moe.experts.{}.w2.weight', 'blk.{}.ffn_down.{}.weight'],
  },
};

const qwenMoeNaming: Naming = {
  ...llamaNaming,
  names: {
    ...names,
    router: ['layers.{}.mlp.gate.weight', 'blk.{}.ffn_gate_inp.weight'],
    expertGate: ['layers.{}.mlp.experts.{}.gate_proj.weight', ''],
    expertUp: ['layers.{}.mlp.experts.{}.up_proj.weight', ''],
    expertDown: ['layers.{}.mlp.experts.{}.down_proj.weight', ''],
    sharedRouter: ['layers.{}.mlp.shared_expert_gate.weight', 'blk.{}.ffn_gate_inp_shexp.weight'],
    sharedGate: ['layers.{}.mlp.shared_expert.gate_proj.weight', 'blk.{}.ffn_gate_shexp.weight'],
    sharedUp: ['layers.{}.mlp.shared_expert.up_proj.weight', 'blk.{}.ffn_up_shexp.weight'],
    sharedDown: ['layers.{}.mlp.shared_expert.down_proj.weight', 'blk.{}.ffn_down_shexp.weight'],
  },
};

/** LLaDA's checkpoints follow OLMo's names. */
const lladaNaming: Naming = {
  prefixes: ['model.transformer.', 'transformer.'],
  names: {
    ...names,
    embeddings: ['wte.weight', 'token_embd.weight'],
    finalNorm: ['ln_f.weight', 'output_norm.weight'],
    head: ['ff_out.weight', 'output.weight'],
    attentionNorm: ['blocks.{}.attn_norm.weight', 'blk.{}.attn_norm.weight'],
    query: ['blocks.{}.q_proj.weight', 'blk.{}.attn_q.weight'],
    key: ['blocks.{}.k_proj.weight', 'blk.{}.attn_k.weight'],
    value: ['blocks.{}.v_proj.weight', 'blk.{}.attn_v.weight'],
    attentionOutput: ['blocks.{}.attn_out.weight', 'blk.{}.attn_output.weight'],
    mlpNorm: ['blocks.{}.ff_norm.weight', 'blk.{}.ffn_norm.weight'],
    gate: ['blocks.{}.ff_proj.weight', 'blk.{}.ffn_gate.weight'],
    up: ['blocks.{}.up_proj.weight', 'blk.{}.ffn_up.weight'],
    down: ['blocks.{}.ff_out.weight', 'blk.{}.ffn_down.weight'],
  },
};

/** How one relative differs from plain Llama. */
interface Relative {
  readonly huggingFace: readonly string[];
  readonly gguf: readonly string[];
  readonly naming?: Naming;
  /** Pairing in GGUF files; Hugging Face checkpoints pair halves. Default `halves`. */
  readonly ggufPairing?: Rotary['pairing'];
  /** Biases that its config.json implies. Default: `attention_bias` and `mlp_bias`. */
  readonly biases?: LlamaConfig['biases'];
  readonly headNorms?: boolean;
  readonly fused?: boolean;
  /** Where config.json does not say. Default false. */
  readonly tied?: boolean;
  /** Default: window and rotation everywhere. */
  readonly layers?: (settings: Settings, sizes: DecoderSizes, source: WeightSource) => readonly LlamaLayerConfig[];
  readonly attention?: 'causal' | 'full';
  readonly logitAlignment?: 'next' | 'same';
}

const queryKeyValueBiases = { queryKeyValue: true, output: false, mlp: false } as const;
const storedBiases = { queryKeyValue: 'stored', output: 'stored', mlp: 'stored' } as const;

function windowed(window: number | undefined): Pick<LlamaLayerConfig, 'window'> {
  return window === undefined ? {} : { window };
}

function everyLayer(settings: Settings, { layerCount }: DecoderSizes): readonly LlamaLayerConfig[] {
  const window = readWindow(settings);
  return Array.from({ length: layerCount }, () => ({ rotates: true, ...windowed(window) }));
}

/** Qwen slides only where `use_sliding_window` says so: by `layer_types`, or from layer `max_window_layers` on. */
function qwenLayers(settings: Settings, { layerCount }: DecoderSizes): readonly LlamaLayerConfig[] {
  const { json } = settings;
  const window = json.boolean('use_sliding_window', false) ? readWindow(settings) : undefined;
  const types = readLayerTypes(settings, layerCount);
  const from = json.number('max_window_layers', layerCount);
  return Array.from({ length: layerCount }, (_, index) => ({
    rotates: true,
    ...windowed((types ? types[index] === 'sliding_attention' : index >= from) ? window : undefined),
  }));
}

/** SmolLM3 leaves rotation out in every fourth layer, or where `no_rope_layers` holds a 0. */
function smolLayers(settings: Settings, { layerCount }: DecoderSizes): readonly LlamaLayerConfig[] {
  const { json } = settings;
  const window = json.boolean('use_sliding_window', false) ? readWindow(settings) : undefined;
  const types = readLayerTypes(settings, layerCount);
  const listed = json.list('no_rope_layers');
  const interval = json.number('no_rope_layer_interval', 4);
  return Array.from({ length: layerCount }, (_, index) => {
    const rotates = listed.length > 0 ? listed[index] !== 0 : (index + 1) % interval !== 0;
    const slides = types ? types[index] === 'sliding_attention' : !rotates;
    return { rotates, ...windowed(slides ? window : undefined) };
  });
}

function expertCounts(settings: Settings): Pick<ExpertsConfig, 'count' | 'used'> {
  const count = settings.count([['num_local_experts', 'num_experts'], 'expert_count']);
  const used = settings.count(['num_experts_per_tok', 'expert_used_count']);
  if (used <= count && count <= 65536) return { count, used };
  throw new GallopError('invalid-file', `expected each row to take 1…${count} experts; the file says ${used}`);
}

function mixtralLayers(settings: Settings, sizes: DecoderSizes): readonly LlamaLayerConfig[] {
  const experts = { ...expertCounts(settings), feedForwardSize: sizes.feedForwardSize, renormalize: true };
  return everyLayer(settings, sizes).map((layer) => ({ ...layer, experts }));
}

function qwenMoeLayers(settings: Settings, sizes: DecoderSizes, source: WeightSource): readonly LlamaLayerConfig[] {
  const { json } = settings;
  const rowsOf = (part: string): number | undefined => source.find(`blk.0.${part}.weight`)?.shape.at(-2);
  const experts: ExpertsConfig = {
    ...expertCounts(settings),
    feedForwardSize: settings.count(['moe_intermediate_size', 'expert_feed_forward_length'], rowsOf('ffn_gate_exps')),
    sharedSize: settings.count(
      ['shared_expert_intermediate_size', 'expert_shared_feed_forward_length'],
      rowsOf('ffn_gate_shexp'),
    ),
    renormalize: json.boolean('norm_topk_prob', false),
  };
  const plain = new Set(json.list('mlp_only_layers'));
  const step = json.number('decoder_sparse_step', 1);
  return qwenLayers(settings, sizes).map((layer, index) =>
    plain.has(index) || (index + 1) % step !== 0 ? layer : { ...layer, experts },
  );
}

function llamaConfig(relative: Relative, settings: Settings, source: WeightSource): Omit<LlamaConfig, 'rotary'> {
  const { json, container } = settings;
  const sizes = readDecoderSizes(settings, source, readRmsEpsilon(settings));
  const attentionBias = json.boolean('attention_bias', json.boolean('include_qkv_bias', false));
  const declared = { queryKeyValue: attentionBias, output: attentionBias, mlp: json.boolean('mlp_bias', false) };
  return {
    ...sizes,
    layers: (relative.layers ?? everyLayer)(settings, sizes, source),
    biases: container === 'gguf' ? storedBiases : (relative.biases ?? declared),
    headNorms: relative.headNorms ?? false,
    fused: relative.fused ?? false,
    tied: isTied(settings, source, relative.tied ?? false),
    activation: gateNamed(json.string('hidden_act', json.string('activation_type', 'silu'))),
    ...(relative.attention && { attention: relative.attention }),
    ...(relative.logitAlignment && { logitAlignment: relative.logitAlignment }),
  };
}

function architecture(relative: Relative): Architecture {
  const { huggingFace, gguf, naming = llamaNaming, ggufPairing = 'halves' } = relative;
  return {
    huggingFace,
    gguf,
    naming,
    plan(settings, source) {
      const config = llamaConfig(relative, settings, source);
      const { headSize, contextLength } = config;
      const parameters = readRotary(settings, { headSize, maxPositions: contextLength });
      const pairing = settings.container === 'gguf' ? ggufPairing : 'halves';
      return {
        contextLength,
        async load(weights, length) {
          return loadLlama(weights, {
            ...config,
            rotary: { global: await loadRotary(weights, parameters, pairing, length) },
          });
        },
      };
    },
  };
}

/** A GGUF file of architecture `llama` may hold experts. */
const llama: Relative = { huggingFace: ['llama', 'mistral'], gguf: ['llama'], ggufPairing: 'adjacent' };
const mixtral: Relative = { ...llama, huggingFace: ['mixtral'], naming: mixtralNaming, layers: mixtralLayers };

export const llamaArchitectures: readonly Architecture[] = [
  {
    ...architecture(llama),
    naming: mixtralNaming,
    plan: (settings, source) =>
      architecture((settings.optional(['', 'expert_count']) ?? 0) > 0 ? mixtral : llama).plan(settings, source),
  },
  architecture({ ...mixtral, gguf: [] }),
  architecture({ huggingFace: ['qwen2'], gguf: ['qwen2'], biases: queryKeyValueBiases, layers: qwenLayers }),
  architecture({ huggingFace: ['qwen3'], gguf: ['qwen3'], headNorms: true, layers: qwenLayers }),
  architecture({
    huggingFace: ['qwen2_moe'],
    gguf: ['qwen2moe'],
    naming: qwenMoeNaming,
    biases: queryKeyValueBiases,
    layers: qwenMoeLayers,
  }),
  architecture({
    huggingFace: ['smollm3'],
    gguf: ['smollm3'],
    ggufPairing: 'adjacent',
    tied: true,
    layers: smolLayers,
  }),
  architecture({ huggingFace: ['phi3'], gguf: ['phi3'], fused: true }),
  architecture({
    huggingFace: ['llada'],
    gguf: ['llada'],
    naming: lladaNaming,
    ggufPairing: 'adjacent',
    attention: 'full',
    logitAlignment: 'same',
  }),
  architecture({
    huggingFace: ['Dream'],
    gguf: ['dream'],
    biases: queryKeyValueBiases,
    layers: qwenLayers,
    attention: 'full',
  }),
];
