/** How files describe GPT-2, OPT, GPT-NeoX and BLOOM, and where they keep the tensors. */
import { GallopError } from '@gallop/core';
import { activationNamed } from '../blocks/activation.ts';
import type { Naming } from '../loading/named-weights.ts';
import { loadRotary, readRotary } from '../loading/rotary-settings.ts';
import type { Settings } from '../loading/settings.ts';
import type { WeightSource } from '../loading/weight-source.ts';
import { type GptConfig, loadGpt } from '../networks/gpt.ts';
import type { Architecture } from './architecture.ts';
import { isTied, readDecoderSizes } from './decoder-settings.ts';

const gpt2Naming: Naming = {
  prefixes: ['transformer.', ''],
  names: {
    embeddings: ['wte.weight', 'token_embd.weight'],
    positions: ['wpe.weight', 'position_embd.weight'],
    finalNorm: ['ln_f.weight', 'output_norm.weight'],
    head: ['lm_head.weight', 'output.weight'],
    attentionNorm: ['h.{}.ln_1.weight', 'blk.{}.attn_norm.weight'],
    queryKeyValue: ['h.{}.attn.c_attn.weight', 'blk.{}.attn_qkv.weight'],
    attentionOutput: ['h.{}.attn.c_proj.weight', 'blk.{}.attn_output.weight'],
    mlpNorm: ['h.{}.ln_2.weight', 'blk.{}.ffn_norm.weight'],
    up: ['h.{}.mlp.c_fc.weight', 'blk.{}.ffn_up.weight'],
    down: ['h.{}.mlp.c_proj.weight', 'blk.{}.ffn_down.weight'],
  },
};

const neoxNaming: Naming = {
  prefixes: ['gpt_neox.', ''],
  names: {
    embeddings: ['embed_in.weight', 'token_embd.weight'],
    finalNorm: ['final_layer_norm.weight', 'output_norm.weight'],
    head: ['embed_out.weight', 'output.weight'],
    attentionNorm: ['layers.{}.input_layernorm.weight', 'blk.{}.attn_norm.weight'],
    queryKeyValue: ['layers.{}.attention.query_key_value.weight', 'blk.{}.attn_qkv.weight'],
    attentionOutput: ['layers.{}.attention.dense.weight', 'blk.{}.attn_output.weight'],
    mlpNorm: ['layers.{}.post_attention_layernorm.weight', 'blk.{}.ffn_norm.weight'],
    up: ['layers.{}.mlp.dense_h_to_4h.weight', 'blk.{}.ffn_up.weight'],
    down: ['layers.{}.mlp.dense_4h_to_h.weight', 'blk.{}.ffn_down.weight'],
  },
};

const bloomNaming: Naming = {
  prefixes: ['transformer.', ''],
  names: {
    embeddings: ['word_embeddings.weight', 'token_embd.weight'],
    embeddingNorm: ['word_embeddings_layernorm.weight', 'token_embd_norm.weight'],
    finalNorm: ['ln_f.weight', 'output_norm.weight'],
    head: ['lm_head.weight', 'output.weight'],
    attentionNorm: ['h.{}.input_layernorm.weight', 'blk.{}.attn_norm.weight'],
    queryKeyValue: ['h.{}.self_attention.query_key_value.weight', 'blk.{}.attn_qkv.weight'],
    attentionOutput: ['h.{}.self_attention.dense.weight', 'blk.{}.attn_output.weight'],
    mlpNorm: ['h.{}.post_attention_layernorm.weight', 'blk.{}.ffn_norm.weight'],
    up: ['h.{}.mlp.dense_h_to_4h.weight', 'blk.{}.ffn_up.weight'],
    down: ['h.{}.mlp.dense_4h_to_h.weight', 'blk.{}.ffn_down.weight'],
  },
};

const optNaming: Naming = {
  prefixes: ['model.decoder.', 'decoder.', ''],
  names: {
    embeddings: ['embed_tokens.weight', ''],
    positions: ['embed_positions.weight', ''],
    projectIn: ['project_in.weight', ''],
    projectOut: ['project_out.weight', ''],
    finalNorm: ['final_layer_norm.weight', ''],
    head: ['lm_head.weight', ''],
    attentionNorm: ['layers.{}.self_attn_layer_norm.weight', ''],
    query: ['layers.{}.self_attn.q_proj.weight', ''],
    key: ['layers.{}.self_attn.k_proj.weight', ''],
    value: ['layers.{}.self_attn.v_proj.weight', ''],
    attentionOutput: ['layers.{}.self_attn.out_proj.weight', ''],
    mlpNorm: ['layers.{}.final_layer_norm.weight', ''],
    up: ['layers.{}.fc1.weight', ''],
    down: ['layers.{}.fc2.weight', ''],
  },
};

