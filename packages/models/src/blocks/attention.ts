/**
 * Multi-head attention with grouped keys: projections, optional norms of each query and key head, optional rotation, and
 * what the session's state makes of it.
 *
 *   o = attention(rope(norm Wq n), rope(norm Wk n), Wv n),   Wo o
 */
import { type Recorder, Tensor } from '@gallop/tensor';
import { activationsFor } from '../loading/model-weights.ts';
import type { NamedWeights } from '../loading/named-weights.ts';
import type { AttendOptions, LayerContext } from '../runtime/network.ts';
import { type Norm, normalize } from './norm.ts';
import { loadProjection, type Projection, type ProjectionOptions, project } from './projection.ts';

export interface HeadShape {
  readonly hiddenSize: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly headSize: number;
}

export interface Attention {
  readonly query: Projection; // [heads · headSize, hidden]
  readonly key: Projection; // [keyHeads · headSize, hidden]
  readonly value: Projection; // [keyHeads · headSize, hidden]
  readonly output: Projection; // [hidden, heads · headSize]
  /** Norms of single heads, of weights [headSize]. */
  readonly queryNorm?: Norm;
  readonly keyNorm?: Norm;
}

export interface AttentionLoading {
  /** Biases of query, key and value. */
  readonly bias?: ProjectionOptions['bias'];
  readonly outputBias?: ProjectionOptions['bias'];
  /** How a part `queryKeyValue` is laid out: all queries, all keys, all values; or the three of each head together. */
  readonly fused?: 'stacked' | 'perHead';
  /** Fused and output matrices are stored [inputs, outputs]. */
  readonly transposed?: boolean;
}

/** Loads the parts query, key, value (or queryKeyValue) and attentionOutput of a layer. @throws GallopError `invalid-file` */
export async function loadAttention(
  weights: NamedWeights,
  { hiddenSize, heads, keyHeads, headSize }: HeadShape,
  { bias, outputBias, fused, transposed = false }: AttentionLoading = {},
): Promise<Omit<Attention, 'queryNorm' | 'keyNorm'>> {
  const [wide, narrow] = [heads * headSize, keyHeads * headSize];
  const total = wide + 2 * narrow;
  const load = (part: string, index: number, rows: number): Promise<Projection> => {
    const options = bias === undefined ? {} : { bias };
    if (!fused) return loadProjection(weights, part, rows, hiddenSize, options);
    const selection =
      fused === 'stacked'
        ? { first: [0, wide, wide + narrow][index]!, total, transposed }
        : { first: index * headSize, total, run: headSize, stride: 3 * headSize };
    return loadProjection(weights, 'queryKeyValue', rows, hiddenSize, { ...options, selection });
  };
  return {
    query: await load('query', 0, wide),
    key: await load('key', 1, narrow),
    value: await load('value', 2, narrow),
    output: await loadProjection(weights, 'attentionOutput', hiddenSize, wide, {
      ...(outputBias !== undefined && { bias: outputBias }),
      ...(transposed && { selection: { first: 0, total: hiddenSize, transposed } }),
    }),
  };
}

/** Kind of activations that the attention's input takes. */
export function attentionActivations(context: { readonly activations: 'q8' | 'f32' }, w: Attention): 'q8' | 'f32' {
  return activationsFor(context, w.query.weight, w.key.weight, w.value.weight);
}

/** The same rows seen as one row per head: [rows, heads · headSize] → [rows · heads, headSize]. */
function byHead(x: Tensor, headSize: number): Tensor {
  return new Tensor(x.memory, x.byteOffset, [(x.rows * x.columns) / headSize, headSize], x.dtype);
}

export interface SelfAttentionOptions extends Omit<AttendOptions, 'dtype'> {
  /** Rotary settings by name, or none for a layer without rotation. */
  readonly rotary?: string | undefined;
}

/** Normed rows n [rows, hidden] → what Wo takes [rows, heads · headSize]; the keys and values join the state. */
export function selfAttention(
  t: Recorder,
  w: Attention,
  n: Tensor,
  { heads, keyHeads, headSize }: HeadShape,
  context: LayerContext,
  { rotary, ...options }: SelfAttentionOptions,
): Tensor {
  const q = project(t, n, w.query); // [rows, heads · headSize]
  const k = project(t, n, w.key); // [rows, keyHeads · headSize]
  const v = project(t, n, w.value);
  if (w.queryNorm) normalize(t, byHead(q, headSize), w.queryNorm, { inPlace: true });
  if (w.keyNorm) normalize(t, byHead(k, headSize), w.keyNorm, { inPlace: true });
  if (rotary !== undefined) {
    context.rotate(q, heads, rotary);
    context.rotate(k, keyHeads, rotary);
  }
  return context.attend(q, k, v, { ...options, dtype: activationsFor(context, w.output.weight) });
}
