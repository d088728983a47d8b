/**
 * Matrix products: float products of any strides and batch, linear layers, and products of integers. Each element of a
 * float product is a sum in one fixed order, whatever the tile and the number of threads.
 */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { add, multiply, requireFloats, subtract, toFloat } from './elementwise.ts';
import { full, pad, reshape, sliceAxis } from './layout.ts';
import { broadcastShapes, broadcastStrides, mergeAxes, sameShape, stridesOf } from './shapes.ts';

/** Blocks that the kernel packs, padded to whole tiles of at most 12 rows and 64 columns (packages/kernels/src/c/matmul.h). */
function packedFloats(rows: number, columns: number, depth: number): number {
  const padded = (size: number, most: number, tile: number): number => Math.ceil(Math.min(size, most) / tile) * tile;
  return (padded(rows, 192, 12) + padded(columns, 512, 64)) * Math.min(depth, 256);
}

/** Strides of one matrix as the kernel walks it: over rows, over columns; and the batch axes before. */
interface Operand {
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
  readonly batch: readonly number[];
}

function operandOf(x: Tensor, transposed: boolean): Operand {
  requireFloats(x);
  requireArgument(x.shape.length >= 2, () => `matmul needs two axes or more; received shape [${x.shape}]`);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const batch = x.shape.slice(0, -2);
  if (!transposed) return { rows, columns, rowStride: columns, columnStride: 1, batch };
  return { rows: columns, columns: rows, rowStride: 1, columnStride: columns, batch };
}

/** Strides of batch axes, in elements of the whole tensor. */
function batchStrides(operand: Operand, batch: readonly number[]): number[] {
  return broadcastStrides(operand.batch, batch).map((stride) => stride * operand.rows * operand.columns);
}

/** Batched product of the last two axes, which `transposeLeft` and `transposeRight` swap first; batch axes broadcast. */
export function matmul(
  t: Recorder,
  left: Tensor,
  right: Tensor,
  options: { transposeLeft?: boolean; transposeRight?: boolean } = {},
): Tensor {
  const { transposeLeft = false, transposeRight = false } = options;
  const [a, b] = [operandOf(left, transposeLeft), operandOf(right, transposeRight)];
  requireArgument(
    a.columns === b.rows,
    () =>
      `matmul needs equal inner sizes; received [${left.shape}] and [${right.shape}] with ${a.columns} and ${b.rows}`,
  );
  const batch = broadcastShapes(a.batch, b.batch);
  const shape = [...batch, a.rows, b.columns];
  if (a.columns === 0) return full(t, shape, 0);
  const out = t.empty(shape);
  if (out.size > 0) {
    const layout = mergeAxes(batch, [batchStrides(a, batch), batchStrides(b, batch), stridesOf(batch)]);
    t.needScratch(packedFloats(a.rows, b.columns, a.columns));
    t.append(
      'matmul',
      [left, right],
      [out],
      [
        ...[out.address, left.address, right.address, a.rows, b.columns, a.columns, a.rowStride, a.columnStride],
        ...[b.rowStride, b.columnStride, layout.sizes.length, ...layout.sizes, ...layout.strides[0]!],
        ...layout.strides[1]!,
      ],
    );
  }
  t.observe({ kind: 'matmul', transposeLeft, transposeRight, inputs: [left, right], outputs: [out] });
  return out;
}

/** x Wᵀ + bias over the last axis; weight f32 [outputs, inputs]. → [..., outputs]. For packed weights see Recorder.linear. */
export function linear(t: Recorder, x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  requireArgument(
    weight.shape.length === 2 && x.shape.length >= 1 && x.columns === weight.columns,
    () => `linear needs rows of the weight's inputs; received [${x.shape}] and weight [${weight.shape}]`,
  );
  const product = matmul(t, reshape(t, x, [x.rows, x.columns]), weight, { transposeRight: true });
  const out = bias === undefined ? product : add(t, product, bias);
  return reshape(t, out, [...x.shape.slice(0, -1), weight.shape[0]!]);
}

function requireCodes(x: Tensor, dtype: 'i8' | 'u8', what: string): void {
  requireArgument(
    x.dtype === dtype && x.shape.length === 2,
    () => `${what} must be ${dtype} with two axes; received ${x.dtype} [${x.shape}]`,
  );
}

