/**
 * Small random checkpoints in the Hugging Face layout, one for each kind of network: configurations as their authors write
 * them, and the tensors that go with them.
 */
import type { HuggingFaceModel } from '@gallop/formats';
import { tinyCheckpoint } from './checkpoint.ts';

type Shapes = Record<string, readonly number[]>;
type Config = Readonly<Record<string, unknown>>;

const [vocab, hidden, wide, heads, keyHeads, headSize, layers] = [37, 16, 24, 4, 2, 8, 2];

const eachLayer = (prefix: string, shapes: Shapes, count = layers): Shapes =>
  Object.fromEntries(
    Array.from({ length: count }, (_, layer) =>
      Object.entries(shapes).map(([name, shape]) => [`${prefix}${layer}.${name}`, shape] as const),
    ).flat(),
  );

/** A matrix and, where `biased`, its bias. */
const linear = (name: string, rows: number, columns: number, biased = false): Shapes => ({
  [`${name}.weight`]: [rows, columns],
  ...(biased && { [`${name}.bias`]: [rows] }),
});
const norm = (name: string, size = hidden): Shapes => ({ [`${name}.weight`]: [size] });
const layerNorm = (name: string, size = hidden): Shapes => ({ ...norm(name, size), [`${name}.bias`]: [size] });

const llamaConfig: Config = {
  hidden_size: hidden,
  intermediate_size: wide,
  num_attention_heads: heads,
  num_key_value_heads: keyHeads,
  head_dim: headSize,
  num_hidden_layers: layers,
  vocab_size: vocab,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: false,
};

const gatedMlp = (prefix = 'mlp.', rows = wide): Shapes => ({
  ...linear(`${prefix}gate_proj`, rows, hidden),
  ...linear(`${prefix}up_proj`, rows, hidden),
  ...linear(`${prefix}down_proj`, hidden, rows),
});

function llamaAttention(bias = false, outputBias = false): Shapes {
  return {
    ...linear('self_attn.q_proj', heads * headSize, hidden, bias),
    ...linear('self_attn.k_proj', keyHeads * headSize, hidden, bias),
    ...linear('self_attn.v_proj', keyHeads * headSize, hidden, bias),
    ...linear('self_attn.o_proj', hidden, heads * headSize, outputBias),
  };
}

function llamaShapes(layer: Shapes, count = layers): Shapes {
  const norms = { ...norm('input_layernorm'), ...norm('post_attention_layernorm') };
  return {
    ...linear('model.embed_tokens', vocab, hidden),
    ...eachLayer('model.layers.', { ...norms, ...layer }, count),
    ...norm('model.norm'),
    ...linear('lm_head', vocab, hidden),
  };
}

const headNorms: Shapes = { ...norm('self_attn.q_norm', headSize), ...norm('self_attn.k_norm', headSize) };
const branchNorms: Shapes = { ...norm('pre_feedforward_layernorm'), ...norm('post_feedforward_layernorm') };
const experts = (prefix: string, count: number, shapes: Shapes): Shapes => eachLayer(prefix, shapes, count);

const llama3Scaling = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 32,
};
const yarnScaling = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 16 };

const neoxLike = (attention: string, mlp: readonly [string, string], norms: readonly [string, string]): Shapes => ({
  ...layerNorm(norms[0]),
  ...linear(`${attention}.query_key_value`, 3 * hidden, hidden, true),
  ...linear(`${attention}.dense`, hidden, hidden, true),
  ...layerNorm(norms[1]),
  ...linear(mlp[0], 4 * hidden, hidden, true),
  ...linear(mlp[1], hidden, 4 * hidden, true),
});
const fourTimes = ['mlp.dense_h_to_4h', 'mlp.dense_4h_to_h'] as const;
const aroundAttention = ['input_layernorm', 'post_attention_layernorm'] as const;

const optAttention = (name: string): Shapes => linear(`self_attn.${name}`, hidden, hidden, true);
const [channels, states, kernel] = [2 * hidden, 4, 4];

