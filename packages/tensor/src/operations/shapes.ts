/** Shapes: checks, broadcasting, strides, and the merging of axes that makes commands short. */
import { requireArgument } from '@gallop/core';

/** Most axes that a tensor may have. */
export const mostAxes = 8;

/** @throws GallopError `invalid-argument` unless the shape is a list of at most eight sizes with a countable product */
export function checkShape(shape: readonly number[]): void {
  requireArgument(
    shape.length <= mostAxes && shape.every((size) => Number.isSafeInteger(size) && size >= 0),
    () => `a shape must be at most ${mostAxes} non-negative integers; received [${shape}]`,
  );
  requireArgument(
    shape.reduce((product, size) => product * Math.max(size, 1), 4) <= Number.MAX_SAFE_INTEGER,
    () => `a tensor must have fewer elements; received shape [${shape}]`,
  );
}

export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

/** The axis counted from the front. @throws GallopError `invalid-argument` when there is no such axis */
export function resolveAxis(axis: number, rank: number): number {
  requireArgument(
    Number.isInteger(axis) && axis >= -rank && axis < rank,
    () => `an axis must be an integer from ${-rank} to ${rank - 1}; received ${axis}`,
  );
  return axis < 0 ? axis + rank : axis;
}

/** Distinct axes in ascending order. */
export function resolveAxes(axes: readonly number[], rank: number): number[] {
  const resolved = axes.map((axis) => resolveAxis(axis, rank)).sort((a, b) => a - b);
  requireArgument(new Set(resolved).size === axes.length, () => `axes must be distinct; received ${axes}`);
  return resolved;
}

/** Strides in elements of a contiguous tensor. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** The shape that all shapes broadcast to, aligned at the right. @throws GallopError `invalid-argument` */
export function broadcastShapes(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      requireArgument(
        own === size || own === 1 || size === 1,
        () =>
          `shapes must be equal or 1 on each axis from the right; received ${shapes.map((s) => `[${s}]`).join(', ')}`,
      );
      if (own !== 1) size = own;
    }
    return size;
  });
}

/** Strides with which a contiguous tensor of `shape` is read as `target`: 0 where it repeats. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const own = stridesOf(shape);
  return target.map((_, axis) => {
    const at = axis - target.length + shape.length;
    return at < 0 || shape[at] === 1 ? 0 : own[at]!;
  });
}

export interface Layout {
  readonly sizes: readonly number[];
  /** Per operand. */
  readonly strides: readonly (readonly number[])[];
}

/**
 * The same walk over fewer axes: axes of size 1 go, neighbours that every operand walks as one axis are merged. At least
 * one axis is left.
 */
export function mergeAxes(sizes: readonly number[], strides: readonly (readonly number[])[]): Layout {
  const merged: number[] = [];
  const mergedStrides: number[][] = strides.map(() => []);
  sizes.forEach((size, axis) => {
    if (size === 1) return;
    const last = merged.length - 1;
    const joins = last >= 0 && strides.every((own, i) => mergedStrides[i]![last] === own[axis]! * size);
    if (joins) merged[last]! *= size;
    else merged.push(size);
    const at = merged.length - 1;
    strides.forEach((own, i) => {
      mergedStrides[i]![at] = own[axis]!;
    });
  });
  if (merged.length > 0) return { sizes: merged, strides: mergedStrides };
  return { sizes: [1], strides: strides.map(() => [0]) };
}
