/**
 * Convolutions: images are unfolded into the windows under the kernel, and the windows multiplied with the weights. The
 * transposed convolution runs the other way. Causal depthwise convolutions (Mamba) sum shifted products directly.
 */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { add, multiply, multiplyAdd, requireFloats, silu } from './elementwise.ts';
import { concatenate, full, reshape, sliceAxis } from './layout.ts';
import { matmul } from './matmul.ts';
import { resolveAxis } from './shapes.ts';
import type { WindowGeometry } from './steps.ts';

/** A number for both directions, or [height, width]. */
export type Pair = number | readonly [number, number];

export interface ConvolutionOptions {
  readonly bias?: Tensor;
  /** Default: 1. */
  readonly stride?: Pair;
  /** Zeros around the image. Default: 0. */
  readonly padding?: Pair;
  /** Default: 1. */
  readonly dilation?: Pair;
  /** Default: 1. */
  readonly groups?: number;
}

export function pairOf(value: Pair, least: number, what: string): readonly [number, number] {
  const pair = typeof value === 'number' ? ([value, value] as const) : value;
  requireArgument(
    pair.length === 2 && pair.every((x) => Number.isSafeInteger(x) && x >= least),
    () => `${what} must be integers of at least ${least}; received ${value}`,
  );
  return pair;
}

export function windowGeometry(
  window: Pair,
  options: { stride?: Pair; padding?: Pair; dilation?: Pair },
): WindowGeometry {
  return {
    window: pairOf(window, 1, 'window sizes'),
    stride: pairOf(options.stride ?? 1, 1, 'strides'),
    padding: pairOf(options.padding ?? 0, 0, 'paddings'),
    dilation: pairOf(options.dilation ?? 1, 1, 'dilations'),
  };
}

/** How many windows fit along an axis. @throws GallopError `invalid-argument` when none does */
export function windowCount(size: number, geometry: WindowGeometry, axis: 0 | 1): number {
  const { window, stride, padding, dilation } = geometry;
  const reach = dilation[axis] * (window[axis] - 1) + 1;
  const count = Math.floor((size + 2 * padding[axis] - reach) / stride[axis]) + 1;
  requireArgument(
    count >= 1,
    () =>
      `a window of ${reach} must fit an axis of ${size} with padding ${padding[axis]}; use a smaller kernel or more padding`,
  );
  return count;
}

function geometryOperands(
  planes: number,
  image: readonly [number, number],
  geometry: WindowGeometry,
  counts: readonly [number, number],
): number[] {
  const { window, stride, padding, dilation } = geometry;
  return [planes, ...image, ...window, ...stride, ...padding, ...dilation, ...counts];
}

/**
 * Images [planes, height, width] as windows, cells outside the image holding `fill`.
 * → [planes, window cells, out height · out width]; `counts` are the windows along both axes, by default all that fit
 */
export function unfold(
  t: Recorder,
  x: Tensor,
  geometry: WindowGeometry,
  fill = 0,
  counts: readonly [number, number] = [windowCount(x.shape[1]!, geometry, 0), windowCount(x.shape[2]!, geometry, 1)],
): Tensor {
  requireFloats(x);
  const [planes, height, width] = x.shape as [number, number, number];
  const out = t.empty([planes, ...geometry.window, ...counts]);
  if (out.size > 0)
    t.append(
      'unfold',
      [x],
      [out],
      [out.address, x.address, fill, ...geometryOperands(planes, [height, width], geometry, counts)],
    );
  t.observe({ kind: 'unfold', geometry, inputs: [x], outputs: [out] });
  return reshape(t, out, [planes, geometry.window[0] * geometry.window[1], counts[0] * counts[1]]);
}

/** Windows [planes, window height, window width, out height, out width] summed where they overlap. → [planes, height, width] */
export function fold(t: Recorder, x: Tensor, geometry: WindowGeometry, image: readonly [number, number]): Tensor {
  requireFloats(x);
  const [planes, , , rows, columns] = x.shape as [number, number, number, number, number];
  const out = t.empty([planes, ...image]);
  if (out.size > 0)
    t.append(
      'fold',
      [x],
      [out],
      [...[out.address, x.address, 0, ...geometryOperands(planes, image, geometry, [rows, columns])]],
    );
  t.observe({ kind: 'fold', geometry, inputs: [x], outputs: [out] });
  return out;
}

