/** Reductions over axes, running sums, orderings. Sums have a fixed order (16 lanes), so that results never vary. */
import { requireArgument } from '@gallop/core';
import { reductions } from '../opcodes.ts';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { add, affine, clamp, exp, log, requireFloats, square, subtract } from './elementwise.ts';
import { gather } from './indexing.ts';
import { detach, full, permute, reshape, sliceAxis } from './layout.ts';
import { countOf, resolveAxes, resolveAxis } from './shapes.ts';

const largestFloat = 3.4028234663852886e38;

export interface ReductionOptions {
  /** Default: all axes. */
  readonly axes?: readonly number[];
  /** Keep reduced axes with size 1. Default: false. */
  readonly keepDimensions?: boolean;
}

/** x with the reduced axes together, as [outer, count, inner]. */
function grouped(t: Recorder, x: Tensor, axes: readonly number[]): { x: Tensor; extents: [number, number, number] } {
  const { shape } = x;
  const first = axes[0] ?? 0;
  if (axes.every((axis, i) => axis === first + i)) {
    const last = first + axes.length;
    return {
      x,
      extents: [countOf(shape.slice(0, first)), countOf(shape.slice(first, last)), countOf(shape.slice(last))],
    };
  }
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const count = countOf(axes.map((axis) => shape[axis]!));
  return { x: permute(t, x, [...kept, ...axes]), extents: [countOf(kept.map((axis) => shape[axis]!)), count, 1] };
}

function reducedShape(shape: readonly number[], axes: readonly number[], keep: boolean): number[] {
  return shape.flatMap((size, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [size]));
}

function reduce(t: Recorder, x: Tensor, reduction: keyof typeof reductions, options: ReductionOptions): Tensor {
  requireFloats(x);
  const axes = resolveAxes(options.axes ?? x.shape.map((_, axis) => axis), x.shape.length);
  const {
    x: source,
    extents: [outer, count, inner],
  } = grouped(t, x, axes);
  const shape = reducedShape(x.shape, axes, options.keepDimensions ?? false);
  requireArgument(
    count > 0 || reduction === 'sum',
    () => `a ${reduction} needs at least one element; received shape [${x.shape}] over axes [${axes}]`,
  );
  if (count === 0) return full(t, shape, 0);
  const out = t.empty(shape);
  if (out.size > 0)
    t.append('reduce', [source], [out], [...[out.address, source.address, outer, count, inner, reductions[reduction]]]);
  t.observe({ kind: 'reduce', reduction, outer, count, inner, inputs: [source], outputs: [out] });
  return out;
}

/** Σ over axes; 0 over no elements. */
export function sum(t: Recorder, x: Tensor, options: ReductionOptions = {}): Tensor {
  return reduce(t, x, 'sum', options);
}

/** The largest over axes; NaN is passed over. @throws GallopError `invalid-argument` over no elements */
export function largest(t: Recorder, x: Tensor, options: ReductionOptions = {}): Tensor {
  return reduce(t, x, 'maximum', options);
}

/** The smallest over axes; NaN is passed over. @throws GallopError `invalid-argument` over no elements */
export function smallest(t: Recorder, x: Tensor, options: ReductionOptions = {}): Tensor {
  return reduce(t, x, 'minimum', options);
}

/** @throws GallopError `invalid-argument` over no elements */
export function mean(t: Recorder, x: Tensor, options: ReductionOptions = {}): Tensor {
  const axes = resolveAxes(options.axes ?? x.shape.map((_, axis) => axis), x.shape.length);
  const count = countOf(axes.map((axis) => x.shape[axis]!));
  requireArgument(
    count > 0,
    () => `a mean needs at least one element; received shape [${x.shape}] over axes [${axes}]`,
  );
  return affine(t, sum(t, x, options), 1 / count);
}

/** Population variance: the mean of squared deviations. */
export function variance(t: Recorder, x: Tensor, options: ReductionOptions = {}): Tensor {
  const deviations = subtract(t, x, mean(t, x, { ...options, keepDimensions: true }));
  return mean(t, square(t, deviations), options);
}

