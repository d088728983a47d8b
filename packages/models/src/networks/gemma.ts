/**
 * Gemma 2 and Gemma 3 text (Gemma Team, 2024 and 2025): embeddings scaled by √hidden, norms before and after each branch,
 * GELU gate, sliding-window layers between global ones. Gemma 2 caps scores and logits; Gemma 3 norms query and key heads
 * instead and gives sliding layers a rotation of their own.
 *
 *   x ← x + norm(Wo · attention(rope(norm Wq n), rope(norm Wk n), Wv n)),   n = rmsNorm(x)
 *   x ← x + norm(Wdown · (gelu(Wgate m) ⊙ Wup m)),                          m = rmsNorm(x)
 *
 * GGUF stores norm weights ready to multiply; Hugging Face stores them without their 1.
 */
import type { Recorder, Tensor } from '@gallop/tensor';
import { type Attention, attentionActivations, loadAttention, selfAttention } from '../blocks/attention.ts';
import { type GatedMlp, gatedMlp, gatedMlpActivations, loadGatedMlp } from '../blocks/mlp.ts';
import { loadRmsNorm, type Norm, normalize } from '../blocks/norm.ts';
import { project } from '../blocks/projection.ts';
import type { DecoderConfig } from '../config.ts';
import { activationsFor } from '../loading/model-weights.ts';
import type { NamedWeights } from '../loading/named-weights.ts';
import type { DecoderNetwork, LayerContext } from '../runtime/network.ts';

export interface GemmaConfig extends DecoderConfig {
  readonly layers: readonly GemmaLayerConfig[];
  /** Multiplies the scores. */
  readonly scoreScale: number;
  /** Scores and logits become cap · tanh(value / cap). Default: as they are. */
  readonly scoreCap?: number;
  readonly logitCap?: number;
  /** Norms of each query and key head. */
  readonly headNorms: boolean;
  readonly bias: boolean | 'stored';
  readonly activation: GatedMlp['activation'];
  readonly tied: boolean;
}

export interface GemmaLayerConfig {
  /** Key of `rotary`. */
  readonly rotary: string;
  /** Keys a row sees. Default: all. */
  readonly window?: number;
}

interface GemmaLayer {
  readonly attentionNorm: Norm; // [hidden]
  readonly attention: Attention;
  readonly postAttentionNorm: Norm; // [hidden]
  readonly mlpNorm: Norm; // [hidden]
  readonly mlp: GatedMlp;
  readonly postMlpNorm: Norm; // [hidden]
}

function normLoader(weights: NamedWeights, epsilon: number): (part: string, size: number) => Promise<Norm> {
  const add = weights.container === 'gguf' ? 0 : 1;
  return (part, size) => loadRmsNorm(weights, part, size, epsilon, add);
}

async function loadLayer(weights: NamedWeights, config: GemmaConfig): Promise<GemmaLayer> {
  const { hiddenSize, headSize, normEpsilon, bias, activation } = config;
  const norm = normLoader(weights, normEpsilon);
  const attention = await loadAttention(weights, config, { bias, outputBias: bias });
  return {
    attentionNorm: await norm('attentionNorm', hiddenSize),
    attention: config.headNorms
      ? { ...attention, queryNorm: await norm('queryNorm', headSize), keyNorm: await norm('keyNorm', headSize) }
      : attention,
    postAttentionNorm: await norm('postAttentionNorm', hiddenSize),
    mlpNorm: await norm('mlpNorm', hiddenSize),
    mlp: await loadGatedMlp(weights, config, activation),
    postMlpNorm: await norm('postMlpNorm', hiddenSize),
  };
}

/** @throws GallopError `invalid-file` for weights that do not fit the configuration */
export async function loadGemma(weights: NamedWeights, config: GemmaConfig): Promise<DecoderNetwork> {
  const { vocabSize, hiddenSize, scoreCap, logitCap } = config;
  const embeddings = await weights.matrix('embeddings', vocabSize, hiddenSize);
  const layers: GemmaLayer[] = [];
  for (let index = 0; index < config.layerCount; index++) layers.push(await loadLayer(weights.at(index), config));
  const finalNorm = await normLoader(weights, config.normEpsilon)('finalNorm', hiddenSize);
  const head = config.tied ? embeddings : await weights.matrix('head', vocabSize, hiddenSize);

  function attention(t: Recorder, index: number, x: Tensor, context: LayerContext): void {
    const { attention: w, attentionNorm, postAttentionNorm } = layers[index]!;
    const { rotary, window } = config.layers[index]!;
    const n = normalize(t, x, attentionNorm, { dtype: attentionActivations(context, w) });
    const mixed = selfAttention(t, w, n, config, context, {
      scale: config.scoreScale,
      rotary,
      ...(window !== undefined && { window }),
      ...(scoreCap !== undefined && { softcap: scoreCap }),
    });
    normalize(t, project(t, mixed, w.output), postAttentionNorm, { addTo: x });
  }

  function mlp(t: Recorder, { mlp: w, mlpNorm, postMlpNorm }: GemmaLayer, x: Tensor, context: LayerContext): void {
    const m = normalize(t, x, mlpNorm, { dtype: gatedMlpActivations(context, w) });
    normalize(t, gatedMlp(t, w, m, context), postMlpNorm, { addTo: x });
  }

  return {
    config,
    headActivations: activationsFor(weights, head),
    embed: (t, ids) => t.embed(embeddings, ids, Math.fround(Math.sqrt(hiddenSize))),
    layer(t, index, x, context) {
      t.scope(() => attention(t, index, x, context));
      t.scope(() => mlp(t, layers[index]!, x, context));
    },
    finish: (t, x, dtype) => normalize(t, x, finalNorm, { dtype }),
    logits(t, x) {
      const logits = t.linear(x, head);
      if (logitCap !== undefined) t.softcap(logits, logitCap);
      return logits;
    },
    dispose: () => weights.all.dispose(),
  };
}
