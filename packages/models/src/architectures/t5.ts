/** How files describe T5, and where they keep the tensors. */
import { GallopError } from '@gallop/core';
import { activationNamed, gateNamed } from '../blocks/activation.ts';
import type { NamedWeights, Naming } from '../loading/named-weights.ts';
import type { Settings } from '../loading/settings.ts';
import type { WeightSource } from '../loading/weight-source.ts';
import { loadT5, type T5Config, type T5Network } from '../networks/t5.ts';
import type { ArchitectureNames } from './architecture.ts';
import { checkHeads, isTied, readLayerCount, readVocabSize } from './decoder-settings.ts';

const attention = (stack: string, layer: number, block: string, part: string): string =>
  `${stack}.block.{}.layer.${layer}.${block}.${part}.weight`;

const naming: Naming = {
  names: {
    embeddings: ['shared.weight', 'token_embd.weight'],
    head: ['lm_head.weight', 'output.weight'],
    encoderNorm: ['encoder.final_layer_norm.weight', 'enc.output_norm.weight'],
    encoderBias: [attention('encoder', 0, 'SelfAttention', 'relative_attention_bias'), 'enc.blk.{}.attn_rel_b.weight'],
    encoderAttentionNorm: ['encoder.block.{}.layer.0.layer_norm.weight', 'enc.blk.{}.attn_norm.weight'],
    encoderQuery: [attention('encoder', 0, 'SelfAttention', 'q'), 'enc.blk.{}.attn_q.weight'],
    encoderKey: [attention('encoder', 0, 'SelfAttention', 'k'), 'enc.blk.{}.attn_k.weight'],
    encoderValue: [attention('encoder', 0, 'SelfAttention', 'v'), 'enc.blk.{}.attn_v.weight'],
    encoderAttentionOutput: [attention('encoder', 0, 'SelfAttention', 'o'), 'enc.blk.{}.attn_o.weight'],
    encoderMlpNorm: ['encoder.block.{}.layer.1.layer_norm.weight', 'enc.blk.{}.ffn_norm.weight'],
    encoderGate: [attention('encoder', 1, 'DenseReluDense', 'wi_0'), 'enc.blk.{}.ffn_gate.weight'],
    encoderUp: [attention('encoder', 1, 'DenseReluDense', 'wi_1'), 'enc.blk.{}.ffn_up.weight'],
    encoderPlainUp: [attention('encoder', 1, 'DenseReluDense', 'wi'), 'enc.blk.{}.ffn_up.weight'],
    encoderDown: [attention('encoder', 1, 'DenseReluDense', 'wo'), 'enc.blk.{}.ffn_down.weight'],
    finalNorm: ['decoder.final_layer_norm.weight', 'dec.output_norm.weight'],
    decoderBias: [attention('decoder', 0, 'SelfAttention', 'relative_attention_bias'), 'dec.blk.{}.attn_rel_b.weight'],
    attentionNorm: ['decoder.block.{}.layer.0.layer_norm.weight', 'dec.blk.{}.attn_norm.weight'],
    query: [attention('decoder', 0, 'SelfAttention', 'q'), 'dec.blk.{}.attn_q.weight'],
    key: [attention('decoder', 0, 'SelfAttention', 'k'), 'dec.blk.{}.attn_k.weight'],
    value: [attention('decoder', 0, 'SelfAttention', 'v'), 'dec.blk.{}.attn_v.weight'],
    attentionOutput: [attention('decoder', 0, 'SelfAttention', 'o'), 'dec.blk.{}.attn_o.weight'],
    crossNorm: ['decoder.block.{}.layer.1.layer_norm.weight', 'dec.blk.{}.cross_attn_norm.weight'],
    crossQuery: [attention('decoder', 1, 'EncDecAttention', 'q'), 'dec.blk.{}.cross_attn_q.weight'],
    crossKey: [attention('decoder', 1, 'EncDecAttention', 'k'), 'dec.blk.{}.cross_attn_k.weight'],
    crossValue: [attention('decoder', 1, 'EncDecAttention', 'v'), 'dec.blk.{}.cross_attn_v.weight'],
    crossOutput: [attention('decoder', 1, 'EncDecAttention', 'o'), 'dec.blk.{}.cross_attn_o.weight'],
    mlpNorm: ['decoder.block.{}.layer.2.layer_norm.weight', 'dec.blk.{}.ffn_norm.weight'],
    gate: [attention('decoder', 2, 'DenseReluDense', 'wi_0'), 'dec.blk.{}.ffn_gate.weight'],
    up: [attention('decoder', 2, 'DenseReluDense', 'wi_1'), 'dec.blk.{}.ffn_up.weight'],
    plainUp: [attention('decoder', 2, 'DenseReluDense', 'wi'), 'dec.blk.{}.ffn_up.weight'],
    down: [attention('decoder', 2, 'DenseReluDense', 'wo'), 'dec.blk.{}.ffn_down.weight'],
  },
};

