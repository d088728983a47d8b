/**
 * A model's weights on their way from a file into backend memory: few large blocks of memory (so that the system can back
 * them with large pages), filled matrix by matrix without a second copy of the model.
 */
import { GallopError } from '@gallop/core';
import {
  type Backend,
  isWeightFormat,
  type Memory,
  packWeight,
  Tensor,
  type Weight,
  type WeightFormat,
  weightBytes,
} from '@gallop/tensor';
import type { SourceTensor, WeightSource } from './weight-source.ts';

export interface WeightOptions {
  readonly activations: 'q8' | 'f32';
  readonly signal?: AbortSignal;
  /** Called after each tensor with bytes of the file read so far and in all. */
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/**
 * Which rows of a stored tensor to take: row r of the result is row `first + ⌊r / run⌋ · stride + r mod run` of `total`.
 * Fused matrices come apart this way.
 */
export interface RowSelection {
  readonly first: number;
  readonly total: number;
  /** Rows that lie together. Default: all. */
  readonly run?: number;
  readonly stride?: number;
  /** The file holds [columns, rows]. */
  readonly transposed?: boolean;
}

/** 8-bit activations where asked for and where every one of these weights multiplies in integers. */
export function activationsFor(options: { readonly activations: 'q8' | 'f32' }, ...weights: Weight[]): 'q8' | 'f32' {
  return options.activations === 'q8' && weights.every((weight) => weight.isQuantized) ? 'q8' : 'f32';
}

export class ModelWeights implements Disposable {
  readonly activations: 'q8' | 'f32';
  readonly backend: Backend;
  readonly #source: WeightSource;
  readonly #options: WeightOptions;
  readonly #totalBytes: number;
  readonly #blocks: Memory[] = [];
  readonly #read = new Set<SourceTensor>();
  #used = 0;
  #loadedBytes = 0;

  constructor(source: WeightSource, backend: Backend, options: WeightOptions) {
    this.#source = source;
    this.backend = backend;
    this.activations = options.activations;
    this.#options = options;
    this.#totalBytes = source.tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
    this.#blocks.push(backend.allocate(source.tensors.reduce((sum, tensor) => sum + roomFor(tensor), 0)));
  }

  find(name: string): SourceTensor | undefined {
    return this.#source.find(name);
  }

  /**
   * A matrix [rows, columns] in panels. Formats without kernels are decoded into float32.
   * @throws GallopError `invalid-file` when it is shaped otherwise
   */
  async matrix(
    tensor: SourceTensor,
    rows: number,
    columns: number,
    selection: RowSelection = { first: 0, total: rows },
  ): Promise<Weight> {
    requireShape(tensor, selection.transposed ? [columns, selection.total] : [selection.total, columns]);
    const format = selection.transposed ? 'F32' : packedFormat(tensor);
    const { memory, byteOffset } = this.#take(weightBytes(format, rows, columns));
    const readRows = selection.transposed
      ? await this.#transposed(tensor, columns, selection)
      : this.#rows(tensor, rows, columns, selection, format);
    const weight = await packWeight(this.backend, format, rows, columns, memory.address + byteOffset, readRows);
    this.#report(tensor);
    return weight;
  }

  /** Numbers of a tensor on the host. @throws GallopError `invalid-file` when it is shaped otherwise */
  async values(tensor: SourceTensor, shape: readonly number[]): Promise<Float32Array> {
    requireShape(tensor, shape);
    const bytes = new Uint8Array(tensor.byteLength);
    await this.#source.read(tensor, 0, bytes);
    this.#report(tensor);
    return tensor.decode(bytes);
  }

  /** Host values as a float32 tensor of backend memory. */
  place(values: Float32Array, shape: readonly number[] = [values.length]): Tensor {
    const { memory, byteOffset } = this.#take(values.byteLength);
    const tensor = new Tensor(memory, byteOffset, shape, 'f32');
    tensor.floats().set(values);
    return tensor;
  }

