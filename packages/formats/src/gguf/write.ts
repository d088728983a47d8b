/**
 * Writes GGUF version 3: header, metadata, tensor infos, then the tensors' bytes in the order given, each padded to the
 * alignment, as the reference reader demands.
 */
import { GallopError, requireArgument } from '@gallop/core';
import { type TensorData, tensorChunks } from '../source/chunks.ts';
import { type GgmlTypeName, ggmlByteLength, ggmlType } from './ggml-types.ts';
import { type GgufValue, ggufValueTypes } from './metadata.ts';
import { stringTableOf } from './string-table.ts';

/** A tensor to write. */
export interface GgufTensorInput {
  /** At most 63 bytes of UTF-8. */
  readonly name: string;
  readonly type: GgmlTypeName;
  /** One to four sizes, the fastest first. */
  readonly dimensions: readonly number[];
  readonly data: TensorData;
}

/** A model to write. */
export interface GgufModel {
  /** In the order of the file. `general.alignment` (u32) sets the alignment; default 32. */
  readonly metadata: Iterable<readonly [string, GgufValue]>;
  readonly tensors: readonly GgufTensorInput[];
}

/** A metadata value of strings. */
export function ggufStrings(strings: readonly string[]): GgufValue {
  return { type: 'array', elementType: 'string', value: stringTableOf(strings) };
}

/**
 * The bytes of a file, chunk by chunk.
 * @throws GallopError `invalid-argument` for names, shapes or data that no reader would accept.
 */
export async function* encodeGguf(model: GgufModel): AsyncGenerator<Uint8Array> {
  const metadata = new Map(model.metadata);
  const alignment = alignmentOf(metadata);
  const header = new HeaderWriter();
  header.bytes(new TextEncoder().encode('GGUF'));
  header.u32(3);
  header.u64(model.tensors.length);
  header.u64(metadata.size);
  for (const [key, value] of metadata) writeEntry(header, key, value);
  const lengths = writeInfos(header, model.tensors, alignment);
  header.pad(alignment);
  yield header.take();
  for (const [index, tensor] of model.tensors.entries()) {
    yield* tensorChunks(tensor.name, tensor.data, lengths[index]);
    yield new Uint8Array(padding(lengths[index], alignment));
  }
}

const padding = (length: number, alignment: number): number => (alignment - (length % alignment)) % alignment;

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>): number {
  const entry = metadata.get('general.alignment');
  if (entry === undefined) return 32;
  const value = entry.type === 'u32' ? Number(entry.value) : 0;
  requireArgument(
    value > 0 && Number.isInteger(Math.log2(value)),
    () => `Expected a u32 power of two as general.alignment; received ${entry.type} ${entry.value}.`,
  );
  return value;
}

function writeEntry(header: HeaderWriter, key: string, value: GgufValue): void {
  requireArgument(key !== '', () => 'Expected metadata keys with at least one character; received an empty one.');
  header.string(key);
  header.u32(ggufValueTypes.indexOf(value.type));
  if (value.type !== 'array') {
    header.scalar(value.type, value.value);
    return;
  }
  header.u32(ggufValueTypes.indexOf(value.elementType));
  header.u64(value.value.length);
  if (value.elementType === 'string') {
    for (let index = 0; index < value.value.length; index++) {
      const text = value.value.bytes(index);
      header.u64(text.length);
      header.bytes(text);
    }
  } else header.bytes(new Uint8Array(value.value.buffer, value.value.byteOffset, value.value.byteLength));
}

/** Writes the tensors' infos; returns their byte lengths. */
function writeInfos(header: HeaderWriter, tensors: readonly GgufTensorInput[], alignment: number): number[] {
  const names = new Set<string>();
  let offset = 0;
  return tensors.map(({ name, type, dimensions }) => {
    const { id, blockElements } = ggmlType(type);
    const elements = dimensions.reduce((product, size) => product * size, 1);
    requireArgument(
      !names.has(name) && new TextEncoder().encode(name).length < 64,
      () => `Expected different tensor names of at most 63 bytes; received "${name}".`,
    );
    requireArgument(
      dimensions.length >= 1 &&
        dimensions.length <= 4 &&
        dimensions.every((size) => Number.isSafeInteger(size) && size > 0) &&
        dimensions[0] % blockElements === 0,
      () => `Expected 1 to 4 sizes, the first a multiple of ${blockElements} for ${type}; received [${dimensions}].`,
    );
    names.add(name);
    const byteLength = ggmlByteLength(ggmlType(type), elements);
    header.string(name);
    header.u32(dimensions.length);
    for (const size of dimensions) header.u64(size);
    header.u32(id);
    header.u64(offset);
    offset += byteLength + padding(byteLength, alignment);
    return byteLength;
  });
}

/** Little-endian bytes that grow as they are written. */
class HeaderWriter {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  #room(count: number): number {
    const start = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const longer = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      longer.set(this.#bytes.subarray(0, start));
      this.#bytes = longer;
      this.#view = new DataView(longer.buffer);
    }
    return start;
  }

  bytes(bytes: Uint8Array): void {
    const start = this.#room(bytes.length);
    this.#bytes.set(bytes, start);
  }

  u32(value: number): void {
    const start = this.#room(4);
    this.#view.setUint32(start, value, true);
  }

  u64(value: number | bigint): void {
    const start = this.#room(8);
    this.#view.setBigUint64(start, BigInt(value), true);
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    this.bytes(bytes);
  }

  pad(alignment: number): void {
    this.#room(padding(this.#length, alignment));
  }

  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  scalar(type: Exclude<GgufValue['type'], 'array'>, value: string | boolean | number | bigint): void {
    if (type === 'string') this.string(String(value));
    else if (type === 'bool') this.bytes(Uint8Array.of(value ? 1 : 0));
    else this.bytes(numberBytes(type, value as number | bigint));
  }
}

/** The bytes of one number. @throws GallopError `invalid-argument` for an integer that its type cannot hold. */
function numberBytes(type: string, value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(Number(type.slice(1)) / 8);
  const view = new DataView(bytes.buffer);
  if (type === 'f32') view.setFloat32(0, Number(value), true);
  else if (type === 'f64') view.setFloat64(0, Number(value), true);
  else {
    const bits = 8 * bytes.length;
    const integer = typeof value === 'bigint' || Number.isInteger(value) ? BigInt(value) : undefined;
    const wrapped =
      integer === undefined
        ? undefined
        : type[0] === 'u'
          ? BigInt.asUintN(bits, integer)
          : BigInt.asIntN(bits, integer);
    if (integer === undefined || wrapped !== integer) {
      throw new GallopError('invalid-argument', `Expected an integer that fits ${type}; received ${value}.`);
    }
    for (let byte = 0; byte < bytes.length; byte++) bytes[byte] = Number((integer >> BigInt(8 * byte)) & 255n);
  }
  return bytes;
}
