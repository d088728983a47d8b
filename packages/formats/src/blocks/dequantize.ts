/**
 * Decoding of every GGUF element type into float32: `scale · code + offset`, one float32 rounding for each operation that
 * a format's definition writes down. This is also the slow, obvious reference for compiled kernels.
 */
import { GallopError, requireArgument } from '@gallop/core';
import { type GgmlTypeName, ggmlByteLength, ggmlType } from '../gguf/ggml-types.ts';
import { type SafetensorsDtype, toFloat32 } from '../safetensors/dtypes.ts';
import * as iq from './unpack-iq.ts';
import * as k from './unpack-k.ts';
import * as small from './unpack-small.ts';
import { emptyBlock, type Unpack } from './unpacked-block.ts';

const unpackers: Partial<Record<GgmlTypeName, Unpack>> = {
  Q4_0: small.unpackQ4_0,
  Q4_1: small.unpackQ4_1,
  Q5_0: small.unpackQ5_0,
  Q5_1: small.unpackQ5_1,
  Q8_0: small.unpackQ8_0,
  Q8_1: small.unpackQ8_1,
  Q8_K: small.unpackQ8_K,
  Q2_K: k.unpackQ2_K,
  Q3_K: k.unpackQ3_K,
  Q4_K: k.unpackQ4_K,
  Q5_K: k.unpackQ5_K,
  Q6_K: k.unpackQ6_K,
  IQ1_S: iq.unpackIQ1_S,
  IQ1_M: iq.unpackIQ1_M,
  IQ2_XXS: iq.unpackIQ2_XXS,
  IQ2_XS: iq.unpackIQ2_XS,
  IQ2_S: iq.unpackIQ2_S,
  IQ3_XXS: iq.unpackIQ3_XXS,
  IQ3_S: iq.unpackIQ3_S,
  IQ4_NL: small.unpackIQ4_NL,
  IQ4_XS: k.unpackIQ4_XS,
  TQ1_0: small.unpackTQ1_0,
  TQ2_0: small.unpackTQ2_0,
  MXFP4: small.unpackMXFP4,
  NVFP4: small.unpackNVFP4,
  Q1_0: small.unpackQ1_0,
  Q2_0: small.unpackQ2_0,
};

/** How a block type comes apart. @throws GallopError `unsupported` for a type without blocks. */
export function unpackerOf(name: GgmlTypeName): Unpack {
  const unpack = unpackers[name];
  if (unpack !== undefined) return unpack;
  throw new GallopError('unsupported', `Expected one of ${Object.keys(unpackers).join(', ')}; received ${name}.`);
}

/**
 * Decodes stored values of one type.
 * @param bytes whole blocks, for instance the rows of a tensor one after the other.
 * @param into filled from its start, where given; otherwise a new array is returned.
 * @throws GallopError `invalid-argument` unless `bytes` are whole blocks and `into` has room.
 */
export function dequantize(name: GgmlTypeName, bytes: Uint8Array, into?: Float32Array): Float32Array {
  const { blockBytes, blockElements } = ggmlType(name);
  requireArgument(
    bytes.length % blockBytes === 0,
    () => `Expected blocks of ${blockBytes} bytes of ${name}; received ${bytes.length} bytes.`,
  );
  const elements = (bytes.length / blockBytes) * blockElements;
  requireArgument(
    into === undefined || into.length >= elements,
    () => `Expected room for ${elements} values; received an array of ${into!.length}.`,
  );
  if (blockElements === 1) {
    const values = toFloat32(name as SafetensorsDtype, bytes);
    if (into === undefined) return values;
    into.set(values);
    return into.subarray(0, elements);
  }
  const values = into === undefined ? new Float32Array(elements) : into.subarray(0, elements);
  decodeBlocks(unpackerOf(name), bytes, blockBytes, blockElements, values);
  return values;
}

function decodeBlocks(
  unpack: Unpack,
  bytes: Uint8Array,
  blockBytes: number,
  blockElements: number,
  values: Float32Array,
): void {
  const block = emptyBlock();
  const { codes, scales, offsets } = block;
  for (let at = 0, to = 0; at < bytes.length; at += blockBytes) {
    unpack(bytes, at, block);
    for (let group = 0, e = 0; e < blockElements; group++) {
      const scale = scales[group];
      const end = e + block.groupSize;
      // Products of a scale and a code are exact in float32; adding 0 would lose the sign of zero.
      if (block.hasOffsets) {
        const offset = offsets[group];
        for (; e < end; e++) values[to++] = scale * codes[e] + offset;
      } else for (; e < end; e++) values[to++] = scale * codes[e];
    }
  }
}

/** Bytes of one row of `columns` values. @throws GallopError `invalid-argument` unless they are whole blocks. */
export function rowBytes(name: GgmlTypeName, columns: number): number {
  return ggmlByteLength(ggmlType(name), columns);
}
