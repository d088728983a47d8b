/**
 * What every weight file looks like once its header is read: named tensors with a place in one of several sources. GGUF
 * and safetensors files, whole or in parts, are read through this one interface.
 */
import { GallopError, requireArgument } from '@gallop/core';
import type { ByteSource } from './byte-source.ts';

/** Where a tensor's bytes are. */
export interface StoredTensor {
  readonly name: string;
  readonly elements: number;
  /** From the start of the file that holds the tensor. */
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Which file of a model in parts holds the tensor; 0 for a single file. */
  readonly part: number;
}

/** Which bytes of a tensor to read (default: all), and where to. */
export interface ReadOptions {
  /** First byte within the tensor. Default 0. */
  readonly offset?: number;
  /** Number of bytes. Default: up to the tensor's end. */
  readonly length?: number;
  /** Memory to fill; without it the bytes come in an array that must not be changed. */
  readonly into?: Uint8Array;
}

/** Named tensors over open sources. */
export interface TensorStore<Tensor extends StoredTensor> extends Disposable {
  readonly tensors: readonly Tensor[];
  /** The tensor of this name, or undefined. */
  find(name: string): Tensor | undefined;
  /** The tensor of this name. @throws GallopError `invalid-file` when there is none. */
  tensor(name: string): Tensor;
  /** Reads a tensor's stored bytes. */
  read(tensor: Tensor, options?: ReadOptions): Promise<Uint8Array>;
  /** Fills `into` from byte `offset` of a tensor at once. @throws GallopError `unsupported` unless `canReadSync`. */
  readSync(tensor: Tensor, into: Uint8Array, offset?: number): void;
  /** Whether `readSync` works with these sources. */
  readonly canReadSync: boolean;
  /** Closes the sources. */
  close(): void;
}

/** Joins tensors with the sources that hold their bytes. */
export function tensorStore<Tensor extends StoredTensor>(
  tensors: readonly Tensor[],
  sources: readonly ByteSource[],
): TensorStore<Tensor> {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const close = (): void => {
    for (const source of sources) source.close();
  };
  return {
    tensors,
    canReadSync: sources.every((source) => source.readSync !== undefined),
    find: (name) => byName.get(name),
    tensor(name) {
      const tensor = byName.get(name);
      if (tensor !== undefined) return tensor;
      throw new GallopError(
        'invalid-file',
        `Expected a tensor "${name}" in ${sources[0]?.name}; it has ${byName.size} others. The model may be of another architecture.`,
      );
    },
    read(tensor, { offset = 0, length = tensor.byteLength - offset, into } = {}) {
      requirePart(tensor, offset, length);
      return sources[tensor.part].read(tensor.byteOffset + offset, length, into);
    },
    readSync(tensor, into, offset = 0) {
      requirePart(tensor, offset, into.length);
      const source = sources[tensor.part];
      if (source.readSync === undefined) {
        throw new GallopError('unsupported', `Expected a source that reads at once; ${source.name} cannot. Use read.`);
      }
      source.readSync(tensor.byteOffset + offset, into);
    },
    close,
    [Symbol.dispose]: close,
  };
}

function requirePart(tensor: StoredTensor, offset: number, length: number): void {
  requireArgument(
    offset >= 0 && length >= 0 && offset + length <= tensor.byteLength,
    () => `Expected a range within the ${tensor.byteLength} bytes of ${tensor.name}; received ${length} at ${offset}.`,
  );
}