  dispose(): void {
    for (const block of this.#blocks) block.free();
    this.#blocks.length = 0;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #take(byteLength: number): { memory: Memory; byteOffset: number } {
    const needed = align(byteLength);
    let memory = this.#blocks.at(-1)!;
    if (this.#used + needed > memory.byteLength) {
      memory = this.backend.allocate(Math.max(needed, 1 << 20));
      this.#blocks.push(memory);
      this.#used = 0;
    }
    const byteOffset = this.#used;
    this.#used += needed;
    return { memory, byteOffset };
  }

  /** Reads selected rows where they lie, run by run. */
  #rows(
    tensor: SourceTensor,
    rows: number,
    columns: number,
    { first, total, run = rows, stride = run }: RowSelection,
    format: WeightFormat,
  ): (from: number, count: number, into: Uint8Array) => Promise<void> {
    const storedBytes = tensor.byteLength / total;
    const decodes = format !== tensor.format;
    return async (from, count, into) => {
      const stored = decodes ? new Uint8Array(count * storedBytes) : into;
      for (let row = from; row < from + count; ) {
        this.#options.signal?.throwIfAborted();
        const length = Math.min(run - (row % run), from + count - row);
        const part = stored.subarray((row - from) * storedBytes, (row - from + length) * storedBytes);
        await this.#source.read(tensor, (first + Math.floor(row / run) * stride + (row % run)) * storedBytes, part);
        row += length;
      }
      if (decodes) into.set(new Uint8Array(tensor.decode(stored).buffer, 0, count * columns * 4));
    };
  }

  async #transposed(
    tensor: SourceTensor,
    columns: number,
    { first, total }: RowSelection,
  ): Promise<(from: number, count: number, into: Uint8Array) => void> {
    const values = await this.values(tensor, [columns, total]);
    return (from, count, into) => {
      const target = new Float32Array(count * columns);
      for (let row = 0; row < count; row++)
        for (let column = 0; column < columns; column++)
          target[row * columns + column] = values[column * total + first + from + row]!;
      into.set(new Uint8Array(target.buffer));
    };
  }

  #report(tensor: SourceTensor): void {
    this.#options.signal?.throwIfAborted();
    if (this.#read.has(tensor)) return;
    this.#read.add(tensor);
    this.#loadedBytes += tensor.byteLength;
    this.#options.onProgress?.(this.#loadedBytes, this.#totalBytes);
  }
}

const align = (byteLength: number): number => Math.ceil(byteLength / 64) * 64;

/** The stored format where kernels read it, otherwise float32. */
function packedFormat(tensor: SourceTensor): WeightFormat {
  return isWeightFormat(tensor.format) ? tensor.format : 'F32';
}

/** Memory that a tensor takes when it is used whole: panels of 16 rows for a matrix. */
function roomFor(tensor: SourceTensor): number {
  const elements = tensor.shape.reduce((product, size) => product * size, 1);
  const columns = tensor.shape.at(-1) ?? 1;
  if (elements === 0) return 0;
  if (tensor.shape.length < 2) return align(elements * 4);
  return align(weightBytes(packedFormat(tensor), elements / columns, columns));
}

/** Leading and trailing sizes may be split further in the file: [out, in, 3, 3] is [out, in · 9]. */
function requireShape(tensor: SourceTensor, expected: readonly number[]): void {
  const shape = tensor.shape.filter((size) => size !== 1);
  const wanted = expected.filter((size) => size !== 1);
  let at = 0;
  for (const size of shape) {
    wanted[at] = (wanted[at] ?? 0) / size;
    if (wanted[at] === 1) at++;
  }
  if (at === wanted.length) return;
  throw new GallopError(
    'invalid-file',
    `expected tensor "${tensor.name}" of shape [${expected.join(', ')}], as the configuration says; found [${tensor.shape.join(', ')}]; convert or download the model again`,
  );
}