const mambaLayer: Shapes = {
  ...norm('norm'),
  ...linear('mixer.in_proj', 2 * channels, hidden),
  'mixer.conv1d.weight': [channels, 1, kernel],
  'mixer.conv1d.bias': [channels],
  ...linear('mixer.x_proj', 3 + 2 * states, channels),
  ...linear('mixer.dt_proj', channels, 3, true),
  'mixer.A_log': [channels, states],
  'mixer.D': [channels],
  ...linear('mixer.out_proj', hidden, channels),
};
const [groups, mambaHeads] = [2, 4];
const convolved = channels + 2 * groups * states;
const mamba2Layer: Shapes = {
  ...norm('norm'),
  ...linear('mixer.in_proj', channels + convolved + mambaHeads, hidden),
  'mixer.conv1d.weight': [convolved, 1, kernel],
  'mixer.conv1d.bias': [convolved],
  'mixer.A_log': [mambaHeads],
  'mixer.D': [mambaHeads],
  'mixer.dt_bias': [mambaHeads],
  ...norm('mixer.norm', channels),
  ...linear('mixer.out_proj', hidden, channels),
};
const mambaConfig: Config = {
  hidden_size: hidden,
  num_hidden_layers: layers,
  vocab_size: vocab,
  state_size: states,
  conv_kernel: kernel,
  expand: 2,
  layer_norm_epsilon: 1e-5,
  tie_word_embeddings: true,
};
const mambaShapes = (layer: Shapes): Shapes => ({
  ...linear('backbone.embeddings', vocab, hidden),
  ...eachLayer('backbone.layers.', layer),
  ...norm('backbone.norm_f'),
});

const t5Attention = (name: string): Shapes =>
  Object.assign(
    {},
    ...['q', 'k', 'v'].map((part) => linear(`${name}.${part}`, heads * headSize, hidden)),
    linear(`${name}.o`, hidden, heads * headSize),
  );
const t5Mlp = (at: string): Shapes => ({
  ...linear(`${at}.DenseReluDense.wi_0`, wide, hidden),
  ...linear(`${at}.DenseReluDense.wi_1`, wide, hidden),
  ...linear(`${at}.DenseReluDense.wo`, hidden, wide),
  ...norm(`${at}.layer_norm`),
});
const t5Shapes: Shapes = {
  ...linear('shared', vocab, hidden),
  ...eachLayer('encoder.block.', {
    ...t5Attention('layer.0.SelfAttention'),
    ...norm('layer.0.layer_norm'),
    ...t5Mlp('layer.1'),
  }),
  ...eachLayer('decoder.block.', {
    ...t5Attention('layer.0.SelfAttention'),
    ...norm('layer.0.layer_norm'),
    ...t5Attention('layer.1.EncDecAttention'),
    ...norm('layer.1.layer_norm'),
    ...t5Mlp('layer.2'),
  }),
  ...norm('encoder.final_layer_norm'),
  ...norm('decoder.final_layer_norm'),
  'encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight': [8, heads],
  'decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight': [8, heads],
};

