/**
 * Reading and writing at indices. Indices that come from the host are checked when the operation is recorded; indices that
 * a command computes cannot be, so there an index outside its axis reads as 0 and writes nothing.
 */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { requireFloats } from './elementwise.ts';
import { assign } from './layout.ts';
import { countOf, mergeAxes, resolveAxis, stridesOf } from './shapes.ts';

/** Indices on the host (one axis unless `shape` says more), or an i32 tensor. */
export type Indices = Tensor | Int32Array | { readonly values: Int32Array; readonly shape: readonly number[] };

/** Indices of an axis of `size` as a tensor. @throws GallopError `invalid-argument` for an index from the host out of range */
export function indexTensor(t: Recorder, indices: Indices, size: number): Tensor {
  if ('dtype' in indices) {
    requireArgument(indices.dtype === 'i32', () => `indices must be i32; received ${indices.dtype}`);
    return indices;
  }
  const { values, shape } = indices instanceof Int32Array ? { values: indices, shape: [indices.length] } : indices;
  for (const index of values)
    requireArgument(index >= 0 && index < size, () => `an index must be 0…${size - 1}; received ${index}`);
  return t.upload(values, shape);
}

function gatherElements(
  t: Recorder,
  x: Tensor,
  indices: Tensor,
  axis: number,
  shape: readonly number[],
  whole: boolean,
): Tensor {
  requireFloats(x);
  const out = t.empty(shape);
  if (out.size > 0) {
    const own = stridesOf(x.shape);
    const indexStrides = stridesOf(indices.shape);
    const indexed = whole ? indices.shape.length : 1;
    // Axes of the output: those before `axis`, those of the indices, those after.
    const xStrides = shape.map((_, i) => (i < axis ? own[i]! : i < axis + indexed ? 0 : own[i - indexed + 1]!));
    const byStrides = shape.map((_, i) => {
      if (!whole) return indexStrides[i]!;
      return i >= axis && i < axis + indexed ? indexStrides[i - axis]! : 0;
    });
    const layout = mergeAxes(shape, [stridesOf(shape), xStrides, byStrides]);
    t.append(
      'gather',
      [x, indices],
      [out],
      [
        ...[out.address, x.address, indices.address, own[axis]!, x.shape[axis]!, layout.sizes.length],
        ...[...layout.sizes, ...layout.strides[1]!, ...layout.strides[2]!],
      ],
    );
  }
  t.observe({ kind: 'gather', indices, axis, whole, inputs: [x], outputs: [out] });
  return out;
}

/** Whole slices of an axis: the axis is replaced by those of the indices. */
export function indexSelect(t: Recorder, x: Tensor, axis: number, indices: Indices): Tensor {
  const at = resolveAxis(axis, x.shape.length);
  const chosen = indexTensor(t, indices, x.shape[at]!);
  return gatherElements(t, x, chosen, at, [...x.shape.slice(0, at), ...chosen.shape, ...x.shape.slice(at + 1)], true);
}

/** Rows of a table [rows, columns]. → [...indices, columns] */
export function embedding(t: Recorder, table: Tensor, indices: Indices): Tensor {
  requireArgument(table.shape.length === 2, () => `a table of two axes was expected; received [${table.shape}]`);
  return indexSelect(t, table, 0, indices);
}

function requireIndexShape(indices: Tensor, shape: readonly number[], axis: number): void {
  requireArgument(
    indices.shape.length === shape.length && indices.shape.every((size, i) => i === axis || size <= shape[i]!),
    () =>
      `indices of ${shape.length} axes within [${shape}] outside axis ${axis} were expected; received [${indices.shape}]`,
  );
}

/** output[i…] = x[i…] with coordinate `axis` replaced by indices[i…]. → shape of the indices */
export function gather(t: Recorder, x: Tensor, axis: number, indices: Indices): Tensor {
  const at = resolveAxis(axis, x.shape.length);
  const chosen = indexTensor(t, indices, x.shape[at]!);
  requireIndexShape(chosen, x.shape, at);
  return gatherElements(t, x, chosen, at, chosen.shape, false);
}

interface ScatterPlan {
  readonly base: Tensor;
  readonly source: Tensor;
  readonly indices: Tensor;
  readonly axis: number;
  readonly add: boolean;
  readonly whole: boolean;
}

function scatterElements(t: Recorder, plan: ScatterPlan): Tensor {
  const { base, source, indices, axis, add, whole } = plan;
  requireFloats(base, source);
  const out = t.empty(base.shape);
  assign(t, out, base);
  const count = whole ? indices.size : source.shape[axis]!;
  const others = base.shape.map((_, i) => i).filter((i) => i !== axis);
  const sourceShape = whole ? [...base.shape.slice(0, axis), count, ...base.shape.slice(axis + 1)] : source.shape;
  const sizes = others.map((i) => sourceShape[i]!);
  if (countOf(sizes) * count > 0) {
    const [outStrides, sourceStrides] = [stridesOf(base.shape), stridesOf(sourceShape)];
    const indexStrides = whole ? base.shape.map((_, i) => (i === axis ? 1 : 0)) : stridesOf(indices.shape);
    const layout = mergeAxes(
      sizes,
      [outStrides, sourceStrides, indexStrides].map((strides) => others.map((i) => strides[i]!)),
    );
    t.append(
      'scatter',
      [source, indices],
      [out],
      [
        ...[out.address, source.address, indices.address, add ? 1 : 0, count, sourceStrides[axis]!],
        ...[indexStrides[axis]!, outStrides[axis]!, base.shape[axis]!, layout.sizes.length, ...layout.sizes],
        ...layout.strides.flat(),
      ],
    );
  }
  t.observe({ kind: 'scatter', indices, axis, whole, add, inputs: [base, source], outputs: [out] });
  return out;
}

function scatterAt(t: Recorder, base: Tensor, axis: number, indices: Indices, source: Tensor, add: boolean): Tensor {
  const at = resolveAxis(axis, base.shape.length);
  const chosen = indexTensor(t, indices, base.shape[at]!);
  requireIndexShape(chosen, base.shape, at);
  requireArgument(
    String(chosen.shape) === String(source.shape),
    () => `a source of the indices' shape [${chosen.shape}] was expected; received [${source.shape}]`,
  );
  return scatterElements(t, { base, source, indices: chosen, axis: at, add, whole: false });
}

/** base with source added at the indexed coordinates, in order. */
export function scatterAdd(t: Recorder, base: Tensor, axis: number, indices: Indices, source: Tensor): Tensor {
  return scatterAt(t, base, axis, indices, source, true);
}

/** base overwritten at the indexed coordinates; the last of equal indices along the axis stays. */
export function scatter(t: Recorder, base: Tensor, axis: number, indices: Indices, source: Tensor): Tensor {
  return scatterAt(t, base, axis, indices, source, false);
}

/** base with whole slices added along an axis: the reverse of `indexSelect`. source has the indices' axes in its place. */
export function indexAdd(t: Recorder, base: Tensor, axis: number, indices: Indices, source: Tensor): Tensor {
  const at = resolveAxis(axis, base.shape.length);
  const chosen = indexTensor(t, indices, base.shape[at]!);
  const expected = [...base.shape.slice(0, at), ...chosen.shape, ...base.shape.slice(at + 1)];
  requireArgument(
    String(expected) === String(source.shape),
    () => `a source of shape [${expected}] was expected; received [${source.shape}]`,
  );
  return scatterElements(t, { base, source, indices: chosen, axis: at, add: true, whole: true });
}
