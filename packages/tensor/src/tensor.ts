/**
 * A tensor is a shape over a piece of backend memory: contiguous, row-major. It computes nothing; the recorder does.
 * `q8` is an 8-bit activation matrix: per row the codes, then per 32 columns a float scale, scale × sum of codes and
 * the negated integer sum, then per 16 columns the negated integer sum (see `activationRowBytes`).
 */
import type { Memory } from './backend.ts';

/** `i8` and `u8` hold codes and masks, one byte an element. */
export type DType = 'f32' | 'i32' | 'i8' | 'u8' | 'q8';

/** Bytes of one row of 8-bit activations. `columns` is a multiple of 32. */
export function activationRowBytes(columns: number): number {
  return Math.ceil((columns + (columns / 32) * 20) / 64) * 64;
}

export class Tensor {
  readonly memory: Memory;
  readonly byteOffset: number;
  readonly shape: readonly number[];
  readonly dtype: DType;

  /** Where the first element lies: an operand of commands. */
  readonly address: number;
  /** Length of the last dimension; 1 for a scalar, whose shape is []. */
  readonly columns: number;
  /** Product of all dimensions but the last. */
  readonly rows: number;

  constructor(memory: Memory, byteOffset: number, shape: readonly number[], dtype: DType) {
    this.memory = memory;
    this.byteOffset = byteOffset;
    this.shape = shape;
    this.dtype = dtype;
    this.address = memory.address + byteOffset;
    this.columns = shape.length > 0 ? shape[shape.length - 1]! : 1;
    let rows = 1;
    for (let i = 0; i < shape.length - 1; i++) rows *= shape[i]!;
    this.rows = rows;
  }

  /** Number of elements. */
  get size(): number {
    return this.rows * this.columns;
  }

  get byteLength(): number {
    if (this.dtype === 'q8') return this.rows * activationRowBytes(this.columns);
    return this.size * (this.dtype === 'i8' || this.dtype === 'u8' ? 1 : 4);
  }

  /** A view of the floats. Only valid once the commands that write them have run, and until the next allocation. */
  floats(): Float32Array<ArrayBufferLike> {
    const bytes = this.memory.bytes();
    return new Float32Array(bytes.buffer, bytes.byteOffset + this.byteOffset, this.rows * this.columns);
  }

  /** A view of the bytes of an `i8` or `u8` tensor, under the same conditions. */
  codes(): Int8Array<ArrayBufferLike> | Uint8Array<ArrayBufferLike> {
    const { buffer, byteOffset } = this.memory.bytes();
    const start = byteOffset + this.byteOffset;
    return this.dtype === 'i8' ? new Int8Array(buffer, start, this.size) : new Uint8Array(buffer, start, this.size);
  }

  integers(): Int32Array<ArrayBufferLike> {
    const bytes = this.memory.bytes();
    return new Int32Array(bytes.buffer, bytes.byteOffset + this.byteOffset, this.rows * this.columns);
  }
}
