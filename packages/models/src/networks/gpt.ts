/**
 * Decoders with LayerNorm and biases everywhere: GPT-2 (Radford et al., 2019; learned positions), OPT (Zhang et al., 2022;
 * learned positions from 2 on, relu), GPT-NeoX (Black et al., 2022; partial rotation, parallel branches) and BLOOM (Le Scao et al.,
 * 2022; ALiBi, a norm of the embeddings).
 *
 *   sequential   x ← x + attention(norm₁ x),  x ← x + mlp(norm₂ x)
 *   parallel     x ← x + attention(norm₁ x) + mlp(norm₂ x)
 *   mlp(m) = Wdown · act(Wup m + b) + b
 */
import type { Recorder, Tensor, Weight } from '@gallop/tensor';
import type { Activation } from '../blocks/activation.ts';
import {
  type Attention,
  type AttentionLoading,
  attentionActivations,
  loadAttention,
  selfAttention,
} from '../blocks/attention.ts';
import { distanceTable } from '../blocks/distance-bias.ts';
import { loadPlainMlp, type PlainMlp, plainMlp } from '../blocks/mlp.ts';
import { loadLayerNorm, type Norm, normalize } from '../blocks/norm.ts';
import { project } from '../blocks/projection.ts';
import type { DecoderConfig } from '../config.ts';
import { activationsFor } from '../loading/model-weights.ts';
import type { NamedWeights } from '../loading/named-weights.ts';
import type { DecoderNetwork, LayerContext } from '../runtime/network.ts';

export interface GptConfig extends DecoderConfig {
  /** How rows know their place. `rotary` uses the settings named `global`. */
  readonly positions: 'learned' | 'rotary' | 'alibi';
  /** Row of the table of learned positions that stands for position 0. */
  readonly positionOffset: number;
  readonly parallel: boolean;
  /** A LayerNorm right after the embeddings. */
  readonly embeddingNorm: boolean;
  /** Biases of the attention's matrices, and of the MLP's. */
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  /** How a fused query, key and value matrix is laid out; none where they are separate. */
  readonly fused?: AttentionLoading['fused'];
  /** Matrices are stored [inputs, outputs]. */
  readonly transposed: boolean;
  readonly activation: Activation;
  readonly tied: boolean;
}

interface GptLayer {
  readonly attentionNorm: Norm; // [hidden]
  readonly attention: Attention;
  readonly mlpNorm: Norm; // [hidden]
  readonly mlp: PlainMlp;
}

async function loadLayer(weights: NamedWeights, config: GptConfig): Promise<GptLayer> {
  const { hiddenSize, normEpsilon, attentionBias: bias, fused, transposed, activation } = config;
  return {
    attentionNorm: await loadLayerNorm(weights, 'attentionNorm', hiddenSize, normEpsilon),
    attention: await loadAttention(weights, config, { bias, outputBias: bias, transposed, ...(fused && { fused }) }),
    mlpNorm: await loadLayerNorm(weights, 'mlpNorm', hiddenSize, normEpsilon),
    mlp: await loadPlainMlp(weights, config, activation, { bias: config.mlpBias, transposed }),
  };
}

/** What lies between embeddings and the first layer, and between the last layer and the head. */
interface Ends {
  readonly embeddings: Weight; // [vocab, embeddingSize]
  readonly positions?: Weight; // [positions, hidden]
  readonly norm?: Norm; // [hidden]
  readonly projectIn?: Weight; // [hidden, embeddingSize]
  readonly projectOut?: Weight; // [embeddingSize, hidden]
  readonly head: Weight; // [vocab, embeddingSize]
}

