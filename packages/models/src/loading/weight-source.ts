/** Tensors of a checkpoint, whatever the container: GGUF and safetensors files behind one interface. */
import { dequantize, type GgufFile, type SafetensorsFile, toFloat32 } from '@gallop/formats';

/** A tensor as the file stores it. */
export interface SourceTensor {
  readonly name: string;
  /** Sizes as PyTorch counts them: the last varies fastest. */
  readonly shape: readonly number[];
  /** `F32`, `BF16`, `Q4_K`, … */
  readonly format: string;
  readonly byteLength: number;
  /** Stored bytes, whole rows, as numbers. @throws GallopError `unsupported` */
  decode(bytes: Uint8Array): Float32Array;
}

export interface WeightSource {
  readonly tensors: readonly SourceTensor[];
  find(name: string): SourceTensor | undefined;
  /** Fills `into` from byte `offset` of the tensor: at once where the source can. */
  read(tensor: SourceTensor, offset: number, into: Uint8Array): undefined | Promise<unknown>;
}

interface Store<Stored> {
  readonly canReadSync: boolean;
  read(tensor: Stored, options: { offset: number; length: number; into: Uint8Array }): Promise<Uint8Array>;
  readSync(tensor: Stored, into: Uint8Array, offset: number): void;
}

function sourceOver<Stored>(
  store: Store<Stored>,
  entries: readonly (readonly [stored: Stored, tensor: SourceTensor])[],
): WeightSource {
  const stored = new Map(entries.map(([from, tensor]) => [tensor, from]));
  const byName = new Map(entries.map(([, tensor]) => [tensor.name, tensor]));
  return {
    tensors: entries.map(([, tensor]) => tensor),
    find: (name) => byName.get(name),
    read(tensor, offset, into) {
      const from = stored.get(tensor)!;
      if (!store.canReadSync) return store.read(from, { offset, length: into.length, into });
      store.readSync(from, into, offset);
      return undefined;
    },
  };
}

export function ggufSource(file: GgufFile): WeightSource {
  return sourceOver(
    file,
    file.tensors.map((stored) => {
      const { name, type, byteLength } = stored;
      const shape = [...stored.dimensions].reverse();
      return [stored, { name, shape, format: type, byteLength, decode: (bytes) => dequantize(type, bytes) }];
    }),
  );
}

export function safetensorsSource(file: SafetensorsFile): WeightSource {
  return sourceOver(
    file,
    file.tensors.map((stored) => {
      const { name, shape, dtype, byteLength } = stored;
      return [stored, { name, shape, format: dtype, byteLength, decode: (bytes) => toFloat32(dtype, bytes) }];
    }),
  );
}
