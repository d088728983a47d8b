/** Softmax and normalisation layers. */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import {
  add,
  affine,
  divide,
  maximum,
  multiply,
  multiplyAdd,
  reciprocalSquareRoot,
  requireFloats,
  select,
  silu,
  square,
  squareRoot,
  subtract,
} from './elementwise.ts';
import { permute, reshape } from './layout.ts';
import { sum } from './reduction.ts';
import { resolveAxis, sameShape } from './shapes.ts';

/** Swaps an axis with the last one; doing it twice restores the order. */
function swappedOrder(rank: number, axis: number): number[] {
  return Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
}

function softmaxAlong(t: Recorder, x: Tensor, axis: number, logarithm: boolean): Tensor {
  requireFloats(x);
  const at = resolveAxis(axis, x.shape.length);
  const order = swappedOrder(x.shape.length, at);
  const source = permute(t, x, order);
  const out = t.empty(source.shape);
  if (x.size > 0)
    t.append(
      'softmax',
      [source],
      [out],
      [...[out.address, source.address, source.rows, source.columns, logarithm ? 1 : 0]],
    );
  t.observe({ kind: 'softmax', logarithm, inputs: [source], outputs: [out] });
  return permute(t, out, order);
}

/** e^x / Σ e^x along an axis; where all are −∞, zeros. */
export function softmax(t: Recorder, x: Tensor, axis = -1): Tensor {
  return softmaxAlong(t, x, axis, false);
}

/** log softmax, as (x − max) − log Σ e^(x − max); where all are −∞, −∞. */
export function logSoftmax(t: Recorder, x: Tensor, axis = -1): Tensor {
  return softmaxAlong(t, x, axis, true);
}

/** softmax(x · scale) of the last axis over the positions where the mask (broadcast) is not 0; zeros elsewhere. */
export function maskedSoftmax(t: Recorder, x: Tensor, mask: Tensor, scale = 1): Tensor {
  const scores = scale === 1 ? x : affine(t, x, scale);
  return softmax(t, select(t, mask, scores, Number.NEGATIVE_INFINITY));
}

function requireEpsilon(epsilon: number): void {
  requireArgument(epsilon >= 0, () => `epsilon must not be negative; received ${epsilon}`);
}

function requireColumns(x: Tensor, ...parameters: (Tensor | undefined)[]): void {
  for (const parameter of parameters)
    requireArgument(
      parameter === undefined || sameShape(parameter.shape, [x.columns]),
      () => `a parameter of shape [${x.columns}] was expected; received [${parameter?.shape}]`,
    );
}

function normalised(t: Recorder, x: Tensor, epsilon: number, centred: boolean): Tensor {
  requireFloats(x);
  requireEpsilon(epsilon);
  const out = t.empty(x.shape);
  if (x.size > 0)
    t.append('normalise', [x], [out], [...[out.address, x.address, 0, 0, x.rows, x.columns, epsilon, centred ? 1 : 0]]);
  t.observe({ kind: 'normalise', epsilon, centred, inputs: [x], outputs: [out] });
  return out;
}

function scaledAndShifted(t: Recorder, x: Tensor, weight?: Tensor, bias?: Tensor): Tensor {
  if (weight !== undefined) return bias !== undefined ? multiplyAdd(t, x, weight, bias) : multiply(t, x, weight);
  return bias !== undefined ? add(t, x, bias) : x;
}

/** (x − mean) / √(variance + epsilon) · weight + bias over the last axis; weight and bias [columns] may be absent. */
export function layerNorm(
  t: Recorder,
  x: Tensor,
  options: { weight?: Tensor; bias?: Tensor; epsilon?: number } = {},
): Tensor {
  const { weight, bias, epsilon = 1e-5 } = options;
  requireColumns(x, weight, bias);
  return scaledAndShifted(t, normalised(t, x, epsilon, true), weight, bias);
}

