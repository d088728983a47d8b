/**
 * Vision transformers: ViT (Dosovitskiy et al., 2021), and the towers of CLIP (Radford et al., 2021) and SigLIP (Zhai et al., 2023).
 *
 *   x = [class token; patches · Wp] + positions,      a norm after that in CLIP
 *   x ← x + attention(layerNorm x),  x ← x + mlp(layerNorm x)
 *
 * They differ in what sums an image up: ViT's tanh(W · class row), CLIP's normed class row, SigLIP's attention of a learned
 * probe over all rows.
 */
import { type Backend, Recorder, type Tensor } from '@gallop/tensor';
import { add, concatenate, tanh } from '@gallop/tensor/operations';
import type { Activation } from '../blocks/activation.ts';
import {
  type Attention,
  attentionActivations,
  type HeadShape,
  loadAttention,
  selfAttention,
} from '../blocks/attention.ts';
import { loadPlainMlp, type PlainMlp, plainMlp } from '../blocks/mlp.ts';
import { loadLayerNorm, type Norm, normalize } from '../blocks/norm.ts';
import { loadProjection, type Projection, project } from '../blocks/projection.ts';
import { activationsFor } from '../loading/model-weights.ts';
import type { NamedWeights } from '../loading/named-weights.ts';
import { everySlot, layerContexts } from '../runtime/layer-context.ts';
import type { LayerContext } from '../runtime/network.ts';
import { PagedCache } from '../runtime/paged-cache.ts';

export interface VisionTowerConfig extends HeadShape {
  readonly architecture: string;
  readonly layerCount: number;
  readonly feedForwardSize: number;
  readonly normEpsilon: number;
  readonly channels: number;
  /** Pixels of an image, and of the square patches that it is cut into. */
  readonly height: number;
  readonly width: number;
  readonly patchSize: number;
  readonly classToken: boolean;
  readonly patchBias: boolean;
  readonly bias: boolean;
  /** A norm before the first layer. */
  readonly entryNorm: boolean;
  /** Whether `lastHidden` has passed the final norm. */
  readonly normedOutput: boolean;
  readonly pooling: 'none' | 'dense' | 'norm' | 'attention';
  readonly activation: Activation;
}

/** What a tower makes of images. */
export interface EncodedImages {
  /** Rows of each image: its class token where there is one, then its patches from the top left. */
  readonly rows: number;
  /** Per wanted layer (0 = what enters the first): [images × rows × hidden]. */
  readonly hidden: ReadonlyMap<number, Float32Array>;
  /** [images × rows × hidden] */
  readonly lastHidden: Float32Array;
  /** One row for each image, where the tower pools. [images × hidden] */
  readonly pooled?: Float32Array;
}

export interface VisionTowerNetwork {
  readonly config: VisionTowerConfig;
  /** Rows of an image. */
  readonly rows: number;
  /** Normalised pixels [channels, height, width] of one image. */
  encode(backend: Backend, pixels: Float32Array, hidden: readonly number[]): EncodedImages;
  dispose(): void;
}

interface TowerLayer {
  readonly attentionNorm: Norm;
  readonly attention: Attention;
  readonly mlpNorm: Norm;
  readonly mlp: PlainMlp;
}

async function loadLayer(weights: NamedWeights, config: VisionTowerConfig): Promise<TowerLayer> {
  const { hiddenSize, normEpsilon, bias, activation } = config;
  return {
    attentionNorm: await loadLayerNorm(weights, 'attentionNorm', hiddenSize, normEpsilon),
    attention: await loadAttention(weights, config, { bias, outputBias: true }),
    mlpNorm: await loadLayerNorm(weights, 'mlpNorm', hiddenSize, normEpsilon),
    mlp: await loadPlainMlp(weights, config, activation),
  };
}

/** Patches of an image as rows [patches, channels · patch · patch], channel by channel. */
export function patchRows(pixels: Float32Array, config: VisionTowerConfig): Float32Array {
  const { channels, height, width, patchSize } = config;
  const [down, across] = [Math.floor(height / patchSize), Math.floor(width / patchSize)];
  const rows = new Float32Array(down * across * channels * patchSize * patchSize);
  let at = 0;
  for (let patch = 0; patch < down * across; patch++)
    for (let channel = 0; channel < channels; channel++)
      for (let y = 0; y < patchSize; y++) {
        const line = channel * height + Math.floor(patch / across) * patchSize + y;
        const from = line * width + (patch % across) * patchSize;
        rows.set(pixels.subarray(from, from + patchSize), at);
        at += patchSize;
      }
  return rows;
}

type Pool = (t: Recorder, normed: Tensor, cache: PagedCache) => Tensor;