function withBias(t: Recorder, x: Tensor, bias: Tensor | undefined): Tensor {
  if (bias === undefined) return x;
  const channels = x.shape[1]!;
  requireArgument(
    bias.size === channels,
    () => `a bias for each of ${channels} outputs was expected; received shape [${bias.shape}]`,
  );
  return add(t, x, reshape(t, bias, [channels, 1, 1]));
}

function requireImages(x: Tensor, weight: Tensor): void {
  requireArgument(
    x.shape.length === 4 && weight.shape.length === 4,
    () =>
      `[batch, channels, height, width] and a weight of four axes were expected; received [${x.shape}] and [${weight.shape}]`,
  );
}

function requireGroups(groups: number, ...channels: readonly number[]): void {
  requireArgument(
    Number.isInteger(groups) && groups >= 1 && channels.every((count) => count % groups === 0),
    () => `a number of groups that divides ${channels.join(' and ')} channels was expected; received ${groups}`,
  );
}

/** x [batch, channels, height, width], weight [outputs, channels / groups, kernel height, kernel width]. */
export function conv2d(t: Recorder, x: Tensor, weight: Tensor, options: ConvolutionOptions = {}): Tensor {
  requireImages(x, weight);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [outputs, perGroup, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  const { groups = 1 } = options;
  requireGroups(groups, channels, outputs);
  requireArgument(
    perGroup * groups === channels,
    () => `a weight for ${channels / groups} channels a group was expected; received ${perGroup}`,
  );
  const geometry = windowGeometry([kernelHeight, kernelWidth], options);
  const columns = unfold(t, reshape(t, x, [batch * channels, height, width]), geometry);
  const cells = perGroup * kernelHeight * kernelWidth;
  const counts = [windowCount(height, geometry, 0), windowCount(width, geometry, 1)] as const;
  const product = matmul(
    t,
    reshape(t, weight, [groups, outputs / groups, cells]),
    reshape(t, columns, [batch, groups, cells, counts[0] * counts[1]]),
  );
  return withBias(t, reshape(t, product, [batch, outputs, ...counts]), options.bias);
}

/** x [batch, channels, length], weight [outputs, channels / groups, kernel]; options are numbers. */
export function conv1d(
  t: Recorder,
  x: Tensor,
  weight: Tensor,
  options: { bias?: Tensor; stride?: number; padding?: number; dilation?: number; groups?: number } = {},
): Tensor {
  requireArgument(
    x.shape.length === 3 && weight.shape.length === 3,
    () =>
      `[batch, channels, length] and a weight of three axes were expected; received [${x.shape}] and [${weight.shape}]`,
  );
  const { bias, stride = 1, padding = 0, dilation = 1, groups } = options;
  const line = (x: Tensor): Tensor => reshape(t, x, [x.shape[0]!, x.shape[1]!, 1, x.shape[2]!]);
  const out = conv2d(t, line(x), line(weight), {
    ...(bias === undefined ? {} : { bias }),
    ...(groups === undefined ? {} : { groups }),
    stride: [1, stride],
    padding: [0, padding],
    dilation: [1, dilation],
  });
  return reshape(t, out, [out.shape[0]!, out.shape[1]!, out.shape[3]!]);
}

/** x [batch, channels, height, width], weight [channels, outputs / groups, kernel height, kernel width]. */
export function conv2dTransposed(
  t: Recorder,
  x: Tensor,
  weight: Tensor,
  options: ConvolutionOptions & { outputPadding?: Pair } = {},
): Tensor {
  requireImages(x, weight);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [inputs, perGroup, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  const { groups = 1 } = options;
  requireGroups(groups, channels);
  requireArgument(inputs === channels, () => `a weight for ${channels} channels was expected; received ${inputs}`);
  const geometry = windowGeometry([kernelHeight, kernelWidth], options);
  const extra = pairOf(options.outputPadding ?? 0, 0, 'output paddings');
  const { stride, padding, dilation, window } = geometry;
  const image = [height, width].map(
    (size, i) => (size - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (window[i]! - 1) + extra[i]! + 1,
  ) as [number, number];
  requireArgument(
    image.every((size) => size >= 1) && extra.every((count, i) => count < Math.max(stride[i]!, dilation[i]!)),
    () =>
      `an output of at least one pixel and output padding below the stride were expected; received [${image}] and [${extra}]`,
  );
  const cells = perGroup * kernelHeight * kernelWidth;
  const columns = matmul(
    t,
    reshape(t, weight, [groups, channels / groups, cells]),
    reshape(t, x, [batch, groups, channels / groups, height * width]),
    { transposeLeft: true },
  );
  const windows = reshape(t, columns, [batch * groups * perGroup, kernelHeight, kernelWidth, height, width]);
  return withBias(t, reshape(t, fold(t, windows, geometry, image), [batch, groups * perGroup, ...image]), options.bias);
}

/** One patch of `weight`'s kernel each: a convolution whose stride is its kernel. → [batch, patches, outputs], row by row */
export function patchEmbedding(t: Recorder, x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  requireImages(x, weight);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [outputs, inputs, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  requireArgument(inputs === channels, () => `a weight for ${channels} channels was expected; received ${inputs}`);
  const geometry = windowGeometry([kernelHeight, kernelWidth], { stride: [kernelHeight, kernelWidth] });
  const columns = unfold(t, reshape(t, x, [batch * channels, height, width]), geometry);
  const cells = channels * kernelHeight * kernelWidth;
  const patches = reshape(t, columns, [batch, cells, columns.shape[2]!]);
  const product = matmul(t, patches, reshape(t, weight, [outputs, cells]), {
    transposeLeft: true,
    transposeRight: true,
  });
  return bias === undefined ? product : add(t, product, bias);
}

export interface CausalConvolutionOptions {
  readonly bias?: Tensor;
  /** The kernel − 1 inputs before x, laid out as x. Default: zeros. */
  readonly state?: Tensor;
  /** Default: none. */
  readonly activation?: 'silu' | 'none';
  /** Where x has its time: −1 for [batch, channels, length], −2 for [batch, length, channels]. Default: −1. */
  readonly timeAxis?: -1 | -2;
}

/**
 * Each channel by its own kernel over itself and the inputs before it; weight [channels, kernel].
 * → output laid out as x, and the last kernel − 1 inputs, from which the next call goes on
 */
export function causalDepthwiseConvolution(
  t: Recorder,
  x: Tensor,
  weight: Tensor,
  options: CausalConvolutionOptions = {},
): { output: Tensor; state: Tensor } {
  const { bias, activation = 'none', timeAxis = -1 } = options;
  requireArgument(
    x.shape.length === 3 && weight.shape.length === 2,
    () => `three axes and a weight of [channels, kernel] were expected; received [${x.shape}] and [${weight.shape}]`,
  );
  requireArgument(
    activation === 'silu' || activation === 'none',
    () => `an activation must be silu or none; received ${activation}`,
  );
  const time = resolveAxis(timeAxis, 3);
  const channelAxis = time === 2 ? 1 : 2;
  const [channels, kernel] = weight.shape as [number, number];
  const length = x.shape[time]!;
  requireArgument(
    x.shape[channelAxis] === channels && kernel >= 1,
    () => `a kernel for each of ${x.shape[channelAxis]} channels was expected; received weight [${weight.shape}]`,
  );
  const stateShape = x.shape.map((size, axis) => (axis === time ? kernel - 1 : size));
  const state = options.state ?? full(t, stateShape, 0);
  const joined = concatenate(t, [state, x], time);
  requireArgument(
    joined.shape[time] === length + kernel - 1,
    () => `a state of shape [${stateShape}] was expected; received [${state.shape}]`,
  );
  const perChannel = (values: Tensor): Tensor => reshape(t, values, time === 2 ? [channels, 1] : [channels]);
  let output = bias === undefined ? undefined : perChannel(bias);
  for (let k = 0; k < kernel; k++) {
    const shifted = sliceAxis(t, joined, time, k, k + length);
    const factor = perChannel(sliceAxis(t, weight, 1, k, k + 1));
    output = output === undefined ? multiply(t, shifted, factor) : multiplyAdd(t, shifted, factor, output);
  }
  return {
    output: activation === 'silu' ? silu(t, output!) : output!,
    state: sliceAxis(t, joined, time, length, length + kernel - 1),
  };
}