async function loadEnds(weights: NamedWeights, config: GptConfig): Promise<Ends> {
  const { vocabSize, hiddenSize, contextLength, positionOffset, embeddingSize = hiddenSize } = config;
  const embeddings = await weights.matrix('embeddings', vocabSize, embeddingSize);
  const isNarrow = embeddingSize !== hiddenSize;
  return {
    embeddings,
    ...(config.positions === 'learned' && {
      positions: await weights.matrix('positions', contextLength, hiddenSize, {
        first: positionOffset,
        total: contextLength + positionOffset,
      }),
    }),
    ...(config.embeddingNorm && {
      norm: await loadLayerNorm(weights, 'embeddingNorm', hiddenSize, config.normEpsilon),
    }),
    ...(isNarrow && {
      projectIn: await weights.matrix('projectIn', hiddenSize, embeddingSize),
      projectOut: await weights.matrix('projectOut', embeddingSize, hiddenSize),
    }),
    head: config.tied ? embeddings : await weights.matrix('head', vocabSize, embeddingSize),
  };
}

/**
 * Slopes of ALiBi (Press et al., 2022): 2^(−8/n · (i + 1)) for n heads, a power of two; further heads take every other slope of
 * 2n heads.
 */
function alibiSlopes(heads: number): Float32Array {
  const power = 2 ** Math.floor(Math.log2(heads));
  return Float32Array.from({ length: heads }, (_, head) =>
    head < power ? 2 ** ((-8 / power) * (head + 1)) : 2 ** ((-8 / (2 * power)) * (2 * (head - power) + 1)),
  );
}

/** @throws GallopError `invalid-file` for weights that do not fit the configuration */
export async function loadGpt(weights: NamedWeights, config: GptConfig): Promise<DecoderNetwork> {
  const { hiddenSize, headSize, heads, contextLength } = config;
  const scale = Math.fround(headSize ** -0.5);
  const ends = await loadEnds(weights, config);
  const layers: GptLayer[] = [];
  for (let index = 0; index < config.layerCount; index++) layers.push(await loadLayer(weights.at(index), config));
  const finalNorm = await loadLayerNorm(weights, 'finalNorm', hiddenSize, config.normEpsilon);
  const slopes = alibiSlopes(heads);
  const bias =
    config.positions === 'alibi'
      ? distanceTable(weights.all, heads, 0, contextLength - 1, (head, distance) => -slopes[head]! * distance)
      : undefined;

  /** Adds the branch that starts from n = norm₁ x. */
  function attention(t: Recorder, w: Attention, n: Tensor, x: Tensor, context: LayerContext): void {
    const mixed = selfAttention(t, w, n, config, context, {
      scale,
      rotary: config.positions === 'rotary' ? 'global' : undefined,
      ...(bias && { bias }),
    });
    project(t, mixed, w.output, x);
  }

  return {
    config,
    headActivations: activationsFor(weights, ends.projectOut ?? ends.head),
    embed: (t, ids) => t.embed(ends.embeddings, ids),
    enter(t, embeddings, positions) {
      const x = ends.projectIn ? t.linear(embeddings, ends.projectIn) : embeddings;
      if (ends.positions) t.add(x, t.embed(ends.positions, positions), x);
      return ends.norm ? normalize(t, x, ends.norm) : x;
    },
    layer(t, index, x, context) {
      const { attention: w, attentionNorm, mlp, mlpNorm } = layers[index]!;
      t.scope(() => {
        const n = normalize(t, x, attentionNorm, { dtype: attentionActivations(context, w) });
        const before = config.parallel
          ? normalize(t, x, mlpNorm, { dtype: activationsFor(context, mlp.up.weight) })
          : undefined;
        attention(t, w, n, x, context);
        const m = before ?? normalize(t, x, mlpNorm, { dtype: activationsFor(context, mlp.up.weight) });
        plainMlp(t, mlp, m, context, x);
      });
    },
    finish: (t, x, dtype) => normalize(t, x, finalNorm, { dtype }),
    logits: (t, x) => t.linear(ends.projectOut ? t.linear(x, ends.projectOut) : x, ends.head),
    dispose: () => weights.all.dispose(),
  };
}
