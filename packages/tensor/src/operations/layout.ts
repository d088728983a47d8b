/** Shapes changed and elements moved: reshape, permute, slice, concatenate, pad, repeat. */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import { Tensor } from '../tensor.ts';
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  countOf,
  mergeAxes,
  resolveAxis,
  sameShape,
  stridesOf,
} from './shapes.ts';

/** Copies `sizes` elements from x to `out`, each by its own start and strides in elements. */
function copyElements(
  t: Recorder,
  out: Tensor,
  outStart: number,
  outStrides: readonly number[],
  x: Tensor,
  xStart: number,
  xStrides: readonly number[],
  sizes: readonly number[],
): void {
  if (countOf(sizes) === 0) return;
  const layout = mergeAxes(sizes, [outStrides, xStrides]);
  const addresses = [out.address + 4 * outStart, x.address + 4 * xStart];
  t.append('copy', [x], [out], [...[...addresses, layout.sizes.length, ...layout.sizes, ...layout.strides.flat()]]);
}

function requireWords(x: Tensor): void {
  requireArgument(
    x.dtype === 'f32' || x.dtype === 'i32',
    () => `an f32 or i32 tensor was expected; received ${x.dtype}`,
  );
}

/** The same memory under another shape; one size may be −1 and is then worked out. */
export function reshape(t: Recorder, x: Tensor, shape: readonly number[]): Tensor {
  const known = shape.filter((size) => size !== -1);
  const missing = x.size / countOf(known);
  const full = shape.map((size) => (size === -1 ? missing : size));
  requireArgument(
    shape.length - known.length <= 1 && (known.length === shape.length || Number.isInteger(missing)),
    () => `a shape of ${x.size} elements was expected; received [${shape}]`,
  );
  checkShape(full);
  requireArgument(countOf(full) === x.size, () => `a shape of ${x.size} elements was expected; received [${shape}]`);
  const out = new Tensor(x.memory, x.byteOffset, full, x.dtype);
  t.observe({ kind: 'reshape', inputs: [x], outputs: [out] });
  return out;
}

/** The same values, cut off from the tape: gradients do not flow through. */
export function detach(x: Tensor): Tensor {
  return new Tensor(x.memory, x.byteOffset, x.shape, x.dtype);
}

/** The axes in another order, contiguous. Axis i of the result is axis order[i] of x. */
export function permute(t: Recorder, x: Tensor, order: readonly number[]): Tensor {
  requireWords(x);
  const rank = x.shape.length;
  const axes = order.map((axis) => resolveAxis(axis, rank));
  requireArgument(
    axes.length === rank && new Set(axes).size === rank,
    () => `an order of all ${rank} axes was expected; received [${order}]`,
  );
  if (axes.every((axis, i) => axis === i)) return x;
  const shape = axes.map((axis) => x.shape[axis]!);
  const strides = stridesOf(x.shape);
  const out = t.empty(shape, x.dtype);
  copyElements(
    t,
    out,
    0,
    stridesOf(shape),
    x,
    0,
    axes.map((axis) => strides[axis]!),
    shape,
  );
  t.observe({ kind: 'permute', order: axes, inputs: [x], outputs: [out] });
  return out;
}

/** The last two axes swapped. */
export function transpose(t: Recorder, x: Tensor): Tensor {
  const rank = x.shape.length;
  requireArgument(rank >= 2, () => `transpose needs two axes or more; received shape [${x.shape}]`);
  return permute(t, x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
}

/** x repeated along axes where it has size 1 or none, aligned at the right. */
export function broadcastTo(t: Recorder, x: Tensor, shape: readonly number[]): Tensor {
  requireWords(x);
  checkShape(shape);
  requireArgument(
    sameShape(broadcastShapes(x.shape, shape), shape),
    () => `a shape that broadcasts to [${shape}] was expected; received [${x.shape}]`,
  );
  if (sameShape(x.shape, shape)) return x;
  const out = t.empty(shape, x.dtype);
  copyElements(t, out, 0, stridesOf(shape), x, 0, broadcastStrides(x.shape, shape), shape);
  t.observe({ kind: 'broadcast', inputs: [x], outputs: [out] });
  return out;
}

/** A new tensor of one value. */
export function full(t: Recorder, shape: readonly number[], value: number): Tensor {
  const scalar = t.upload(Float32Array.of(value), []);
  const out = t.empty(shape);
  copyElements(
    t,
    out,
    0,
    stridesOf(shape),
    scalar,
    0,
    shape.map(() => 0),
    shape,
  );
  return out;
}

/** Overwrites `out` with the elements of x, which has as many. No gradient flows. */
export function assign(t: Recorder, out: Tensor, x: Tensor): void {
  requireArgument(
    out.size === x.size && out.dtype === x.dtype,
    () => `assign needs ${out.size} elements of ${out.dtype}; received ${x.size} of ${x.dtype}`,
  );
  copyElements(t, out, 0, [1], x, 0, [1], [x.size]);
}

/** Elements start, start + step, … before `ends` on each axis; defaults: whole axes. Negative starts and ends count from the end. */
export function slice(
  t: Recorder,
  x: Tensor,
  options: { starts?: readonly number[]; ends?: readonly number[]; steps?: readonly number[] },
): Tensor {
  requireWords(x);
  const { shape } = x;
  for (const list of [options.starts, options.ends, options.steps])
    requireArgument(
      list === undefined || (list.length === shape.length && list.every(Number.isInteger)),
      () => `one integer for each of ${shape.length} axes was expected; received [${list}]`,
    );
  const limit = (value: number, size: number): number => Math.min(Math.max(value < 0 ? value + size : value, 0), size);
  const starts = shape.map((size, axis) => limit(options.starts?.[axis] ?? 0, size));
  const ends = shape.map((size, axis) => limit(options.ends?.[axis] ?? size, size));
  const steps = shape.map((_, axis) => options.steps?.[axis] ?? 1);
  requireArgument(
    steps.every((step) => step >= 1),
    () => `steps must be at least 1; received [${steps}]`,
  );
  const sizes = shape.map((_, axis) => Math.max(0, Math.ceil((ends[axis]! - starts[axis]!) / steps[axis]!)));
  if (sameShape(sizes, shape)) return x;
  const strides = stridesOf(shape);
  const out = t.empty(sizes, x.dtype);
  const first = starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0);
  copyElements(
    t,
    out,
    0,
    stridesOf(sizes),
    x,
    first,
    strides.map((stride, axis) => stride * steps[axis]!),
    sizes,
  );
  t.observe({ kind: 'slice', starts, steps, inputs: [x], outputs: [out] });
  return out;
}

