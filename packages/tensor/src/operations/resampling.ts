/**
 * Images [batch, channels, height, width] in another size. Every mode but nearest is a weighted mean of rows and one of
 * columns: two small matrices, built here, times the image. With s = in / out:
 *
 *     half-pixel      x = (i + 0.5) s − 0.5 (not below 0 for bilinear)       corner grid   x = i (in − 1) / (out − 1)
 *     antialias       weight of source j = k((j + 0.5 − (i + 0.5) s) / w), w = max(s, 1), divided by the sum
 */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { type Pair, pairOf } from './convolution.ts';
import { indexSelect } from './indexing.ts';
import { permute, reshape } from './layout.ts';
import { matmul } from './matmul.ts';

export type InterpolationMode = 'nearest' | 'bilinear' | 'bicubic' | 'area';

export interface InterpolationOptions {
  readonly mode: InterpolationMode;
  /** Corner pixels of both sizes meet (bilinear and bicubic). Default: false. */
  readonly alignCorners?: boolean;
  /** Widen the filter when the image becomes smaller (bilinear and bicubic, without alignCorners). Default: false. */
  readonly antialias?: boolean;
}

/** The cubic convolution kernel (Keys, 1981) with parameter a, support 2. */
function cubic(x: number, a: number): number {
  const d = Math.abs(x);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x));

/** Source indices with their weights for output i. */
type Filter = (i: number) => Iterable<readonly [source: number, weight: number]>;

function pointFilter(from: number, to: number, { mode, alignCorners = false }: InterpolationOptions): Filter {
  return function* (i) {
    const half = (i + 0.5) * (from / to) - 0.5;
    const x = alignCorners
      ? to > 1
        ? (i * (from - 1)) / (to - 1)
        : 0
      : mode === 'bilinear'
        ? Math.max(half, 0)
        : half;
    const first = Math.floor(x);
    const [start, end] = mode === 'bilinear' ? [0, 1] : [-1, 2];
    for (let offset = start; offset <= end; offset++) {
      const distance = x - first - offset;
      const weight = mode === 'bilinear' ? triangle(distance) : cubic(distance, -0.75);
      yield [Math.min(Math.max(first + offset, 0), from - 1), weight];
    }
  };
}

function smoothFilter(from: number, to: number, mode: InterpolationMode): Filter {
  const scale = from / to;
  const width = Math.max(scale, 1);
  const kernel = mode === 'bilinear' ? triangle : (x: number): number => cubic(x, -0.5);
  return (i) => {
    const centre = (i + 0.5) * scale;
    const weights = Array.from({ length: from }, (_, j) => kernel((j + 0.5 - centre) / width));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight, j) => [j, weight / total] as const);
  };
}

function areaFilter(from: number, to: number): Filter {
  return (i) => {
    const [start, end] = [Math.floor((i * from) / to), Math.ceil(((i + 1) * from) / to)];
    return Array.from({ length: end - start }, (_, j) => [start + j, 1 / (end - start)] as const);
  };
}

/** → [to, from] */
function filterMatrix(t: Recorder, from: number, to: number, options: InterpolationOptions): Tensor {
  const { mode, antialias = false } = options;
  const filter =
    mode === 'area' ? areaFilter(from, to) : antialias ? smoothFilter(from, to, mode) : pointFilter(from, to, options);
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) for (const [source, weight] of filter(i)) matrix[i * from + source]! += weight;
  return t.upload(matrix, [to, from]);
}

/** Longest side of an image that resampling makes: the matrices of weights are built on the host. */
const mostPixels = 16384;

function requireSize(x: Tensor, size: readonly [number, number]): void {
  requireArgument(
    size.every((side) => side <= mostPixels) && x.shape.slice(2).every((side) => side <= mostPixels),
    () => `images with sides of at most ${mostPixels} were expected; received [${x.shape}] and [${size}]`,
  );
}

/** `interpolate` for checked arguments. */
export function resample(
  t: Recorder,
  x: Tensor,
  size: readonly [number, number],
  options: InterpolationOptions,
): Tensor {
  requireSize(x, size);
  const [height, width] = x.shape.slice(2) as [number, number];
  requireArgument(
    height >= 1 && width >= 1,
    () => `an image of at least one pixel was expected; received [${x.shape}]`,
  );
  const across = matmul(t, x, filterMatrix(t, width, size[1], options), { transposeRight: true });
  return matmul(t, filterMatrix(t, height, size[0], options), across);
}

const nearestIndices = (from: number, to: number): Int32Array =>
  Int32Array.from({ length: to }, (_, i) => Math.floor((i * from) / to));

/** The image in `size` [height, width]. */
export function interpolate(t: Recorder, x: Tensor, size: Pair, options: InterpolationOptions): Tensor {
  const { mode, alignCorners = false, antialias = false } = options;
  const smooth = mode === 'bilinear' || mode === 'bicubic';
  requireArgument(
    smooth || mode === 'nearest' || mode === 'area',
    () => `a mode of nearest, bilinear, bicubic or area was expected; received ${mode}`,
  );
  requireArgument(
    (smooth || !(alignCorners || antialias)) && !(alignCorners && antialias),
    () => `alignCorners or antialias, not both, go with bilinear and bicubic; received ${mode}`,
  );
  requireArgument(
    x.shape.length === 4,
    () => `[batch, channels, height, width] was expected; received shape [${x.shape}]`,
  );
  const target = pairOf(size, 1, 'output sizes');
  requireSize(x, target);
  if (mode !== 'nearest') return resample(t, x, target, options);
  const rows = indexSelect(t, x, 2, nearestIndices(x.shape[2]!, target[0]));
  return indexSelect(t, rows, 3, nearestIndices(x.shape[3]!, target[1]));
}

function requireFactor(factor: number): void {
  requireArgument(
    Number.isInteger(factor) && factor >= 1,
    () => `a positive integer factor was expected; received ${factor}`,
  );
}

/** [batch, c · f · f, h, w] → [batch, c, h · f, w · f]; channel index = c · f² + dy · f + dx. */
export function pixelShuffle(t: Recorder, x: Tensor, factor: number): Tensor {
  requireFactor(factor);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const c = channels / factor / factor;
  requireArgument(
    x.shape.length === 4 && Number.isInteger(c),
    () =>
      `[batch, channels, height, width] with channels in multiples of ${factor * factor} was expected; received [${x.shape}]`,
  );
  const cells = reshape(t, x, [batch, c, factor, factor, height, width]);
  return reshape(t, permute(t, cells, [0, 1, 4, 2, 5, 3]), [batch, c, height * factor, width * factor]);
}

/** The inverse of `pixelShuffle`. */
export function pixelUnshuffle(t: Recorder, x: Tensor, factor: number): Tensor {
  requireFactor(factor);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [h, w] = [height / factor, width / factor];
  requireArgument(
    x.shape.length === 4 && Number.isInteger(h) && Number.isInteger(w),
    () => `an image whose sides are multiples of ${factor} was expected; received [${x.shape}]`,
  );
  const cells = reshape(t, x, [batch, channels, h, factor, w, factor]);
  return reshape(t, permute(t, cells, [0, 1, 3, 5, 2, 4]), [batch, channels * factor * factor, h, w]);
}
