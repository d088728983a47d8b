/**
 * Row-wise commands, one row at a time: norms, activation functions, rotary embedding, top-k. Sums over a row run in 16
 * lanes (element i in lane i mod 16), which are then folded.
 */

import { activationRow, quantizeRow } from './activations.ts';
import type { AddressSpace } from './address-space.ts';
import { add, divide, exponential, foldLanes, multiply, round, softcapped, subtract, tanh } from './arithmetic.ts';

/** What becomes of a computed row. */
const outKinds = { float: 0, quantized: 1, added: 2 } as const;

function putRow(memory: AddressSpace, kind: number, out: number, row: number, x: Float32Array): void {
  if (kind === outKinds.quantized) {
    quantizeRow(activationRow(memory, out, row, x.length), x);
    return;
  }
  const y = memory.floats(out + row * x.length * 4, x.length);
  for (let i = 0; i < x.length; i++) y[i] = kind === outKinds.added ? add(y[i], x[i]) : x[i];
}

/** x / √(mean(x²) + ε) · weight. */
export function rmsNorm(
  memory: AddressSpace,
  out: number,
  outKind: number,
  x: number,
  weight: number,
  rows: number,
  columns: number,
  epsilon: number,
): void {
  const weights = memory.floats(weight, columns);
  for (let row = 0; row < rows; row++) {
    const values = memory.floats(x + row * columns * 4, columns);
    const lanes = new Float32Array(16);
    values.forEach((value, i) => {
      lanes[i % 16] = add(lanes[i % 16], multiply(value, value));
    });
    const meanSquare = divide(foldLanes(lanes), columns);
    const scale = divide(1, round(Math.sqrt(add(meanSquare, round(epsilon)))));
    const normed = values.map((value, i) => multiply(multiply(value, scale), weights[i]));
    putRow(memory, outKind, out, row, normed);
  }
}

/** x / (1 + e^−x). */
function silu(x: number): number {
  return divide(x, add(1, exponential(subtract(0, x))));
}

/** x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))). */
function geluTanh(x: number): number {
  const cube = multiply(multiply(x, x), x);
  const z = multiply(round(0.7978845608028654), add(x, multiply(round(0.044715), cube)));
  return multiply(multiply(0.5, x), add(1, tanh(z)));
}

const activations = [silu, geluTanh];

/** activation(gate) · up. */
export function gated(
  memory: AddressSpace,
  out: number,
  outKind: number,
  gate: number,
  up: number,
  rows: number,
  columns: number,
  activation: number,
): void {
  for (let row = 0; row < rows; row++) {
    const factors = memory.floats(up + row * columns * 4, columns);
    const gates = memory.floats(gate + row * columns * 4, columns);
    const values = gates.map((value, i) => multiply(activations[activation](value), factors[i]));
    putRow(memory, outKind, out, row, values);
  }
}

/** Rotates pairs of every head in place; a table row is rotary/2 cosines, then rotary/2 sines. */
export function rope(
  memory: AddressSpace,
  x: number,
  table: number,
  rows: number,
  heads: number,
  headSize: number,
  rotary: number,
  adjacentPairs: number,
): void {
  const half = rotary / 2;
  for (let row = 0; row < rows; row++) {
    const angles = memory.floats(table + row * rotary * 4, rotary);
    for (let head = 0; head < heads; head++) {
      const values = memory.floats(x + (row * heads + head) * headSize * 4, headSize);
      for (let i = 0; i < half; i++) {
        const first = adjacentPairs ? 2 * i : i;
        const second = adjacentPairs ? first + 1 : first + half;
        const p = values[first];
        const q = values[second];
        values[first] = subtract(multiply(p, angles[i]), multiply(q, angles[half + i]));
        values[second] = add(multiply(p, angles[half + i]), multiply(q, angles[i]));
      }
    }
  }
}

/** a + b. */
export function addValues(memory: AddressSpace, out: number, a: number, b: number, count: number): void {
  const [y, left, right] = [out, a, b].map((address) => memory.floats(address, count));
  for (let i = 0; i < count; i++) y[i] = add(left[i], right[i]);
}

/** cap · tanh(x / cap), in place. */
export function softcap(memory: AddressSpace, x: number, count: number, cap: number): void {
  const values = memory.floats(x, count);
  for (let i = 0; i < count; i++) values[i] = softcapped(values[i], round(cap));
}

/** The k largest of each row, largest first, ties to the smaller index; NaN never wins. Missing ones are −∞ and −1. */
export function topK(
  memory: AddressSpace,
  values: number,
  ids: number,
  x: number,
  rows: number,
  columns: number,
  k: number,
): void {
  for (let row = 0; row < rows; row++) {
    const line = memory.floats(x + row * columns * 4, columns);
    const order = [...line.keys()].filter((i) => !Number.isNaN(line[i]));
    // Equal values keep the order of their indices: −0 and 0 are equal.
    order.sort((a, b) => (line[a] === line[b] ? a - b : line[a] > line[b] ? -1 : 1));
    const bestValues = memory.floats(values + row * k * 4, k);
    const bestIds = memory.integers(ids + row * k * 4, k);
    for (let i = 0; i < k; i++) {
      bestValues[i] = i < order.length ? line[order[i]] : Number.NEGATIVE_INFINITY;
      bestIds[i] = i < order.length ? order[i] : i === 0 ? 0 : -1;
    }
  }
}

export function copyRows(
  memory: AddressSpace,
  out: number,
  x: number,
  rows: number,
  count: number,
  rowBytes: number,
): void {
  memory.integers(rows, count).forEach((row, i) => {
    memory.bytes(out + i * rowBytes, rowBytes).set(memory.bytes(x + row * rowBytes, rowBytes));
  });
}
