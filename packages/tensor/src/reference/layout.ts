/**
 * Moving elements: strided copies, gather, scatter, windows of images and back. An index outside its axis reads as 0 and
 * writes nothing.
 */
import type { AddressSpace } from './address-space.ts';
import { add, round } from './arithmetic.ts';
import { offsetOf, readStrides } from './shapes.ts';

export function copy(memory: AddressSpace, out: number, x: number, rank: number, ...words: number[]): void {
  const { sizes, strides, total } = readStrides(words, rank, 2);
  for (let i = 0; i < total; i++) {
    const [to, from] = strides.map((stride) => offsetOf(sizes, stride, i)) as [number, number];
    memory.integers(out + 4 * to, 1)[0] = memory.integers(x + 4 * from, 1)[0]!;
  }
}

export function gather(
  memory: AddressSpace,
  out: number,
  x: number,
  indices: number,
  axisStride: number,
  axisSize: number,
  rank: number,
  ...words: number[]
): void {
  const { sizes, strides, total } = readStrides(words, rank, 2);
  const results = memory.floats(out, total);
  for (let i = 0; i < total; i++) {
    const [from, by] = strides.map((stride) => offsetOf(sizes, stride, i)) as [number, number];
    const index = memory.integers(indices + 4 * by, 1)[0]!;
    const inside = index >= 0 && index < axisSize;
    results[i] = inside ? memory.floats(x + 4 * (from + index * axisStride), 1)[0]! : 0;
  }
}

/** Sources of one line along the axis land on one line of the output, in order. */
export function scatter(
  memory: AddressSpace,
  out: number,
  source: number,
  indices: number,
  adds: number,
  count: number,
  sourceStep: number,
  indexStep: number,
  axisStride: number,
  axisSize: number,
  rank: number,
  ...words: number[]
): void {
  const { sizes, strides, total } = readStrides(words, rank, 3);
  for (let i = 0; i < total; i++) {
    const [to, from, by] = strides.map((stride) => offsetOf(sizes, stride, i)) as [number, number, number];
    for (let k = 0; k < count; k++) {
      const index = memory.integers(indices + 4 * (by + k * indexStep), 1)[0]!;
      if (index < 0 || index >= axisSize) continue;
      const y = memory.floats(out + 4 * (to + index * axisStride), 1);
      const value = memory.floats(source + 4 * (from + k * sourceStep), 1)[0]!;
      y[0] = adds ? add(y[0]!, value) : value;
    }
  }
}

/** Calls `visit(index among the columns, index among the pixels or −1 for padding)` in window order. */
function eachWindowCell(geometry: readonly number[], visit: (column: number, pixel: number) => void): void {
  const [planes, height, width, windowHeight, windowWidth, ...rest] = geometry as [
    number,
    number,
    number,
    number,
    number,
  ];
  const [strideY, strideX, padY, padX, dilationY, dilationX, outHeight, outWidth] = rest as unknown as number[];
  let column = 0;
  for (let plane = 0; plane < planes; plane++)
    for (let dy = 0; dy < windowHeight; dy++)
      for (let dx = 0; dx < windowWidth; dx++)
        for (let row = 0; row < outHeight!; row++)
          for (let i = 0; i < outWidth!; i++) {
            const y = row * strideY! + dy * dilationY! - padY!;
            const x = i * strideX! + dx * dilationX! - padX!;
            const inside = y >= 0 && y < height && x >= 0 && x < width;
            visit(column++, inside ? (plane * height + y) * width + x : -1);
          }
}

const columnCount = (geometry: readonly number[]): number =>
  geometry[0]! * geometry[3]! * geometry[4]! * geometry[11]! * geometry[12]!;
const pixelCount = (geometry: readonly number[]): number => geometry[0]! * geometry[1]! * geometry[2]!;

/** Images [planes, height, width] as columns [planes, window height, window width, out height, out width]. */
export function unfold(memory: AddressSpace, out: number, x: number, fill: number, ...geometry: number[]): void {
  const columns = memory.floats(out, columnCount(geometry));
  const pixels = memory.floats(x, pixelCount(geometry));
  eachWindowCell(geometry, (column, pixel) => {
    columns[column] = pixel >= 0 ? pixels[pixel]! : round(fill);
  });
}

/** The reverse: every pixel sums its places in the windows, in window order. */
export function fold(memory: AddressSpace, out: number, x: number, _fill: number, ...geometry: number[]): void {
  const columns = memory.floats(x, columnCount(geometry));
  const pixels = memory.floats(out, pixelCount(geometry)).fill(0);
  eachWindowCell(geometry, (column, pixel) => {
    if (pixel >= 0) pixels[pixel] = add(pixels[pixel]!, columns[column]!);
  });
}