/** Zeros of `shape` with x at elements start, start + step, … of each axis: the reverse of `slice`, for gradients. */
export function placeSlice(
  t: Recorder,
  x: Tensor,
  shape: readonly number[],
  starts: readonly number[],
  steps: readonly number[],
): Tensor {
  const out = full(t, shape, 0);
  const strides = stridesOf(shape);
  const first = starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0);
  const spaced = strides.map((stride, axis) => stride * steps[axis]!);
  copyElements(t, out, first, spaced, x, 0, stridesOf(x.shape), x.shape);
  return out;
}

/** Elements [start, end) of one axis. */
export function sliceAxis(t: Recorder, x: Tensor, axis: number, start: number, end: number): Tensor {
  const at = resolveAxis(axis, x.shape.length);
  const starts = x.shape.map((_, i) => (i === at ? start : 0));
  return slice(t, x, { starts, ends: x.shape.map((size, i) => (i === at ? end : size)) });
}

/** Joins tensors along an axis; lengths along it may be 0. */
export function concatenate(t: Recorder, parts: readonly Tensor[], axis: number): Tensor {
  const [first] = parts;
  requireArgument(first !== undefined, () => 'concatenate needs at least one tensor; received none');
  const at = resolveAxis(axis, first.shape.length);
  for (const part of parts) {
    requireWords(part);
    requireArgument(
      part.dtype === first.dtype &&
        part.shape.length === first.shape.length &&
        part.shape.every((size, i) => i === at || size === first.shape[i]),
      () =>
        `tensors like ${first.dtype} [${first.shape}] outside axis ${at} were expected; received ${part.dtype} [${part.shape}]`,
    );
  }
  const total = parts.reduce((sum, part) => sum + part.shape[at]!, 0);
  const shape = first.shape.map((size, i) => (i === at ? total : size));
  const out = t.empty(shape, first.dtype);
  const strides = stridesOf(shape);
  let start = 0;
  for (const part of parts) {
    copyElements(t, out, start * strides[at]!, strides, part, 0, stridesOf(part.shape), part.shape);
    start += part.shape[at]!;
  }
  t.observe({ kind: 'concatenate', axis: at, inputs: parts, outputs: [out] });
  return out;
}

/** Cuts an axis into pieces of the given sizes, which fill it. */
export function split(t: Recorder, x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const at = resolveAxis(axis, x.shape.length);
  requireArgument(
    sizes.every((size) => Number.isInteger(size) && size >= 0) && sizes.reduce((a, b) => a + b, 0) === x.shape[at],
    () => `sizes that add up to ${x.shape[at]} were expected; received [${sizes}]`,
  );
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return sliceAxis(t, x, at, start - size, start);
  });
}

/** `before` and `after` elements of `value` on each axis around x. */
export function pad(t: Recorder, x: Tensor, before: readonly number[], after: readonly number[], value = 0): Tensor {
  requireArgument(
    [before, after].every(
      (list) => list.length === x.shape.length && list.every((count) => Number.isInteger(count) && count >= 0),
    ),
    () =>
      `one non-negative integer for each of ${x.shape.length} axes was expected; received [${before}] and [${after}]`,
  );
  requireArgument(x.dtype === 'f32', () => `pad takes f32 tensors; received ${x.dtype}`);
  const shape = x.shape.map((size, axis) => size + before[axis]! + after[axis]!);
  const out = full(t, shape, value);
  const strides = stridesOf(shape);
  const first = before.reduce((sum, count, axis) => sum + count * strides[axis]!, 0);
  copyElements(t, out, first, strides, x, 0, stridesOf(x.shape), x.shape);
  t.observe({ kind: 'pad', before, inputs: [x], outputs: [out] });
  return out;
}

/** Each slice along an axis `repeats` times in place. */
export function repeatInterleave(t: Recorder, x: Tensor, axis: number, repeats: number): Tensor {
  const at = resolveAxis(axis, x.shape.length);
  requireArgument(
    Number.isInteger(repeats) && repeats >= 0,
    () => `repeats must be a non-negative integer; received ${repeats}`,
  );
  const [outer, inner] = [x.shape.slice(0, at), x.shape.slice(at + 1)];
  const size = x.shape[at]!;
  const [before, after] = [countOf(outer), countOf(inner)];
  const spread = broadcastTo(t, reshape(t, x, [before, size, 1, after]), [before, size, repeats, after]);
  return reshape(t, spread, [...outer, size * repeats, ...inner]);
}