/** Loads what pools an image; given rows after the final norm. */
async function loadPool(weights: NamedWeights, config: VisionTowerConfig): Promise<Pool | undefined> {
  const { hiddenSize, normEpsilon, activation, pooling } = config;
  const firstRow = (t: Recorder, x: Tensor): Tensor => t.copyRows(x, t.upload(Int32Array.of(0)));
  if (pooling === 'none') return undefined;
  if (pooling === 'norm') return (t, normed) => firstRow(t, normed);
  if (pooling === 'dense') {
    const dense = await loadProjection(weights, 'pooler', hiddenSize, hiddenSize, { bias: true });
    return (t, normed) => tanh(t, project(t, firstRow(t, normed), dense));
  }
  const parts = { queryKeyValue: 'headQueryKeyValue', attentionOutput: 'headOutput', up: 'headUp', down: 'headDown' };
  const own = weights.renamed(parts);
  const probe = await weights.vector('probe', hiddenSize);
  const w = await loadAttention(own, config, { bias: true, outputBias: true, fused: 'stacked' });
  const norm = await loadLayerNorm(weights, 'headNorm', hiddenSize, normEpsilon);
  const mlp = await loadPlainMlp(own, config, activation);
  return (t, normed, cache) => {
    const slots = t.upload(Int32Array.from({ length: normed.rows }, (_, row) => row));
    t.cacheWrite(cache.layer(0), project(t, normed, w.key), project(t, normed, w.value), slots);
    const q = project(t, probe, w.query); // [1, hidden]
    const mixed = t.attention(cache.layer(0), q, everySlot(t, 1, normed.rows), { scale: headScale(config) });
    const y = project(t, mixed, w.output);
    return plainMlp(t, mlp, normalize(t, y, norm), { activations: 'f32' }, y);
  };
}

const headScale = ({ headSize }: HeadShape): number => Math.fround(headSize ** -0.5);

/** @throws GallopError `invalid-file` for weights that do not fit the configuration */
export async function loadVisionTowerNetwork(
  weights: NamedWeights,
  config: VisionTowerConfig,
): Promise<VisionTowerNetwork> {
  const { hiddenSize, normEpsilon, channels, patchSize, classToken } = config;
  const patches = Math.floor(config.height / patchSize) * Math.floor(config.width / patchSize);
  const rows = patches + (classToken ? 1 : 0);
  const norm = (part: string): Promise<Norm> => loadLayerNorm(weights, part, hiddenSize, normEpsilon);
  const patchColumns = channels * patchSize * patchSize;
  const patchProjection: Projection = await loadProjection(weights, 'patches', hiddenSize, patchColumns, {
    bias: config.patchBias,
  });
  const classRow = classToken
    ? weights.all.place(await weights.values('classToken', [hiddenSize]), [1, hiddenSize])
    : undefined;
  const positions = weights.all.place(await weights.values('positions', [rows, hiddenSize]), [rows, hiddenSize]);
  const entryNorm = config.entryNorm ? await norm('entryNorm') : undefined;
  const layers: TowerLayer[] = [];
  for (let index = 0; index < config.layerCount; index++) layers.push(await loadLayer(weights.at(index), config));
  const finalNorm = await norm('finalNorm');
  const pool = await loadPool(weights, config);

  function enter(t: Recorder, pixels: Float32Array): Tensor {
    const seen = project(t, t.upload(patchRows(pixels, config), [patches, patchColumns]), patchProjection);
    const x = add(t, classRow ? concatenate(t, [classRow, seen], 0) : seen, positions); // [rows, hidden]
    return entryNorm ? normalize(t, x, entryNorm) : x;
  }

  function layer(t: Recorder, w: TowerLayer, x: Tensor, context: LayerContext): void {
    const n = normalize(t, x, w.attentionNorm, { dtype: attentionActivations(context, w.attention) });
    project(t, selfAttention(t, w.attention, n, config, context, { scale: headScale(config) }), w.attention.output, x);
    const m = normalize(t, x, w.mlpNorm, { dtype: activationsFor(context, w.mlp.up.weight) });
    plainMlp(t, w.mlp, m, context, x);
  }

  return {
    config,
    rows,
    encode(backend, pixels, wanted) {
      const t = new Recorder(backend);
      using cache = new PagedCache(backend, { ...config, layerCount: 1 }, 'f32');
      try {
        cache.reserve(0, rows);
        return t.scope(() => {
          const hidden = new Map<number, Float32Array>();
          const x = enter(t, pixels);
          const { activations } = weights;
          const slots = Int32Array.from({ length: rows }, (_, row) => row);
          const state = {
            activations,
            cache,
            rotary: {},
            pattern: { kind: 'full' },
            start: 0,
            rows,
            positions: slots,
          } as const;
          const context = layerContexts(t, state).at(0);
          for (let index = 0; index <= layers.length; index++) {
            if (wanted.includes(index)) {
              t.flush();
              hidden.set(index, x.floats().slice());
            }
            if (index < layers.length) t.scope(() => layer(t, layers[index]!, x, context));
          }
          const normed = normalize(t, x, finalNorm);
          const pooled = pool?.(t, normed, cache);
          t.flush();
          const lastHidden = (config.normedOutput ? normed : x).floats().slice();
          return { rows, hidden, lastHidden, ...(pooled && { pooled: pooled.floats().slice() }) };
        });
      } finally {
        t.dispose();
      }
    },
    dispose: () => weights.all.dispose(),
  };
}
