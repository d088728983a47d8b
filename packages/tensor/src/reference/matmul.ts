/** Batched float products: the sum over k runs in blocks of 256, each from zero in order, the blocks added in order. */
import type { AddressSpace } from './address-space.ts';
import { add, multiply } from './arithmetic.ts';
import { offsetOf, readStrides } from './shapes.ts';

const depth = 256;

export function matmul(memory: AddressSpace, ...operands: number[]): void {
  const [out, left, right, m, n, k, leftRow, leftInner, rightInner, rightColumn, rank] = operands as unknown as [
    ...[out: number, left: number, right: number, m: number, n: number, k: number],
    ...[leftRow: number, leftInner: number, rightInner: number, rightColumn: number, rank: number],
  ];
  const { sizes, strides, total } = readStrides(operands.slice(11), rank, 2);
  for (let batch = 0; batch < total; batch++) {
    const [leftAt, rightAt] = strides.map((stride) => offsetOf(sizes, stride, batch)) as [number, number];
    const a = memory.floats(left + 4 * leftAt, (m - 1) * leftRow + (k - 1) * leftInner + 1);
    const b = memory.floats(right + 4 * rightAt, (k - 1) * rightInner + (n - 1) * rightColumn + 1);
    const results = memory.floats(out + 4 * batch * m * n, m * n);
    for (let row = 0; row < m; row++)
      for (let column = 0; column < n; column++) {
        let sum = 0;
        for (let first = 0; first < k; first += depth) {
          let part = 0;
          for (let i = first; i < Math.min(first + depth, k); i++)
            part = add(part, multiply(a[row * leftRow + i * leftInner]!, b[i * rightInner + column * rightColumn]!));
          sum = first === 0 ? part : add(sum, part);
        }
        results[row * n + column] = sum;
      }
  }
}