/** x / √(mean(x²) + epsilon) over the last axis, times weight [columns], or 1 + weight with `onePlusWeight`. */
export function rmsNorm(
  t: Recorder,
  x: Tensor,
  options: { weight?: Tensor; epsilon?: number; onePlusWeight?: boolean } = {},
): Tensor {
  const { weight, epsilon = 1e-5, onePlusWeight = false } = options;
  requireColumns(x, weight);
  const factor = weight !== undefined && onePlusWeight ? affine(t, weight, 1, 1) : weight;
  return scaledAndShifted(t, normalised(t, x, epsilon, false), factor);
}

/** rmsNorm of x · SiLU(gate), each group of `groupSize` columns by itself, times weight [columns]. Mamba-2. */
export function gatedRmsNorm(
  t: Recorder,
  x: Tensor,
  gate: Tensor,
  weight: Tensor,
  options: { groupSize?: number; epsilon?: number } = {},
): Tensor {
  const { groupSize = x.columns, epsilon = 1e-5 } = options;
  requireArgument(
    groupSize > 0 && Number.isInteger(x.columns / groupSize),
    () => `a group size that divides ${x.columns} columns was expected; received ${groupSize}`,
  );
  requireColumns(x, weight);
  const gated = multiply(t, x, silu(t, gate));
  const groups = reshape(t, gated, [...x.shape.slice(0, -1), x.columns / groupSize, groupSize]);
  return multiply(t, reshape(t, normalised(t, groups, epsilon, false), x.shape), weight);
}

/** Parameters [channels] laid along axis 1 of a tensor of `rank` axes. */
function alongChannels(t: Recorder, parameter: Tensor | undefined, x: Tensor): Tensor | undefined {
  if (parameter === undefined) return undefined;
  const channels = x.shape[1];
  requireArgument(
    parameter.size === channels,
    () => `a parameter for each of ${channels} channels was expected; received shape [${parameter.shape}]`,
  );
  return reshape(t, parameter, [channels, ...x.shape.slice(2).map(() => 1)]);
}

/** Normalises [batch, channels, …] over groups of neighbouring channels and all positions, then weight and bias [channels]. */
export function groupNorm(
  t: Recorder,
  x: Tensor,
  groups: number,
  options: { weight?: Tensor; bias?: Tensor; epsilon?: number } = {},
): Tensor {
  const [batch, channels] = x.shape;
  requireArgument(
    batch !== undefined && channels !== undefined && groups >= 1 && Number.isInteger(channels / groups),
    () =>
      `[batch, channels, …] with a number of groups that divides the channels was expected; received [${x.shape}] and ${groups}`,
  );
  const inGroups = reshape(t, x, [batch, groups, batch === 0 ? 0 : x.size / batch / groups]);
  const flat = reshape(t, normalised(t, inGroups, options.epsilon ?? 1e-5, true), x.shape);
  return scaledAndShifted(t, flat, alongChannels(t, options.weight, x), alongChannels(t, options.bias, x));
}

/** (x − mean) / √(variance + epsilon) · weight + bias by channel (axis 1) with running statistics. */
export function batchNormInference(
  t: Recorder,
  x: Tensor,
  statistics: { mean: Tensor; variance: Tensor },
  options: { weight?: Tensor; bias?: Tensor; epsilon?: number } = {},
): Tensor {
  const { epsilon = 1e-5 } = options;
  requireEpsilon(epsilon);
  const centred = subtract(t, x, alongChannels(t, statistics.mean, x)!);
  const scale = reciprocalSquareRoot(t, affine(t, statistics.variance, 1, epsilon));
  const normal = multiply(t, centred, alongChannels(t, scale, x)!);
  return scaledAndShifted(t, normal, alongChannels(t, options.weight, x), alongChannels(t, options.bias, x));
}

/** x / max(‖x‖, epsilon) over the last axis. */
export function l2Normalise(t: Recorder, x: Tensor, epsilon = 1e-12): Tensor {
  const norm = squareRoot(t, sum(t, square(t, x), { axes: [-1], keepDimensions: true }));
  return divide(t, x, maximum(t, norm, epsilon));
}