/** log Σ e^x, without overflow; −∞ where every element is −∞. */
export function logSumExp(t: Recorder, x: Tensor, options: ReductionOptions = {}): Tensor {
  const top = detach(largest(t, x, { ...options, keepDimensions: true }));
  // A maximum of ±∞ cannot be subtracted; limiting it to finite numbers changes nothing else.
  const shift = detach(clamp(t, top, -largestFloat, largestFloat));
  const total = log(t, sum(t, exp(t, subtract(t, x, shift)), options));
  return add(t, total, reshape(t, shift, total.shape));
}

function alongAxis(x: Tensor, axis: number): { at: number; extents: [number, number, number] } {
  const at = resolveAxis(axis, x.shape.length);
  return { at, extents: [countOf(x.shape.slice(0, at)), x.shape[at]!, countOf(x.shape.slice(at + 1))] };
}

/** Inclusive running sums along an axis; from the end when `reverse`. */
export function cumulativeSum(t: Recorder, x: Tensor, axis: number, options: { reverse?: boolean } = {}): Tensor {
  requireFloats(x);
  const { at, extents } = alongAxis(x, axis);
  const reverse = options.reverse ?? false;
  const out = t.empty(x.shape);
  if (x.size > 0) t.append('cumulative', [x], [out], [out.address, x.address, ...extents, reverse ? 1 : 0]);
  t.observe({ kind: 'cumulative', axis: at, reverse, inputs: [x], outputs: [out] });
  return out;
}

function extremeIndex(t: Recorder, x: Tensor, axis: number, isLargest: boolean): Tensor {
  requireFloats(x);
  const { at, extents } = alongAxis(x, axis);
  requireArgument(extents[1] > 0, () => `an axis of at least one element was expected; received shape [${x.shape}]`);
  const out = t.empty(reducedShape(x.shape, [at], false), 'i32');
  if (out.size > 0) t.append('extremeIndex', [x], [out], [out.address, x.address, ...extents, isLargest ? 1 : 0]);
  return out;
}

/** i32 index of the largest along an axis; the lowest among equals. */
export function argmax(t: Recorder, x: Tensor, axis = -1): Tensor {
  return extremeIndex(t, x, axis, true);
}

/** i32 index of the smallest along an axis; the lowest among equals. */
export function argmin(t: Recorder, x: Tensor, axis = -1): Tensor {
  return extremeIndex(t, x, axis, false);
}

/** The last axis in order, stable in both directions; NaN counts as the largest. → values and their i32 indices */
export function sort(
  t: Recorder,
  x: Tensor,
  options: { descending?: boolean } = {},
): { values: Tensor; indices: Tensor } {
  requireFloats(x);
  requireArgument(x.shape.length > 0, () => 'sort needs at least one axis; received a scalar');
  const [values, indices] = [t.empty(x.shape), t.empty(x.shape, 'i32')];
  if (x.size > 0) {
    t.needScratch(x.columns);
    t.append(
      'sort',
      [x],
      [values, indices],
      [...[values.address, indices.address, x.address, x.rows, x.columns, options.descending ? 1 : 0]],
    );
  }
  return { values: gather(t, x, -1, indices), indices };
}

/** Below this many of a row's elements, picking the largest beats sorting the row. */
const mostPicked = 64;

/** The `count` largest of the last axis, descending, ties in ascending index order. → values and their i32 indices */
export function topK(t: Recorder, x: Tensor, count: number): { values: Tensor; indices: Tensor } {
  requireFloats(x);
  requireArgument(
    Number.isInteger(count) && count >= 1 && count <= x.columns,
    () => `a count of 1…${x.columns} was expected; received ${count}`,
  );
  const shape = [...x.shape.slice(0, -1), count];
  const indices =
    count <= mostPicked && x.size > 0
      ? reshape(t, t.topK(reshape(t, x, [x.rows, x.columns]), count).ids, shape)
      : sliceAxis(t, sort(t, x, { descending: true }).indices, -1, 0, count);
  return { values: gather(t, x, -1, indices), indices };
}
