/**
 * y = x Wᵀ, output by output. Sums over blocks of 32 columns run in block order:
 *
 *     8-bit activations:  y = Σ_b ((float(integer dot) · scale_w) · scale_x [+ minimum_w · (scale_x · sum of codes)])
 *     float activations:  y = Σ_b (Σ_k w_k · x_k)
 */
import { type ActivationRow, activationRow } from './activations.ts';
import type { AddressSpace } from './address-space.ts';
import { add, multiply } from './arithmetic.ts';
import type { Block } from './weight-blocks.ts';
import { decodeRow, rowBlocks } from './weight-rows.ts';

/** Σ (code − zero point) · activation code over columns [from, to) of a block. */
function integerDot(block: Block, activations: Int8Array, from: number, to: number): number {
  let sum = 0;
  for (let l = from; l < to; l++) sum += (block.codes[l] - block.zeroPoint) * activations[l];
  return sum;
}

function quantizedDot(blocks: readonly Block[], x: ActivationRow): number {
  let sum = 0;
  blocks.forEach((block, b) => {
    const activations = x.codes.subarray(32 * b, 32 * b + 32);
    const width = 32 / block.scales.length;
    block.scales.forEach((scale, group) => {
      const dot = integerDot(block, activations, group * width, (group + 1) * width);
      let product = multiply(multiply(Math.fround(dot), scale), x.scales[b]);
      if (block.minimums) {
        const negativeSum = width === 32 ? x.negativeSums[b] : x.negativeHalfSums[2 * b + group];
        product = add(product, multiply(block.minimums[group], multiply(x.scales[b], -negativeSum)));
      }
      sum = add(sum, product);
    });
  });
  return sum;
}

function floatDot(weights: Float32Array, x: Float32Array): number {
  let sum = 0;
  for (let first = 0; first < x.length; first += 32) {
    let part = 0;
    for (let k = first; k < Math.min(first + 32, x.length); k++) part = add(part, multiply(weights[k], x[k]));
    sum = add(sum, part);
  }
  return sum;
}

export function linear(
  memory: AddressSpace,
  out: number,
  weights: number,
  x: number,
  bias: number,
  rows: number,
  outputs: number,
  columns: number,
  outStride: number,
  format: number,
  quantized: number,
  accumulate: number,
): void {
  const biases = bias ? memory.floats(bias, outputs) : undefined;
  for (let output = 0; output < outputs; output++) {
    const dot = quantized
      ? quantizedDots(memory, x, columns, rowBlocks(memory, weights, output, columns, format))
      : floatDots(memory, x, decodeRow(memory, weights, output, columns, format));
    for (let row = 0; row < rows; row++) {
      const value = biases ? add(dot(row), biases[output]) : dot(row);
      const y = memory.floats(out + row * outStride * 4, outputs);
      y[output] = accumulate ? add(y[output], value) : value;
    }
  }
}

function quantizedDots(
  memory: AddressSpace,
  x: number,
  columns: number,
  blocks: readonly Block[],
): (row: number) => number {
  return (row) => quantizedDot(blocks, activationRow(memory, x, row, columns));
}

function floatDots(memory: AddressSpace, x: number, weights: Float32Array): (row: number) => number {
  return (row) => floatDot(weights, memory.floats(x + row * weights.length * 4, weights.length));
}
