/**
 * 8-bit activation rows. A row is: codes, then for each 32 columns a scale, then scale × sum of codes, then the negated
 * sum, then for each 16 columns the negated sum; rows are padded to 64 bytes.
 */
import { activationRowBytes } from '../tensor.ts';
import type { AddressSpace } from './address-space.ts';
import { divide, multiply, roundHalfToEven } from './arithmetic.ts';

/** Views of the fields of one row. */
export interface ActivationRow {
  readonly codes: Int8Array;
  readonly scales: Float32Array;
  readonly scaledSums: Float32Array;
  readonly negativeSums: Int32Array;
  readonly negativeHalfSums: Int32Array;
}

export function activationRow(memory: AddressSpace, address: number, row: number, columns: number): ActivationRow {
  const { buffer, byteOffset } = memory.bytes(
    address + row * activationRowBytes(columns),
    columns + (columns / 32) * 20,
  );
  const blocks = columns / 32;
  const fields = byteOffset + columns;
  return {
    codes: new Int8Array(buffer, byteOffset, columns),
    scales: new Float32Array(buffer, fields, blocks),
    scaledSums: new Float32Array(buffer, fields + 4 * blocks, blocks),
    negativeSums: new Int32Array(buffer, fields + 8 * blocks, blocks),
    negativeHalfSums: new Int32Array(buffer, fields + 12 * blocks, 2 * blocks),
  };
}

/** Blocks whose largest magnitude is smaller than this are zero: 127 / magnitude would not be a float32. */
const smallestMagnitude: number = 2 ** -120;

/** Per 32 columns: scale = max|x| / 127, code = x · (127 / max|x|) rounded half to even. */
export function quantizeRow(row: ActivationRow, x: Float32Array): void {
  for (let block = 0; block < x.length / 32; block++) {
    const values = x.subarray(32 * block, 32 * block + 32);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const inverse = largest >= smallestMagnitude ? divide(127, largest) : 0;
    row.scales[block] = divide(largest, 127);
    const sums = [0, 0];
    values.forEach((value, l) => {
      const code = roundHalfToEven(multiply(value, inverse));
      row.codes[32 * block + l] = code;
      sums[l < 16 ? 0 : 1] += code;
    });
    row.negativeHalfSums[2 * block] = -sums[0];
    row.negativeHalfSums[2 * block + 1] = -sums[1];
    row.negativeSums[block] = -(sums[0] + sums[1]);
    row.scaledSums[block] = multiply(row.scales[block], sums[0] + sums[1]);
  }
}

export function quantize(memory: AddressSpace, out: number, x: number, rows: number, columns: number): void {
  for (let row = 0; row < rows; row++)
    quantizeRow(activationRow(memory, out, row, columns), memory.floats(x + row * columns * 4, columns));
}
