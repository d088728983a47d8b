/**
 * Softmax attention over dense keys and values (for encoders, cross-attention and training; decoding reads a paged cache,
 * see Recorder.attention), and the joining of attention over several segments of keys by online softmax.
 */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { add, affine, divide, exp, log, maximum, multiply, select, subtract, tanh } from './elementwise.ts';
import { broadcastTo, concatenate, reshape, sliceAxis } from './layout.ts';
import { matmul } from './matmul.ts';
import { softmax } from './normalisation.ts';
import { largest, sum } from './reduction.ts';

export interface DenseAttentionOptions {
  /** Default: 1 / √size. */
  readonly scale?: number;
  /** c · tanh(score / c) before bias and mask. Default: none. */
  readonly softcap?: number;
  /** Added to the scores; broadcasts to [batch, query heads, queries, keys]. */
  readonly bias?: Tensor;
  /** 0 where a key is not seen; broadcasts as the bias does. */
  readonly mask?: Tensor;
  /** A query sees no later key. With more keys than queries, query i stands at keys − queries + i. Default: false. */
  readonly causal?: boolean;
  /** A query sees the last `window` keys up to its position. Default: all. */
  readonly window?: number;
  /** One more logit for each query head [query heads], used as it is: it takes mass and has no value. */
  readonly sinks?: Tensor;
}

/** 1 where a query sees a key by position. → [queries, keys] */
function positionMask(t: Recorder, queries: number, keys: number, window: number): Tensor {
  const seen = new Float32Array(queries * keys);
  for (let query = 0; query < queries; query++) {
    const position = keys - queries + query;
    const first = Math.max(0, position - window + 1);
    if (position >= first) seen.fill(1, query * keys + first, query * keys + position + 1);
  }
  return t.upload(seen, [queries, keys]);
}

/**
 * softmax(scale · q kᵀ + …) v. query [batch, query heads, queries, size], key and value [batch, key heads, keys, size];
 * query head h reads key head ⌊h · key heads / query heads⌋. A query that sees nothing gives zeros.
 */
export function denseAttention(
  t: Recorder,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: DenseAttentionOptions = {},
): Tensor {
  const [batch, heads, queries, size] = requireAxes(query, 'a query');
  const [keyBatch, keyHeads, keys, keySize] = requireAxes(key, 'a key');
  const [valueBatch, valueHeads, valueKeys, valueSize] = requireAxes(value, 'a value');
  requireArgument(
    keyBatch === batch && valueBatch === batch && valueHeads === keyHeads && valueKeys === keys && keySize === size,
    () =>
      `queries, keys and values of one batch, length and size were expected; received [${query.shape}], [${key.shape}], [${value.shape}]`,
  );
  requireArgument(
    Number.isInteger(heads / keyHeads),
    () => `query heads must be a multiple of ${keyHeads} key heads; received ${heads}`,
  );
  const group = heads / keyHeads;
  const { scale = 1 / Math.sqrt(size), softcap = 0, bias } = options;
  const grouped = reshape(t, query, [batch, keyHeads, group * queries, size]);
  let scores = affine(t, matmul(t, grouped, key, { transposeRight: true }), scale);
  if (softcap > 0) scores = affine(t, tanh(t, affine(t, scores, 1 / softcap)), softcap);
  scores = reshape(t, scores, [batch, heads, queries, keys]);
  if (bias !== undefined) scores = add(t, scores, bias);
  const probabilities = attend(t, masked(t, scores, options), options.sinks);
  const mixed = matmul(t, reshape(t, probabilities, [batch, keyHeads, group * queries, keys]), value);
  return reshape(t, mixed, [batch, heads, queries, valueSize]);
}

function requireAxes(x: Tensor, what: string): [number, number, number, number] {
  requireArgument(
    x.shape.length === 4,
    () => `${what} of [batch, heads, length, size] was expected; received shape [${x.shape}]`,
  );
  return x.shape as unknown as [number, number, number, number];
}

function masked(t: Recorder, scores: Tensor, options: DenseAttentionOptions): Tensor {
  const [queries, keys] = scores.shape.slice(-2) as [number, number];
  const { window, causal = false, mask } = options;
  requireArgument(
    window === undefined || (Number.isInteger(window) && window >= 1),
    () => `a window of at least one key was expected; received ${window}`,
  );
  let result = scores;
  if (causal || window !== undefined)
    result = select(t, positionMask(t, queries, keys, window ?? keys), result, Number.NEGATIVE_INFINITY);
  if (mask !== undefined) result = select(t, mask, result, Number.NEGATIVE_INFINITY);
  requireArgument(
    result.shape.length === 4 && result.size === scores.size,
    () => `a mask that broadcasts to [${scores.shape}] was expected; received [${mask?.shape}]`,
  );
  return result;
}

function attend(t: Recorder, scores: Tensor, sinks: Tensor | undefined): Tensor {
  if (sinks === undefined) return softmax(t, scores);
  const [batch, heads, queries, keys] = scores.shape as [number, number, number, number];
  const extra = broadcastTo(t, reshape(t, sinks, [1, heads, 1, 1]), [batch, heads, queries, 1]);
  return sliceAxis(t, softmax(t, concatenate(t, [scores, extra], 3)), 3, 0, keys);
}

/** Attention over one segment of keys, before it is joined with others. */
export interface AttentionSegment {
  /** Largest score of each row [heads, queries]. */
  readonly maximum: Tensor;
  /** Σ e^(score − maximum) [heads, queries]. */
  readonly sum: Tensor;
  /** Normalised output [heads, queries, size]. */
  readonly output: Tensor;
}

/** Attention of query [heads, queries, size] over one segment's key and value [heads, keys, size]. */
export function attendSegment(t: Recorder, query: Tensor, key: Tensor, value: Tensor, scale: number): AttentionSegment {
  const scores = affine(t, matmul(t, query, key, { transposeRight: true }), scale);
  const top = largest(t, scores, { axes: [-1], keepDimensions: true });
  const powers = exp(t, subtract(t, scores, top));
  const total = sum(t, powers, { axes: [-1], keepDimensions: true });
  const rows = query.shape.slice(0, -1);
  return {
    maximum: reshape(t, top, rows),
    sum: reshape(t, total, rows),
    output: divide(t, matmul(t, powers, value), total),
  };
}

/** Joins segments into attention over all their keys. → output and log Σ e^score [heads, queries] */
export function mergeSegments(
  t: Recorder,
  segments: readonly AttentionSegment[],
): { output: Tensor; logSumExp: Tensor } {
  const [first, ...rest] = segments;
  requireArgument(first !== undefined, () => 'at least one segment was expected; received none');
  const top = rest.reduce((best, segment) => maximum(t, best, segment.maximum), first.maximum);
  let total: Tensor | undefined;
  let mixed: Tensor | undefined;
  for (const segment of segments) {
    const mass = multiply(t, segment.sum, exp(t, subtract(t, segment.maximum, top)));
    const part = multiply(t, segment.output, reshape(t, mass, [...mass.shape, 1]));
    total = total === undefined ? mass : add(t, total, mass);
    mixed = mixed === undefined ? part : add(t, mixed, part);
  }
  return {
    output: divide(t, mixed!, reshape(t, total!, [...total!.shape, 1])),
    logSumExp: add(t, top, log(t, total!)),
  };
}