interface Variant {
  readonly huggingFace: readonly string[];
  readonly gguf: readonly string[];
  readonly naming: Naming;
  /** Where config.json names no activation. */
  readonly activation: string;
  readonly tied: boolean;
  readonly positions: GptConfig['positions'];
  /** Rows where config.json names no limit: ALiBi has none. */
  readonly contextLength?: number;
  /** Epsilon where config.json names none: OPT's is PyTorch's default. */
  readonly epsilon?: number;
  /** GGUF converters lay fused matrices out as queries, keys, values. */
  readonly fused?: GptConfig['fused'];
  /** Hugging Face stores matrices [inputs, outputs]. */
  readonly transposed?: boolean;
  /** What else the configuration says. @throws GallopError `unsupported` */
  readonly more?: (settings: Settings) => Partial<GptConfig>;
}

function gptConfig(variant: Variant, settings: Settings, source: WeightSource): Omit<GptConfig, 'rotary'> {
  const { json, container } = settings;
  const epsilon = settings.number(
    [['layer_norm_epsilon', 'layer_norm_eps'], 'attention.layer_norm_epsilon'],
    variant.epsilon,
  );
  const stacked = variant.fused && container === 'gguf' ? 'stacked' : variant.fused;
  return {
    ...readDecoderSizes(settings, source, epsilon, variant.contextLength),
    positions: variant.positions,
    positionOffset: 0,
    parallel: false,
    embeddingNorm: false,
    attentionBias: true,
    mlpBias: true,
    ...(stacked && { fused: stacked }),
    transposed: (variant.transposed ?? false) && container === 'huggingFace',
    activation: activationNamed(json.string('activation_function', json.string('hidden_act', variant.activation))),
    tied: isTied(settings, source, variant.tied),
    ...variant.more?.(settings),
  };
}

function architecture(variant: Variant): Architecture {
  const { huggingFace, gguf, naming } = variant;
  return {
    huggingFace,
    gguf,
    naming,
    plan(settings, source) {
      const config = gptConfig(variant, settings, source);
      const { headSize, contextLength } = config;
      const parameters = readRotary(settings, { headSize, maxPositions: contextLength, partialFactor: 0.25 });
      return {
        contextLength,
        isUnbounded: config.positions === 'alibi',
        async load(weights, length) {
          const rotary =
            config.positions === 'rotary' ? { global: await loadRotary(weights, parameters, 'halves', length) } : {};
          return loadGpt(weights, { ...config, rotary, contextLength: Math.max(contextLength, length) });
        },
      };
    },
  };
}

/** @throws GallopError `unsupported` unless `json[key]` is `expected` or absent */
function requireSetting({ json }: Settings, key: string, expected: boolean): void {
  if (json.boolean(key, expected) === expected) return;
  throw new GallopError(
    'unsupported',
    `expected ${key} to be ${expected}; config.json says otherwise; no network here computes that`,
  );
}

export const gptArchitectures: readonly Architecture[] = [
  architecture({
    huggingFace: ['gpt2'],
    gguf: ['gpt2'],
    naming: gpt2Naming,
    activation: 'gelu_new',
    tied: true,
    positions: 'learned',
    fused: 'stacked',
    transposed: true,
    more(settings) {
      requireSetting(settings, 'scale_attn_weights', true);
      requireSetting(settings, 'scale_attn_by_inverse_layer_idx', false);
      return {};
    },
  }),
  architecture({
    huggingFace: ['gpt_neox'],
    gguf: ['gptneox'],
    naming: neoxNaming,
    activation: 'gelu',
    tied: false,
    positions: 'rotary',
    fused: 'perHead',
    more: ({ json, metadata }) => ({
      attentionBias: json.boolean('attention_bias', true),
      parallel: metadata
        ? metadata.boolean('gptneox.use_parallel_residual', true)
        : json.boolean('use_parallel_residual', true),
    }),
  }),
  architecture({
    huggingFace: ['bloom'],
    gguf: ['bloom'],
    naming: bloomNaming,
    activation: 'gelu_new',
    tied: true,
    positions: 'alibi',
    contextLength: 2048,
    fused: 'perHead',
    more(settings) {
      requireSetting(settings, 'apply_residual_connection_post_layernorm', false);
      return { embeddingNorm: true };
    },
  }),
  architecture({
    huggingFace: ['opt'],
    gguf: [],
    naming: optNaming,
    activation: 'relu',
    tied: true,
    positions: 'learned',
    epsilon: 1e-5,
    more(settings) {
      requireSetting(settings, 'do_layer_norm_before', true);
      requireSetting(settings, '_remove_final_layer_norm', false);
      const bias = settings.json.boolean('enable_bias', true);
      return {
        positionOffset: 2,
        attentionBias: bias,
        mlpBias: bias,
        embeddingSize: settings.count(['word_embed_proj_dim', ''], settings.count(['hidden_size', ''])),
      };
    },
  }),
];
