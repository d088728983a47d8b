/**
 * Weight matrices of the reference backend. A compiled kernel interleaves sixteen rows; here a panel holds its sixteen
 * rows one after the other just as the file stores them, in the space that the interleaved panel would take.
 */
import { GallopError } from '@gallop/core';
import { fileRowBytes, Weight, type WeightFormat, weightBytes, weightFormats } from '../weight.ts';
import type { AddressSpace } from './address-space.ts';
import { add, multiply } from './arithmetic.ts';
import { type Block, blockFormats, floatFormats } from './weight-blocks.ts';

/** Commands name formats by the ids of GGUF. */
const formatNames: ReadonlyMap<number, WeightFormat> = new Map(
  weightFormats.map((name) => [new Weight(name, 1, 1, 0).formatId, name]),
);

function nameOf(format: number): WeightFormat {
  const name = formatNames.get(format);
  if (name) return name;
  throw new GallopError(
    'unsupported',
    `a weight format id out of ${[...formatNames.keys()]} was expected; received ${format}`,
  );
}

const rowBytes = (format: number, columns: number): number => fileRowBytes(nameOf(format), columns);

function rowAddress(weights: number, row: number, columns: number, format: number): number {
  return (
    weights + weightBytes(nameOf(format), Math.floor(row / 16) * 16, columns) + (row % 16) * rowBytes(format, columns)
  );
}

export function pack(
  memory: AddressSpace,
  out: number,
  source: number,
  rows: number,
  columns: number,
  format: number,
): void {
  const length = rowBytes(format, columns);
  for (let row = 0; row < rows; row++)
    memory.bytes(rowAddress(out, row, columns, format), length).set(memory.bytes(source + row * length, length));
}

/** The blocks of 32 columns of one row. */
export function rowBlocks(
  memory: AddressSpace,
  weights: number,
  row: number,
  columns: number,
  formatId: number,
): Block[] {
  const format = blockFormats.get(formatId)!;
  const bytes = memory.bytes(rowAddress(weights, row, columns, formatId), rowBytes(formatId, columns));
  const partsPerBlock = format.blockColumns / 32;
  return Array.from({ length: columns / 32 }, (_, index) => {
    const block = Math.floor(index / partsPerBlock);
    return format.read(bytes.subarray(block * format.fileBytes), index % partsPerBlock);
  });
}

/** One row as float32. */
export function decodeRow(
  memory: AddressSpace,
  weights: number,
  row: number,
  columns: number,
  formatId: number,
): Float32Array {
  const float = floatFormats.get(formatId);
  if (float) {
    const bytes = memory.bytes(rowAddress(weights, row, columns, formatId), rowBytes(formatId, columns));
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return Float32Array.from({ length: columns }, (_, column) => float.read(view, column * float.bytes));
  }
  const values = new Float32Array(columns);
  rowBlocks(memory, weights, row, columns, formatId).forEach((block, index) => {
    for (let l = 0; l < 32; l++) values[32 * index + l] = decodeColumn(block, l);
  });
  return values;
}

function decodeColumn({ codes, scales, zeroPoint, minimums }: Block, l: number): number {
  const group = scales.length === 2 && l >= 16 ? 1 : 0;
  const value = multiply(scales[group], codes[l] - zeroPoint);
  return minimums ? add(value, minimums[group]) : value;
}

/** Rows `ids`, decoded and multiplied by `scale`. */
export function embed(
  memory: AddressSpace,
  out: number,
  weights: number,
  ids: number,
  rows: number,
  columns: number,
  format: number,
  scale: number,
): void {
  memory.integers(ids, rows).forEach((id, row) => {
    const values = decodeRow(memory, weights, id, columns, format);
    const y = memory.floats(out + row * columns * 4, columns);
    for (let column = 0; column < columns; column++) y[column] = multiply(values[column], Math.fround(scale));
  });
}
