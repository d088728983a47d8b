/** Pooling over [batch, channels, height, width]. */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { type Pair, pairOf, unfold, windowCount, windowGeometry } from './convolution.ts';
import { affine, multiply } from './elementwise.ts';
import { reshape } from './layout.ts';
import { largest, sum } from './reduction.ts';
import { resample } from './resampling.ts';
import type { WindowGeometry } from './steps.ts';

export interface PoolOptions {
  /** Default: the kernel. */
  readonly stride?: Pair;
  /** At most half the kernel. Default: 0. */
  readonly padding?: Pair;
}

interface Pool {
  /** [planes, window cells, out height · out width] */
  readonly windows: Tensor;
  readonly geometry: WindowGeometry;
  readonly shape: readonly [number, number, number, number];
}

function requireImage(x: Tensor): [number, number, number, number] {
  requireArgument(
    x.shape.length === 4,
    () => `[batch, channels, height, width] was expected; received shape [${x.shape}]`,
  );
  return x.shape as unknown as [number, number, number, number];
}

function poolWindows(t: Recorder, x: Tensor, kernel: Pair, options: PoolOptions, fill: number): Pool {
  const [batch, channels, height, width] = requireImage(x);
  const geometry = windowGeometry(kernel, { stride: options.stride ?? kernel, padding: options.padding ?? 0 });
  requireArgument(
    geometry.padding.every((size, i) => 2 * size <= geometry.window[i]!),
    () => `a padding of at most half the kernel [${geometry.window}] was expected; received [${geometry.padding}]`,
  );
  const windows = unfold(t, reshape(t, x, [batch * channels, height, width]), geometry, fill);
  return {
    windows,
    geometry,
    shape: [batch, channels, windowCount(height, geometry, 0), windowCount(width, geometry, 1)],
  };
}

/** The largest of each window; padding counts as −∞. */
export function maxPool2d(t: Recorder, x: Tensor, kernel: Pair, options: PoolOptions = {}): Tensor {
  const { windows, shape } = poolWindows(t, x, kernel, options, Number.NEGATIVE_INFINITY);
  return reshape(t, largest(t, windows, { axes: [1] }), shape);
}

/** How many cells of each window along an axis lie inside the image. */
function insideCounts(size: number, count: number, geometry: WindowGeometry, axis: 0 | 1): number[] {
  return Array.from({ length: count }, (_, i) => {
    const start = i * geometry.stride[axis] - geometry.padding[axis];
    return Math.min(start + geometry.window[axis], size) - Math.max(start, 0);
  });
}

/** The mean of each window, over the whole window or (`countPadding: false`) over its cells inside the image. */
export function averagePool2d(
  t: Recorder,
  x: Tensor,
  kernel: Pair,
  options: PoolOptions & { countPadding?: boolean } = {},
): Tensor {
  const { windows, geometry, shape } = poolWindows(t, x, kernel, options, 0);
  const total = reshape(t, sum(t, windows, { axes: [1] }), shape);
  if (options.countPadding ?? true) return affine(t, total, 1 / (geometry.window[0] * geometry.window[1]));
  const [, , rows, columns] = shape;
  const down = insideCounts(x.shape[2]!, rows, geometry, 0);
  const across = insideCounts(x.shape[3]!, columns, geometry, 1);
  const shares = Float32Array.from(down.flatMap((a) => across.map((b) => 1 / (a * b))));
  return multiply(t, total, t.upload(shares, [rows, columns]));
}

/** Means of windows ⌊i · in / out⌋ … ⌈(i + 1) · in / out⌉ for an output of `size` [height, width]. */
export function adaptiveAveragePool2d(t: Recorder, x: Tensor, size: Pair): Tensor {
  requireImage(x);
  return resample(t, x, pairOf(size, 1, 'output sizes'), { mode: 'area' });
}
