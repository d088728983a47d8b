/**
 * Llama (Touvron et al., 2023) and the networks that are Llama with other choices: Mistral (sliding window), Qwen2 (biases),
 * Qwen3 (norms of query and key heads), SmolLM3 (layers without rotation), Phi-3 (fused matrices, partial rotation),
 * Mixtral and Qwen2-MoE (experts), LLaDA and Dream (every position sees every position).
 *
 *   x ← x + Wo · attention(rope(Wq n), rope(Wk n), Wv n),   n = rmsNorm(x)
 *   x ← x + Wdown · (silu(Wgate m) ⊙ Wup m),                m = rmsNorm(x)
 */
import type { Recorder, Tensor } from '@gallop/tensor';
import { type Attention, attentionActivations, loadAttention, selfAttention } from '../blocks/attention.ts';
import { type Experts, type ExpertsConfig, loadExperts, mixtureOfExperts } from '../blocks/experts.ts';
import { type GatedMlp, gatedMlp, gatedMlpActivations, loadGatedMlp } from '../blocks/mlp.ts';
import { loadRmsNorm, type Norm, normalize } from '../blocks/norm.ts';
import { project } from '../blocks/projection.ts';
import type { DecoderConfig } from '../config.ts';
import { activationsFor } from '../loading/model-weights.ts';
import type { NamedWeights } from '../loading/named-weights.ts';
import type { DecoderNetwork, LayerContext } from '../runtime/network.ts';

export interface LlamaConfig extends DecoderConfig {
  readonly layers: readonly LlamaLayerConfig[];
  /** Biases of query, key and value, of the attention's output, of the MLP. `stored`: where the file has them. */
  readonly biases: Readonly<Record<'queryKeyValue' | 'output' | 'mlp', boolean | 'stored'>>;
  /** Norms of each query and key head. */
  readonly headNorms: boolean;
  /** Query, key and value, and gate and up, are one matrix each. */
  readonly fused: boolean;
  /** The head is the embedding matrix. */
  readonly tied: boolean;
  readonly activation: GatedMlp['activation'];
}

export interface LlamaLayerConfig {
  readonly rotates: boolean;
  /** Keys a row sees. Default: all. */
  readonly window?: number;
  /** Experts instead of one MLP. */
  readonly experts?: ExpertsConfig;
}

interface LlamaLayer {
  readonly attentionNorm: Norm; // [hidden]
  readonly attention: Attention;
  readonly mlpNorm: Norm; // [hidden]
  readonly mlp?: GatedMlp;
  readonly experts?: Experts;
}

async function loadLayer(weights: NamedWeights, config: LlamaConfig, index: number): Promise<LlamaLayer> {
  const { hiddenSize, headSize, normEpsilon, biases, fused, activation } = config;
  const { experts } = config.layers[index]!;
  const attention = await loadAttention(weights, config, {
    bias: biases.queryKeyValue,
    outputBias: biases.output,
    ...(fused && { fused: 'stacked' }),
  });
  const norm = (part: string, size: number): Promise<Norm> => loadRmsNorm(weights, part, size, normEpsilon);
  return {
    attentionNorm: await norm('attentionNorm', hiddenSize),
    attention: config.headNorms
      ? { ...attention, queryNorm: await norm('queryNorm', headSize), keyNorm: await norm('keyNorm', headSize) }
      : attention,
    mlpNorm: await norm('mlpNorm', hiddenSize),
    ...(experts
      ? { experts: await loadExperts(weights, hiddenSize, experts, activation) }
      : { mlp: await loadGatedMlp(weights, config, activation, { bias: biases.mlp, fused }) }),
  };
}

/** @throws GallopError `invalid-file` for weights that do not fit the configuration */
export async function loadLlama(weights: NamedWeights, config: LlamaConfig): Promise<DecoderNetwork> {
  const { vocabSize, hiddenSize, headSize, normEpsilon } = config;
  const scale = Math.fround(headSize ** -0.5);
  const embeddings = await weights.matrix('embeddings', vocabSize, hiddenSize);
  const layers: LlamaLayer[] = [];
  for (let index = 0; index < config.layerCount; index++)
    layers.push(await loadLayer(weights.at(index), config, index));
  const finalNorm = await loadRmsNorm(weights, 'finalNorm', hiddenSize, normEpsilon);
  const head = config.tied ? embeddings : await weights.matrix('head', vocabSize, hiddenSize);

  function attention(t: Recorder, index: number, x: Tensor, context: LayerContext): void {
    const { attention: w, attentionNorm } = layers[index]!;
    const { rotates, window } = config.layers[index]!;
    const n = normalize(t, x, attentionNorm, { dtype: attentionActivations(context, w) });
    const mixed = selfAttention(t, w, n, config, context, {
      scale,
      rotary: rotates ? 'global' : undefined,
      ...(window !== undefined && { window }),
    });
    project(t, mixed, w.output, x);
  }

  function mlp(t: Recorder, { mlp: w, experts, mlpNorm }: LlamaLayer, x: Tensor, context: LayerContext): void {
    const m = normalize(t, x, mlpNorm, { dtype: w ? gatedMlpActivations(context, w) : 'f32' });
    if (w) gatedMlp(t, w, m, context, x);
    else mixtureOfExperts(t, experts!, m, x, context);
  }

  return {
    config,
    headActivations: activationsFor(weights, head),
    embed: (t, ids) => t.embed(embeddings, ids),
    layer(t, index, x, context) {
      t.scope(() => attention(t, index, x, context));
      t.scope(() => mlp(t, layers[index]!, x, context));
    },
    finish: (t, x, dtype) => normalize(t, x, finalNorm, { dtype }),
    logits: (t, x) => t.linear(x, head),
    dispose: () => weights.all.dispose(),
  };
}
