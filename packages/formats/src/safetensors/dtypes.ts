/**
 * The element types of safetensors files, their sizes, and decoding into typed arrays. Formats narrower than a byte are
 * recognised (their bytes can be read) but not decoded.
 */
import { GallopError } from '@gallop/core';
import { bfloat16ToFloat, e4m3Table, halfTable } from '../values/float-formats.ts';

const bitsOf = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  U16: 16,
  I16: 16,
  U32: 32,
  I32: 32,
  U64: 64,
  I64: 64,
  F16: 16,
  BF16: 16,
  F32: 32,
  F64: 64,
  C64: 64,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  F8_E8M0: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
} as const;

export type SafetensorsDtype = keyof typeof bitsOf;

/** Bits of one element of each type. */
export const safetensorsDtypes: Readonly<Record<SafetensorsDtype, number>> = bitsOf;

/** Whether a string names an element type. */
export function isSafetensorsDtype(name: string): name is SafetensorsDtype {
  return Object.hasOwn(bitsOf, name);
}

export type TypedArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

type Decoder = (bytes: Uint8Array) => TypedArray;

/** The bytes as an array of another element type: a view where they are aligned, a copy otherwise. */
function view<Result>(
  bytes: Uint8Array,
  arrayType: { new (buffer: ArrayBufferLike, offset: number, length: number): Result; BYTES_PER_ELEMENT: number },
): Result {
  const size = arrayType.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new arrayType(aligned.buffer, aligned.byteOffset, aligned.length / size);
}

function byTable(codes: Uint8Array | Uint16Array, table: Float32Array): Float32Array {
  const values = new Float32Array(codes.length);
  for (let index = 0; index < codes.length; index++) values[index] = table[codes[index]];
  return values;
}

function byFunction(codes: Uint8Array | Uint16Array, decode: (code: number) => number): Float32Array {
  const values = new Float32Array(codes.length);
  for (let index = 0; index < codes.length; index++) values[index] = decode(codes[index]);
  return values;
}

const decoders: Partial<Record<SafetensorsDtype, Decoder>> = {
  BOOL: (bytes) => bytes,
  U8: (bytes) => bytes,
  I8: (bytes) => view(bytes, Int8Array),
  U16: (bytes) => view(bytes, Uint16Array),
  I16: (bytes) => view(bytes, Int16Array),
  U32: (bytes) => view(bytes, Uint32Array),
  I32: (bytes) => view(bytes, Int32Array),
  U64: (bytes) => view(bytes, BigUint64Array),
  I64: (bytes) => view(bytes, BigInt64Array),
  F32: (bytes) => view(bytes, Float32Array),
  F64: (bytes) => view(bytes, Float64Array),
  F16: (bytes) => byTable(view(bytes, Uint16Array), halfTable()),
  BF16: (bytes) => byFunction(view(bytes, Uint16Array), bfloat16ToFloat),
  F8_E4M3: (bytes) => byTable(bytes, e4m3Table()),
  // The upper byte of a half float.
  F8_E5M2: (bytes) => byFunction(bytes, (code) => halfTable()[code << 8]),
  F8_E8M0: (bytes) => byFunction(bytes, (code) => (code === 255 ? Number.NaN : 2 ** (code - 127))),
};

/**
 * Decodes little-endian stored bytes into numbers: integers and F32, F64 as they are (a view of `bytes` where aligned),
 * booleans as bytes 0 and 1, and F16, BF16, F8 widened to float32.
 * @throws GallopError `unsupported` for complex numbers and formats without a decoder.
 */
export function decodeValues(dtype: SafetensorsDtype, bytes: Uint8Array): TypedArray {
  const decoder = decoders[dtype];
  if (decoder !== undefined) return decoder(bytes);
  throw new GallopError('unsupported', `Expected one of ${Object.keys(decoders).join(', ')}; received ${dtype}.`);
}

/** Decodes stored bytes into float32, rounding F64 and wide integers. @throws as `decodeValues`. */
export function toFloat32(dtype: SafetensorsDtype, bytes: Uint8Array): Float32Array {
  const values = decodeValues(dtype, bytes);
  if (values instanceof Float32Array) return values;
  return Float32Array.from(values as ArrayLike<number>, Number);
}
