/**
 * T5 (Raffel et al., 2020): an encoder that sees its whole input, and a decoder that also attends to what the encoder made
 * of it. Scores are not scaled; a bias per head and bucketed distance, shared by all layers, stands for positions.
 *
 *   encoder   x ← x + attention(rmsNorm x),   x ← x + mlp(rmsNorm x)
 *   decoder   the same with, between the two, x ← x + attention over the encoder's rows
 *   logits = Whead · (rmsNorm x [· hidden^−½ where the head is tied])
 */
import { type Backend, type CacheLayer, type DistanceBias, Recorder, type Tensor } from '@gallop/tensor';
import { affine } from '@gallop/tensor/operations';
import type { Activation } from '../blocks/activation.ts';
import { type Attention, attentionActivations, loadAttention, selfAttention } from '../blocks/attention.ts';
import { distanceTable } from '../blocks/distance-bias.ts';
import { type GatedMlp, gatedMlp, loadGatedMlp, loadPlainMlp, type PlainMlp, plainMlp } from '../blocks/mlp.ts';
import { loadRmsNorm, type Norm, normalize } from '../blocks/norm.ts';
import { project } from '../blocks/projection.ts';
import type { DecoderConfig } from '../config.ts';
import { activationsFor } from '../loading/model-weights.ts';
import type { NamedWeights } from '../loading/named-weights.ts';
import { everySlot, layerContexts } from '../runtime/layer-context.ts';
import type { DecoderNetwork, LayerContext } from '../runtime/network.ts';
import { PagedCache } from '../runtime/paged-cache.ts';

export interface T5Config extends DecoderConfig {
  readonly encoderLayerCount: number;
  /** Buckets of distances, and the distance from which all fall into the last one. */
  readonly buckets: number;
  readonly maxDistance: number;
  /** Gated MLPs with this gate, or plain ones with this activation. */
  readonly gate?: GatedMlp['activation'];
  readonly activation: Activation;
  /** The head is the embedding matrix, and decoder rows are scaled before it. */
  readonly tied: boolean;
}

interface Branches {
  readonly attentionNorm: Norm;
  readonly attention: Attention;
  readonly mlpNorm: Norm;
  readonly mlp: { readonly gated: GatedMlp } | { readonly plain: PlainMlp };
}

interface DecoderLayer extends Branches {
  readonly crossNorm: Norm;
  readonly cross: Attention;
}

/** The rows that an encoder made, ready for a decoder. */
export interface EncodedRows {
  /** After the final norm. [rows, hidden] */
  readonly hidden: Float32Array;
  /** The decoder over these rows. Disposing of it leaves the weights alone. */
  readonly decoder: DecoderNetwork;
}

export interface T5Network {
  readonly config: T5Config;
  /** @throws GallopError `out-of-memory` */
  encode(backend: Backend, ids: Int32Array): EncodedRows;
  dispose(): void;
}

/**
 * The bucket of a distance r = key − query. Half of the buckets hold one distance each, the others grow with its logarithm
 * up to `maxDistance`; where rows see both ways, either direction has its own half.
 */
function bucketOf(r: number, config: Pick<T5Config, 'buckets' | 'maxDistance'>, bothWays: boolean): number {
  const buckets = bothWays ? config.buckets / 2 : config.buckets;
  const offset = bothWays && r > 0 ? buckets : 0;
  const distance = bothWays ? Math.abs(r) : Math.max(0, -r);
  const exact = Math.floor(buckets / 2);
  if (distance < exact) return offset + distance;
  const growth = Math.fround(Math.log(distance / exact)) / Math.fround(Math.log(config.maxDistance / exact));
  return offset + Math.min(exact + Math.floor(Math.fround(growth * (buckets - exact))), buckets - 1);
}

async function loadBias(
  weights: NamedWeights,
  part: string,
  config: T5Config,
  bothWays: boolean,
): Promise<Pick<DistanceBias, 'table' | 'zero'>> {
  const { heads, buckets, maxDistance } = config;
  const values = await weights.at(0).values(part, [buckets, heads]);
  const least = bothWays ? -maxDistance : 0;
  return distanceTable(weights.all, heads, least, maxDistance, (head, distance) => {
    return values[bucketOf(-distance, config, bothWays) * heads + head]!;
  });
}

async function loadBranches(weights: NamedWeights, config: T5Config): Promise<Branches> {
  const { hiddenSize, normEpsilon, gate, activation } = config;
  return {
    attentionNorm: await loadRmsNorm(weights, 'attentionNorm', hiddenSize, normEpsilon),
    attention: await loadAttention(weights, config),
    mlpNorm: await loadRmsNorm(weights, 'mlpNorm', hiddenSize, normEpsilon),
    mlp: gate
      ? { gated: await loadGatedMlp(weights, config, gate) }
      : { plain: await loadPlainMlp(weights, config, activation, { bias: false }) },
  };
}

const encoderParts = {
  attentionNorm: 'encoderAttentionNorm',
  query: 'encoderQuery',
  key: 'encoderKey',
  value: 'encoderValue',
  attentionOutput: 'encoderAttentionOutput',
  mlpNorm: 'encoderMlpNorm',
  gate: 'encoderGate',
  up: 'encoderUp',
  down: 'encoderDown',
};
const crossParts = { query: 'crossQuery', key: 'crossKey', value: 'crossValue', attentionOutput: 'crossOutput' };

