/** Whole numbers: conversions, rows quantised to one byte with a scale of their own, exact products of bytes. */
import type { AddressSpace } from './address-space.ts';
import { divide, larger, multiply, roundHalfToEven, smaller } from './arithmetic.ts';

/** Scale = max|x| / 127, code = round half to even of x · (1 / scale); a row of zeros has scale 0. */
export function quantizeRows(
  memory: AddressSpace,
  codes: number,
  scales: number,
  x: number,
  rows: number,
  columns: number,
): void {
  for (let row = 0; row < rows; row++) {
    const values = memory.floats(x + row * columns * 4, columns);
    const largest = values.reduce((most, value) => larger(Math.abs(value), most), 0);
    const scale = divide(largest, 127);
    const inverse = largest >= 2 ** -120 ? divide(1, scale) : 0;
    memory.floats(scales + row * 4, 1)[0] = scale;
    const bytes = memory.bytes(codes + row * columns, columns);
    values.forEach((value, i) => {
      const scaled = multiply(value, inverse);
      bytes[i] = roundHalfToEven(larger(smaller(127, scaled), -127));
    });
  }
}

/** left [m, k] times the transpose of right [n, k]; sums wrap at 32 bits. */
export function integerProduct(
  memory: AddressSpace,
  out: number,
  left: number,
  right: number,
  m: number,
  n: number,
  k: number,
): void {
  const bytes = (address: number, length: number): Int8Array =>
    new Int8Array(memory.bytes(address, length).slice().buffer);
  const [a, b] = [bytes(left, m * k), bytes(right, n * k)];
  memory.integers(out, m * n).forEach((_, i, results) => {
    const [row, column] = [Math.floor(i / n), i % n];
    let sum = 0;
    for (let j = 0; j < k; j++) sum = (sum + a[row * k + j]! * b[column * k + j]!) | 0;
    results[i] = sum;
  });
}

/** Integers of a kind (0: signed bytes, 1: unsigned bytes, 2: 32 bits) as the nearest floats. */
export function convert(memory: AddressSpace, out: number, x: number, count: number, kind: number): void {
  const bytes = memory.bytes(x, kind === 2 ? 4 * count : count).slice().buffer;
  const values = [Int8Array, Uint8Array, Int32Array][kind]!;
  memory.floats(out, count).set(new values(bytes));
}