export interface EncoderDecoderPlan {
  readonly contextLength: number;
  /** Positions are distances: sessions may hold more rows. */
  readonly isUnbounded: true;
  readonly startToken: number;
  load(weights: NamedWeights, contextLength: number): Promise<T5Network>;
}

/** A model that encodes an input and decodes another sequence from it. */
export interface EncoderDecoderArchitecture extends ArchitectureNames {
  plan(settings: Settings, source: WeightSource): EncoderDecoderPlan;
}

/** "gelu" behind a gate means the approximation by tanh, as in T5 1.1; GGUF files hold only those. */
function gateOf(projection: string): 'silu' | 'gelu-tanh' {
  const name = projection.replace('gated-', '');
  return name === 'gelu' ? 'gelu-tanh' : gateNamed(name);
}

/** Buckets must leave room for near and far distances in either direction. */
function checkBuckets({ buckets, maxDistance }: T5Config): void {
  if (buckets % 4 === 0 && buckets <= 4096 && maxDistance > buckets / 2 && maxDistance <= 2 ** 20) return;
  throw new GallopError(
    'invalid-file',
    `expected buckets in multiples of 4, and a maximum distance beyond half of them; the file says ${buckets} and ${maxDistance}`,
  );
}

function t5Config(settings: Settings, source: WeightSource): T5Config {
  const { json, container } = settings;
  const encoderLayerCount = readLayerCount(settings, 'num_layers', 'block_count');
  const heads = settings.count(['num_heads', 'attention.head_count']);
  const projection = json.string('feed_forward_proj', container === 'gguf' ? 'gated-gelu' : 'relu');
  const isGated =
    container === 'gguf' ? source.find('enc.blk.0.ffn_gate.weight') !== undefined : projection.startsWith('gated-');
  const config: T5Config = {
    architecture: settings.architecture,
    vocabSize: readVocabSize(settings, source),
    contextLength: settings.count(['n_positions', 'context_length'], 512),
    encoderLayerCount,
    layerCount: readLayerCount(settings, 'num_decoder_layers', 'decoder_block_count', encoderLayerCount),
    hiddenSize: settings.count(['d_model', 'embedding_length']),
    feedForwardSize: settings.count(['d_ff', 'feed_forward_length']),
    heads,
    keyHeads: heads,
    headSize: settings.count(['d_kv', 'attention.key_length']),
    normEpsilon: settings.number(['layer_norm_epsilon', 'attention.layer_norm_rms_epsilon'], 1e-6),
    rotary: {},
    buckets: settings.count(['relative_attention_num_buckets', 'attention.relative_buckets_count'], 32),
    maxDistance: settings.count(['relative_attention_max_distance', 'attention.relative_max_distance'], 128),
    ...(isGated && { gate: gateOf(projection) }),
    activation: isGated || container === 'gguf' ? 'relu' : activationNamed(projection),
    tied: isTied(settings, source, true),
  };
  checkHeads(config);
  checkBuckets(config);
  return config;
}

export const t5Architecture: EncoderDecoderArchitecture = {
  huggingFace: ['t5', 'mt5'],
  gguf: ['t5'],
  naming,
  plan(settings, source) {
    const config = t5Config(settings, source);
    const startToken = settings.number(['decoder_start_token_id', 'decoder_start_token_id'], 0);
    return {
      contextLength: config.contextLength,
      isUnbounded: true,
      startToken,
      load: (weights, contextLength) =>
        loadT5(config.gate ? weights : weights.renamed({ up: 'plainUp', encoderUp: 'encoderPlainUp' }), {
          ...config,
          contextLength: Math.max(config.contextLength, contextLength),
        }),
    };
  },
};

export const encoderDecoderArchitectures: readonly EncoderDecoderArchitecture[] = [t5Architecture];