async function loadDecoderLayer(weights: NamedWeights, config: T5Config): Promise<DecoderLayer> {
  return {
    ...(await loadBranches(weights, config)),
    crossNorm: await loadRmsNorm(weights, 'crossNorm', config.hiddenSize, config.normEpsilon),
    cross: await loadAttention(weights.renamed(crossParts), config),
  };
}

/** @throws GallopError `invalid-file` for weights that do not fit the configuration */
export async function loadT5(weights: NamedWeights, config: T5Config): Promise<T5Network> {
  const { vocabSize, hiddenSize, normEpsilon } = config;
  const embeddings = await weights.matrix('embeddings', vocabSize, hiddenSize);
  const encoder: Branches[] = [];
  for (let index = 0; index < config.encoderLayerCount; index++)
    encoder.push(await loadBranches(weights.renamed(encoderParts).at(index), config));
  const encoderNorm = await loadRmsNorm(weights, 'encoderNorm', hiddenSize, normEpsilon);
  const encoderBias = await loadBias(weights, 'encoderBias', config, true);
  const layers: DecoderLayer[] = [];
  for (let index = 0; index < config.layerCount; index++)
    layers.push(await loadDecoderLayer(weights.at(index), config));
  const finalNorm = await loadRmsNorm(weights, 'finalNorm', hiddenSize, normEpsilon);
  const decoderBias = await loadBias(weights, 'decoderBias', config, false);
  const head = config.tied ? embeddings : await weights.matrix('head', vocabSize, hiddenSize);
  type Bias = typeof decoderBias;

  function attention(t: Recorder, w: Branches, x: Tensor, context: LayerContext, bias: Bias): void {
    const n = normalize(t, x, w.attentionNorm, { dtype: attentionActivations(context, w.attention) });
    project(t, selfAttention(t, w.attention, n, config, context, { scale: 1, bias }), w.attention.output, x);
  }

  function mlp(t: Recorder, w: Branches, x: Tensor, context: LayerContext): void {
    const up = 'gated' in w.mlp ? w.mlp.gated.up : w.mlp.plain.up;
    const m = normalize(t, x, w.mlpNorm, { dtype: activationsFor(context, up.weight) });
    if ('gated' in w.mlp) gatedMlp(t, w.mlp.gated, m, context, x);
    else plainMlp(t, w.mlp.plain, m, context, x);
  }

  /** Attention of decoder rows over the encoder's keys and values. */
  function crossAttention(
    t: Recorder,
    w: DecoderLayer,
    x: Tensor,
    context: LayerContext,
    keys: CacheLayer,
    rows: number,
  ): void {
    const n = normalize(t, x, w.crossNorm, { dtype: activationsFor(context, w.cross.query.weight) });
    const dtype = activationsFor(context, w.cross.output.weight);
    const mixed = t.attention(keys, project(t, n, w.cross.query), everySlot(t, x.rows, rows), { scale: 1, dtype });
    project(t, mixed, w.cross.output, x);
  }

  function decoderOver(memory: PagedCache, rows: number): DecoderNetwork {
    return {
      config,
      headActivations: config.tied ? 'f32' : activationsFor(weights, head),
      embed: (t, ids) => t.embed(embeddings, ids),
      layer(t, index, x, context) {
        const w = layers[index]!;
        t.scope(() => attention(t, w, x, context, decoderBias));
        t.scope(() => crossAttention(t, w, x, context, memory.layer(index), rows));
        t.scope(() => mlp(t, w, x, context));
      },
      finish: (t, x, dtype) => normalize(t, x, finalNorm, { dtype }),
      logits: (t, x) => t.linear(config.tied ? affine(t, x, Math.fround(hiddenSize ** -0.5)) : x, head),
      dispose: () => memory.dispose(),
    };
  }

  /** Rows [rows, hidden] after the encoder's final norm. */
  function encoderRows(t: Recorder, backend: Backend, ids: Int32Array): Tensor {
    const rows = ids.length;
    using cache = new PagedCache(backend, { ...config, layerCount: 1 }, 'f32');
    cache.reserve(0, rows);
    const x = t.embed(embeddings, t.upload(ids));
    const positions = Int32Array.from(ids.keys());
    const { activations } = weights;
    const pattern = { kind: 'full' } as const;
    const context = layerContexts(t, { activations, cache, rotary: {}, pattern, start: 0, rows, positions }).at(0);
    for (const w of encoder) {
      t.scope(() => attention(t, w, x, context, encoderBias));
      t.scope(() => mlp(t, w, x, context));
    }
    const normed = normalize(t, x, encoderNorm);
    t.flush();
    return normed;
  }

  return {
    config,
    encode(backend, ids) {
      const t = new Recorder(backend);
      const memory = new PagedCache(backend, config, 'f32');
      try {
        return t.scope(() => {
          const rows = encoderRows(t, backend, ids);
          memory.reserve(0, ids.length);
          const slots = t.upload(Int32Array.from(ids.keys()));
          layers.forEach(({ cross }, index) => {
            const input =
              activationsFor(weights, cross.key.weight, cross.value.weight) === 'q8' ? t.quantize(rows) : rows;
            t.cacheWrite(memory.layer(index), project(t, input, cross.key), project(t, input, cross.value), slots);
          });
          t.flush();
          return { hidden: rows.floats().slice(), decoder: decoderOver(memory, ids.length) };
        });
      } catch (error) {
        memory.dispose();
        throw error;
      } finally {
        t.dispose();
      }
    },
    dispose: () => weights.all.dispose(),
  };
}