/** Configuration and tensors of each kind. */
export const tinyNetworks: Readonly<Record<string, { readonly config: Config; readonly shapes: Shapes }>> = {
  'llama with llama3 scaling': {
    config: { ...llamaConfig, model_type: 'llama', rope_scaling: llama3Scaling, attention_bias: true },
    shapes: llamaShapes({ ...llamaAttention(true, true), ...gatedMlp() }),
  },
  'mistral with yarn': {
    config: { ...llamaConfig, model_type: 'mistral', sliding_window: 5, rope_scaling: yarnScaling },
    shapes: llamaShapes({ ...llamaAttention(), ...gatedMlp() }),
  },
  qwen2: {
    config: { ...llamaConfig, model_type: 'qwen2', use_sliding_window: true, sliding_window: 4, max_window_layers: 1 },
    shapes: llamaShapes({ ...llamaAttention(true), ...gatedMlp() }),
  },
  qwen3: {
    config: { ...llamaConfig, model_type: 'qwen3' },
    shapes: llamaShapes({ ...llamaAttention(), ...headNorms, ...gatedMlp() }),
  },
  smollm3: {
    config: { ...llamaConfig, model_type: 'smollm3', num_hidden_layers: 4 },
    shapes: llamaShapes({ ...llamaAttention(), ...gatedMlp() }, 4),
  },
  phi3: {
    config: { ...llamaConfig, model_type: 'phi3', partial_rotary_factor: 0.5, sliding_window: 6 },
    shapes: llamaShapes({
      ...linear('self_attn.qkv_proj', (heads + 2 * keyHeads) * headSize, hidden),
      ...linear('self_attn.o_proj', hidden, heads * headSize),
      ...linear('mlp.gate_up_proj', 2 * wide, hidden),
      ...linear('mlp.down_proj', hidden, wide),
    }),
  },
  mixtral: {
    config: { ...llamaConfig, model_type: 'mixtral', num_local_experts: 4, num_experts_per_tok: 2 },
    shapes: llamaShapes({
      ...llamaAttention(),
      ...linear('block_sparse_moe.gate', 4, hidden),
      ...experts('block_sparse_moe.experts.', 4, {
        ...linear('w1', wide, hidden),
        ...linear('w2', hidden, wide),
        ...linear('w3', wide, hidden),
      }),
    }),
  },
  'qwen2-moe': {
    config: {
      ...llamaConfig,
      model_type: 'qwen2_moe',
      num_experts: 5,
      num_experts_per_tok: 2,
      moe_intermediate_size: 12,
      shared_expert_intermediate_size: 20,
      norm_topk_prob: false,
    },
    shapes: llamaShapes({
      ...llamaAttention(true),
      ...linear('mlp.gate', 5, hidden),
      ...experts('mlp.experts.', 5, gatedMlp('', 12)),
      ...gatedMlp('mlp.shared_expert.', 20),
      ...linear('mlp.shared_expert_gate', 1, hidden),
    }),
  },
  gemma2: {
    config: {
      ...llamaConfig,
      model_type: 'gemma2',
      tie_word_embeddings: true,
      sliding_window: 4,
      query_pre_attn_scalar: headSize,
      attn_logit_softcapping: 3,
      final_logit_softcapping: 6,
    },
    shapes: llamaShapes({ ...llamaAttention(), ...gatedMlp(), ...branchNorms }),
  },
  gemma3: {
    config: {
      ...llamaConfig,
      model_type: 'gemma3_text',
      tie_word_embeddings: true,
      num_hidden_layers: 7,
      sliding_window: 4,
      query_pre_attn_scalar: headSize,
      rope_theta: 1000000,
      rope_local_base_freq: 10000,
    },
    shapes: llamaShapes({ ...llamaAttention(), ...headNorms, ...gatedMlp(), ...branchNorms }, 7),
  },
  gpt2: {
    config: {
      model_type: 'gpt2',
      n_embd: hidden,
      n_head: heads,
      n_layer: layers,
      n_positions: 256,
      vocab_size: vocab,
      layer_norm_epsilon: 1e-5,
    },
    shapes: {
      ...linear('wte', vocab, hidden),
      ...linear('wpe', 256, hidden),
      ...eachLayer('h.', {
        ...layerNorm('ln_1'),
        'attn.c_attn.weight': [hidden, 3 * hidden],
        'attn.c_attn.bias': [3 * hidden],
        ...linear('attn.c_proj', hidden, hidden, true),
        ...layerNorm('ln_2'),
        'mlp.c_fc.weight': [hidden, 4 * hidden],
        'mlp.c_fc.bias': [4 * hidden],
        'mlp.c_proj.weight': [4 * hidden, hidden],
        'mlp.c_proj.bias': [hidden],
      }),
      ...layerNorm('ln_f'),
    },
  },
  'gpt-neox': {
    config: {
      model_type: 'gpt_neox',
      hidden_size: hidden,
      num_attention_heads: 2,
      num_hidden_layers: layers,
      intermediate_size: 4 * hidden,
      vocab_size: vocab,
      max_position_embeddings: 256,
      layer_norm_eps: 1e-5,
      rotary_pct: 0.5,
      rotary_emb_base: 10000,
      hidden_act: 'gelu',
    },
    shapes: {
      ...linear('gpt_neox.embed_in', vocab, hidden),
      ...eachLayer('gpt_neox.layers.', neoxLike('attention', fourTimes, aroundAttention)),
      ...layerNorm('gpt_neox.final_layer_norm'),
      ...linear('embed_out', vocab, hidden),
    },
  },
  bloom: {
    config: {
      model_type: 'bloom',
      hidden_size: hidden,
      n_head: heads,
      n_layer: layers,
      vocab_size: vocab,
      layer_norm_epsilon: 1e-5,
    },
    shapes: {
      ...linear('transformer.word_embeddings', vocab, hidden),
      ...layerNorm('transformer.word_embeddings_layernorm'),
      ...eachLayer('transformer.h.', neoxLike('self_attention', fourTimes, aroundAttention)),
      ...layerNorm('transformer.ln_f'),
    },
  },
  opt: {
    config: {
      model_type: 'opt',
      hidden_size: hidden,
      word_embed_proj_dim: 8,
      num_attention_heads: heads,
      num_hidden_layers: layers,
      ffn_dim: wide,
      vocab_size: vocab,
      max_position_embeddings: 256,
    },
    shapes: {
      ...linear('model.decoder.embed_tokens', vocab, 8),
      ...linear('model.decoder.embed_positions', 258, hidden),
      ...linear('model.decoder.project_in', hidden, 8),
      ...linear('model.decoder.project_out', 8, hidden),
      ...eachLayer('model.decoder.layers.', {
        ...layerNorm('self_attn_layer_norm'),
        ...optAttention('q_proj'),
        ...optAttention('k_proj'),
        ...optAttention('v_proj'),
        ...optAttention('out_proj'),
        ...layerNorm('final_layer_norm'),
        ...linear('fc1', wide, hidden, true),
        ...linear('fc2', hidden, wide, true),
      }),
      ...layerNorm('model.decoder.final_layer_norm'),
    },
  },
  mamba: { config: { ...mambaConfig, model_type: 'mamba', time_step_rank: 3 }, shapes: mambaShapes(mambaLayer) },
  mamba2: {
    config: {
      ...mambaConfig,
      model_type: 'mamba2',
      num_heads: mambaHeads,
      head_dim: channels / mambaHeads,
      n_groups: groups,
      time_step_limit: [0, 5],
    },
    shapes: mambaShapes(mamba2Layer),
  },
  llada: {
    config: {
      model_type: 'llada',
      d_model: hidden,
      n_heads: heads,
      n_layers: layers,
      mlp_hidden_size: wide,
      vocab_size: vocab,
      max_sequence_length: 256,
      rms_norm_eps: 1e-5,
      rope_theta: 500000,
      weight_tying: false,
      mask_token_id: 36,
    },
    shapes: {
      ...linear('model.transformer.wte', vocab, hidden),
      ...eachLayer('model.transformer.blocks.', {
        ...norm('attn_norm'),
        ...linear('q_proj', hidden, hidden),
        ...linear('k_proj', hidden, hidden),
        ...linear('v_proj', hidden, hidden),
        ...linear('attn_out', hidden, hidden),
        ...norm('ff_norm'),
        ...linear('ff_proj', wide, hidden),
        ...linear('up_proj', wide, hidden),
        ...linear('ff_out', hidden, wide),
      }),
      ...norm('model.transformer.ln_f'),
      ...linear('model.transformer.ff_out', vocab, hidden),
    },
  },
  dream: {
    config: { ...llamaConfig, model_type: 'Dream', mask_token_id: 36 },
    shapes: llamaShapes({ ...llamaAttention(true), ...gatedMlp() }),
  },
  t5: {
    config: {
      model_type: 't5',
      d_model: hidden,
      d_kv: headSize,
      d_ff: wide,
      num_heads: heads,
      num_layers: layers,
      vocab_size: vocab,
      relative_attention_num_buckets: 8,
      relative_attention_max_distance: 20,
      feed_forward_proj: 'gated-gelu',
      decoder_start_token_id: 0,
    },
    shapes: t5Shapes,
  },
};

/** The checkpoint of one kind, with some of its configuration replaced. */
export function tinyNetwork(kind: string, changes: Config = {}, seed = 1): Promise<HuggingFaceModel> {
  const { config, shapes } = tinyNetworks[kind]!;
  return tinyCheckpoint({ ...config, ...changes }, shapes, seed);
}