/** x (codes · scale)ᵀ with i8 codes [outputs, inputs] and one f32 scale for each output. */
export function linearInt8Weight(t: Recorder, x: Tensor, codes: Tensor, scale: Tensor): Tensor {
  requireCodes(codes, 'i8', 'codes');
  requireArgument(
    sameShape(scale.shape, [codes.shape[0]!]),
    () => `one scale for each of ${codes.shape[0]} outputs was expected; received [${scale.shape}]`,
  );
  return multiply(t, linear(t, x, toFloat(t, codes)), scale);
}

/** left [m, k] times rightᵀ [n, k], both i8. → i32 [m, n], exact while sums fit 32 bits */
export function matmulInt8(t: Recorder, left: Tensor, right: Tensor): Tensor {
  requireCodes(left, 'i8', 'left');
  requireCodes(right, 'i8', 'right');
  const [[m, k], [n, inner]] = [left.shape as [number, number], right.shape as [number, number]];
  requireArgument(k === inner, () => `equal inner sizes were expected; received ${k} and ${inner}`);
  const out = t.empty([m, n], 'i32');
  if (out.size > 0)
    t.append('integerProduct', [left, right], [out], [...[out.address, left.address, right.address, m, n, k]]);
  return out;
}

/** Rows of one byte a value: scale = max|x| / 127, codes = round half to even of x · (1 / scale); zeros have scale 0. */
export function quantizeRows(t: Recorder, x: Tensor): { codes: Tensor; scale: Tensor } {
  requireFloats(x);
  const [codes, scale] = [t.empty(x.shape, 'i8'), t.empty(x.shape.slice(0, -1))];
  if (scale.size > 0)
    t.append('quantizeRows', [x], [codes, scale], [...[codes.address, scale.address, x.address, x.rows, x.columns]]);
  return { codes, scale };
}

/** x quantised by rows at run time, times i8 weights in exact integers, times both scales. x [rows, inputs] */
export function linearInt8Dynamic(
  t: Recorder,
  x: Tensor,
  codes: Tensor,
  scale: Tensor,
): { output: Tensor; inputCodes: Tensor; inputScale: Tensor } {
  requireArgument(x.shape.length === 2, () => `rows of inputs were expected; received shape [${x.shape}]`);
  const { codes: inputCodes, scale: inputScale } = quantizeRows(t, x);
  const product = toFloat(t, matmulInt8(t, inputCodes, codes));
  const scaled = multiply(t, product, reshape(t, inputScale, [x.rows, 1]));
  return { output: multiply(t, scaled, scale), inputCodes, inputScale };
}

/**
 * x Wᵀ with W = (code − zero point) · scale by row and group of inputs; the last group may be short.
 * codes u8 [outputs, inputs], scale f32 and zeroPoint u8 [outputs, groups].
 */
export function linearInt4Group(
  t: Recorder,
  x: Tensor,
  weight: { codes: Tensor; scale: Tensor; zeroPoint: Tensor },
  groupSize: number,
): Tensor {
  requireCodes(weight.codes, 'u8', 'codes');
  requireCodes(weight.zeroPoint, 'u8', 'zero points');
  const [outputs, inputs] = weight.codes.shape as [number, number];
  requireArgument(
    Number.isInteger(groupSize) && groupSize >= 1,
    () => `a positive group size was expected; received ${groupSize}`,
  );
  const groups = Math.ceil(inputs / groupSize);
  for (const table of [weight.scale, weight.zeroPoint])
    requireArgument(
      sameShape(table.shape, [outputs, groups]),
      () => `scales and zero points of shape [${outputs}, ${groups}] were expected; received [${table.shape}]`,
    );
  const codes = pad(t, toFloat(t, weight.codes), [0, 0], [0, groups * groupSize - inputs]);
  const perGroup = (table: Tensor): Tensor => reshape(t, table, [outputs, groups, 1]);
  const steps = subtract(t, reshape(t, codes, [outputs, groups, groupSize]), perGroup(toFloat(t, weight.zeroPoint)));
  const values = reshape(t, multiply(t, steps, perGroup(weight.scale)), [outputs, groups * groupSize]);
  return linear(t, x, sliceAxis(t, values, 1, 0, inputs));
}
