/** Walking strided operands: sizes and strides as commands carry them, coordinates of flat indices. */

export interface Strided {
  readonly sizes: readonly number[];
  /** Per operand, in elements. */
  readonly strides: readonly (readonly number[])[];
  /** Product of the sizes. */
  readonly total: number;
}

/** The sizes of `rank` axes and their strides for `count` operands, from the tail of a command. */
export function readStrides(words: readonly number[], rank: number, count: number): Strided {
  const sizes = words.slice(0, rank);
  const strides = Array.from({ length: count }, (_, i) => words.slice((i + 1) * rank, (i + 2) * rank));
  return { sizes, strides, total: sizes.reduce((product, size) => product * size, 1) };
}

/** The row-major coordinates of a flat index. */
export function coordinates(index: number, sizes: readonly number[]): number[] {
  const at = new Array<number>(sizes.length);
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    at[axis] = index % sizes[axis]!;
    index = Math.floor(index / sizes[axis]!);
  }
  return at;
}

/** How many elements from its start an operand has the element of a flat index. */
export function offsetOf(sizes: readonly number[], strides: readonly number[], index: number): number {
  return coordinates(index, sizes).reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
}
