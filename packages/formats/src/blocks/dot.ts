/**
 * Dot products of block-encoded weights with a block-encoded activation, as fast kernels compute them: integer products
 * of codes, summed per group, then scaled. With value = scale·code + offset on the weights' side and d·y on the
 * activation's,
 *
 *     Σ = Σ_groups d·( scale·Σ code·y + offset·Σ y )
 *
 * where Q8_1 stores d·Σy itself (rounded to half). Sums over blocks run in double precision: this is the reference that
 * kernels are compared with, not a copy of one summation order.
 */
import { GallopError, requireArgument } from '@gallop/core';
import { type GgmlTypeName, ggmlType } from '../gguf/ggml-types.ts';
import { halfToFloat } from '../values/float-formats.ts';
import { unpackerOf } from './dequantize.ts';
import { emptyBlock, type UnpackedBlock, u16 } from './unpacked-block.ts';

const withQ8_0: readonly GgmlTypeName[] = ['Q4_0', 'Q5_0', 'Q8_0', 'IQ4_NL', 'MXFP4', 'NVFP4', 'Q1_0', 'Q2_0'];
const plain: readonly GgmlTypeName[] = ['F32', 'F16', 'BF16'];

/** The activation format that integer dot products with a weight format use. @throws GallopError `unsupported`. */
export function activationTypeOf(weights: GgmlTypeName): GgmlTypeName {
  if (plain.includes(weights)) return weights;
  if (withQ8_0.includes(weights)) return 'Q8_0';
  if (weights === 'Q4_1' || weights === 'Q5_1') return 'Q8_1';
  if (ggmlType(weights).blockElements === 256 && weights !== 'Q8_K') return 'Q8_K';
  throw new GallopError('unsupported', `Expected a weight format; received ${weights}, which holds no weights.`);
}

/**
 * Dot products of rows of weights with one activation.
 * @param blocks rows of encoded weights, one after the other.
 * @param activation one row in the format `activationTypeOf(type)`, of as many elements.
 * @returns one number per row.
 * @throws GallopError `invalid-argument` unless `blocks` are whole rows as long as the activation.
 */
export function quantizedDot(type: GgmlTypeName, blocks: Uint8Array, activation: Uint8Array): Float32Array {
  const weightType = ggmlType(type);
  const activationType = ggmlType(activationTypeOf(type));
  const columns = (activation.length / activationType.blockBytes) * activationType.blockElements;
  const rowBytes = (columns / weightType.blockElements) * weightType.blockBytes;
  requireArgument(
    activationType.blockElements > 1 && Number.isInteger(rowBytes) && rowBytes > 0 && blocks.length % rowBytes === 0,
    () => `Expected rows of ${columns} ${type} weights, like the activation; received ${blocks.length} bytes.`,
  );
  const parts = unpackActivation(activationType.name, activation, columns);
  const dots = new Float32Array(blocks.length / rowBytes);
  const unpack = unpackerOf(type);
  const block = emptyBlock();
  for (let row = 0; row < dots.length; row++) {
    let sum = 0;
    for (
      let from = 0, at = row * rowBytes;
      from < columns;
      from += weightType.blockElements, at += weightType.blockBytes
    ) {
      unpack(blocks, at, block);
      sum += blockDot(block, weightType.blockElements, parts, from);
    }
    dots[row] = sum;
  }
  return dots;
}

/** An activation row taken apart. */
interface ActivationParts {
  readonly codes: Int16Array;
  readonly blockElements: number;
  /** d of each block. */
  readonly scales: Float32Array;
  /** Stored d·Σy of each block (Q8_1). */
  readonly sums: Float32Array | undefined;
}

function unpackActivation(type: GgmlTypeName, bytes: Uint8Array, columns: number): ActivationParts {
  const { blockElements, blockBytes } = ggmlType(type);
  const unpack = unpackerOf(type);
  const block = emptyBlock();
  const codes = new Int16Array(columns);
  const scales = new Float32Array(columns / blockElements);
  const sums = type === 'Q8_1' ? new Float32Array(scales.length) : undefined;
  for (let index = 0; index < scales.length; index++) {
    unpack(bytes, index * blockBytes, block);
    codes.set(block.codes.subarray(0, blockElements), index * blockElements);
    scales[index] = block.scales[0];
    if (sums !== undefined) sums[index] = halfToFloat(u16(bytes, index * blockBytes + 2));
  }
  return { codes, blockElements, scales, sums };
}

/** One block of weights with the activation's elements from `from` on. */
function blockDot(block: UnpackedBlock, elements: number, activation: ActivationParts, from: number): number {
  // Integer sums may not cross a scale of either side.
  const step = Math.min(block.groupSize, activation.blockElements);
  let total = 0;
  for (let e = 0; e < elements; e += step) {
    const group = Math.floor(e / block.groupSize);
    const part = Math.floor((from + e) / activation.blockElements);
    let [products, sum] = [0, 0];
    for (let i = e; i < e + step; i++) {
      const y = activation.codes[from + i];
      products += block.codes[i] * y;
      sum += y;
    }
    const d = activation.scales[part];
    total += d * (block.scales[group] * products);
    if (block.hasOffsets)
      total += block.offsets[group] * (activation.sums === undefined ? d * sum : activation.sums[part]);
  }
  return total;
}
