/**
 * A model's weights on their way from a file into backend memory: one block of memory for all matrices (so that the
 * system can back it with large pages), filled matrix by matrix without a second copy of the model.
 */
import { GallopError } from '@gallop/core';
import { dequantize, type GgufFile, type GgufTensor } from '@gallop/formats';
import {
  type Backend,
  isWeightFormat,
  type Memory,
  packWeight,
  Tensor,
  type Weight,
  type WeightFormat,
  weightBytes,
  weightFormats,
} from '@gallop/tensor';

export interface WeightOptions {
  readonly activations: 'q8' | 'f32';
  readonly signal?: AbortSignal;
  /** Called after each matrix with bytes of the file read so far and in all. */
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/** 8-bit activations where asked for and where every one of these weights multiplies in integers. */
export function activationsFor(options: { readonly activations: 'q8' | 'f32' }, ...weights: Weight[]): 'q8' | 'f32' {
  return options.activations === 'q8' && weights.every((weight) => weight.isQuantized) ? 'q8' : 'f32';
}

export class ModelWeights implements Disposable {
  readonly activations: 'q8' | 'f32';
  readonly backend: Backend;
  readonly #file: GgufFile;
  readonly #options: WeightOptions;
  readonly #totalBytes: number;
  readonly #matrices: Memory;
  readonly #vectors: Memory[] = [];
  #used = 0;
  #loadedBytes = 0;

  constructor(file: GgufFile, backend: Backend, options: WeightOptions) {
    this.#file = file;
    this.backend = backend;
    this.activations = options.activations;
    this.#options = options;
    this.#totalBytes = file.tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
    const needed = file.tensors.filter((tensor) => tensor.dimensions.length === 2).map(packedBytes);
    this.#matrices = backend.allocate(needed.reduce((sum, bytes) => sum + bytes, 0));
  }

  has(name: string): boolean {
    return this.#file.find(name) !== undefined;
  }

  /**
   * A matrix [rows, columns] in panels.
   * @throws GallopError `invalid-file` when it is absent or shaped otherwise, `unsupported` for a format without kernels
   */
  async matrix(name: string, rows: number, columns: number): Promise<Weight> {
    const tensor = this.#expect(name, [columns, rows]);
    const format = matrixFormat(tensor);
    const rowBytes = tensor.byteLength / rows;
    const address = this.#matrices.address + this.#used;
    const weight = await packWeight(this.backend, format, rows, columns, address, async (first, count, into) => {
      this.#options.signal?.throwIfAborted();
      if (this.#file.canReadSync) this.#file.readSync(tensor, into, first * rowBytes);
      else await this.#file.read(tensor, { offset: first * rowBytes, length: count * rowBytes, into });
    });
    this.#used += packedBytes(tensor);
    this.#report(tensor);
    return weight;
  }

  /** A vector as float32 [1, length]. */
  async vector(name: string, length: number): Promise<Tensor> {
    const tensor = this.#expect(name, [length]);
    const memory = this.backend.allocate(length * 4);
    this.#vectors.push(memory);
    const result = new Tensor(memory, 0, [1, length], 'f32');
    result.floats().set(dequantize(tensor.type, await this.#file.read(tensor)));
    this.#report(tensor);
    return result;
  }

  dispose(): void {
    this.#matrices.free();
    for (const memory of this.#vectors) memory.free();
    this.#vectors.length = 0;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #expect(name: string, dimensions: readonly number[]): GgufTensor {
    const tensor = this.#file.tensor(name);
    if (tensor.dimensions.length === dimensions.length && tensor.dimensions.every((size, i) => size === dimensions[i]))
      return tensor;
    throw new GallopError(
      'invalid-file',
      `expected tensor "${name}" of dimensions [${dimensions.join(', ')}], as the metadata says; found [${tensor.dimensions.join(', ')}]; convert the model again`,
    );
  }

  #report(tensor: GgufTensor): void {
    this.#loadedBytes += tensor.byteLength;
    this.#options.onProgress?.(this.#loadedBytes, this.#totalBytes);
  }
}

function matrixFormat(tensor: GgufTensor): WeightFormat {
  if (isWeightFormat(tensor.type)) return tensor.type;
  throw new GallopError(
    'unsupported',
    `tensor "${tensor.name}" is stored as ${tensor.type}; matrices can be ${weightFormats.join(', ')}; use a file quantised to one of these`,
  );
}

/** Bytes of a matrix in panels, aligned so that the next one starts on a cache line. */
function packedBytes(tensor: GgufTensor): number {
  const format = matrixFormat(tensor);
  return Math.ceil(weightBytes(format, tensor.dimensions[1]!, tensor.dimensions[0]!) / 64) * 64;
}
