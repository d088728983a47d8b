/**
 * A workbench on one backend: tensors, weights and caches filled with repeatable data, a recorder, and the bits of
 * results. The same program on two benches sees the same data.
 */
import type { Backend, Memory } from '../backend.ts';
import { countOf } from '../operations/shapes.ts';
import { type CacheLayer, Recorder } from '../recorder.ts';
import { activationRowBytes, Tensor } from '../tensor.ts';
import { packWeight, type Weight, type WeightFormat, weightBytes } from '../weight.ts';
import { Random, randomRows } from './random.ts';

export interface CacheShape {
  readonly slots: number;
  readonly pageSlots: number;
  readonly heads: number;
  readonly headSize: number;
  readonly dtype: 'f16' | 'f32';
}

export class Bench {
  readonly backend: Backend;
  readonly recorder: Recorder;
  readonly random: Random = new Random(1);
  readonly #memories: Memory[] = [];

  constructor(backend: Backend) {
    this.backend = backend;
    this.recorder = new Recorder(backend);
  }

  #allocate(byteLength: number): Memory {
    const memory = this.backend.allocate(byteLength);
    this.#memories.push(memory);
    return memory;
  }

  /** An f32 tensor that lives as long as the bench. */
  tensor(rows: number, columns: number, values: Float32Array = this.random.floats(rows * columns, 4)): Tensor {
    const tensor = new Tensor(this.#allocate(values.byteLength), 0, [rows, columns], 'f32');
    tensor.floats().set(values);
    return tensor;
  }

  /** Random f32 values of any shape, until the recorder is flushed. */
  floats(shape: readonly number[], scale = 4): Tensor {
    return this.recorder.upload(this.random.floats(countOf(shape), scale), shape);
  }

  integers(values: readonly number[], shape: readonly number[] = [1, values.length]): Tensor {
    const tensor = new Tensor(this.#allocate(values.length * 4), 0, shape, 'i32');
    tensor.integers().set(values);
    return tensor;
  }

  /** A packed matrix of random rows. */
  weight(format: WeightFormat, rows: number, columns: number): Promise<Weight> {
    const bytes = randomRows(format, rows, columns, this.random);
    const rowBytes = bytes.length / rows;
    const { address } = this.#allocate(weightBytes(format, rows, columns));
    return packWeight(this.backend, format, rows, columns, address, (first, count, into) => {
      into.set(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
    });
  }

  /** The second of two layers of a paged cache whose pages lie in reverse order of allocation; all slots are filled. */
  cache({ slots, pageSlots, heads, headSize, dtype }: CacheShape): CacheLayer {
    const half = pageSlots * heads * headSize * (dtype === 'f16' ? 2 : 4);
    const count = Math.ceil(slots / pageSlots);
    const pages = Array.from({ length: count }, () => this.#allocate(4 * half).address).reverse();
    const table = this.#allocate(count * 8);
    const bytes = table.bytes();
    new Float64Array(bytes.buffer, bytes.byteOffset, count).set(pages);
    const layer = { pages: table, pageSlots, keyOffset: 2 * half, valueOffset: 3 * half, heads, headSize, dtype };
    const all = this.integers(Array.from({ length: count * pageSlots }, (_, slot) => slot));
    const [keys, values] = [0, 1].map(() => this.tensor(count * pageSlots, heads * headSize));
    this.recorder.cacheWrite(layer, keys!, values!, all);
    this.recorder.flush();
    return layer;
  }

  dispose(): void {
    this.recorder.dispose();
    for (const memory of this.#memories) memory.free();
    this.backend.dispose();
  }
}

/** Rows [first, first + count) of a tensor. */
export function rowsOf(tensor: Tensor, first: number, count: number): Tensor {
  const rowBytes = tensor.dtype === 'q8' ? activationRowBytes(tensor.columns) : tensor.columns * 4;
  return new Tensor(tensor.memory, tensor.byteOffset + first * rowBytes, [count, tensor.columns], tensor.dtype);
}

/** What a tensor holds, without padding; one bit pattern stands for every NaN. */
export function bitsOf(tensor: Tensor): Uint32Array {
  if (tensor.dtype === 'i8' || tensor.dtype === 'u8') return Uint32Array.from(tensor.codes());
  if (tensor.dtype !== 'q8') {
    const floats = tensor.dtype === 'f32' ? tensor.floats().slice() : undefined;
    const bits = new Uint32Array((floats ?? tensor.integers().slice()).buffer);
    floats?.forEach((value, i) => {
      if (Number.isNaN(value)) bits[i] = 0x7fc00000;
    });
    return bits;
  }
  const words = (tensor.columns + (tensor.columns / 32) * 20) / 4;
  const bytes = tensor.memory.bytes();
  const bits = new Uint32Array(tensor.rows * words);
  for (let row = 0; row < tensor.rows; row++) {
    const at = bytes.byteOffset + tensor.byteOffset + row * activationRowBytes(tensor.columns);
    bits.set(new Uint32Array(bytes.buffer, at, words), row * words);
  }
  return bits;
}
