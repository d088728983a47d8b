/**
 * Encoding of float32 values into GGUF element types, byte for byte as the reference encoders do it without an importance
 * matrix. Formats with large codebooks (IQ1, IQ2, IQ3) are read only: their encoders search with an importance matrix.
 */
import { GallopError, requireArgument } from '@gallop/core';
import { type GgmlTypeName, ggmlByteLength, ggmlType } from '../gguf/ggml-types.ts';
import { floatToBfloat16, floatToHalf } from '../values/float-formats.ts';
import { encodeQ8_1, encodeQ8_K } from './encode-activation.ts';
import { encodeIQ4_NL, encodeIQ4_XS } from './encode-iq4.ts';
import { encodeQ2_K, encodeQ4_K, encodeQ5_K } from './encode-k-affine.ts';
import { encodeQ3_K, encodeQ6_K } from './encode-k-symmetric.ts';
import * as small from './encode-small.ts';

const encoders: Partial<Record<GgmlTypeName, small.Encode>> = {
  Q4_0: small.encodeQ4_0,
  Q4_1: small.encodeQ4_1,
  Q5_0: small.encodeQ5_0,
  Q5_1: small.encodeQ5_1,
  Q8_0: small.encodeQ8_0,
  Q8_1: encodeQ8_1,
  Q8_K: encodeQ8_K,
  Q2_K: encodeQ2_K,
  Q3_K: encodeQ3_K,
  Q4_K: encodeQ4_K,
  Q5_K: encodeQ5_K,
  Q6_K: encodeQ6_K,
  IQ4_NL: encodeIQ4_NL,
  IQ4_XS: encodeIQ4_XS,
  TQ1_0: small.encodeTQ1_0,
  TQ2_0: small.encodeTQ2_0,
  MXFP4: small.encodeMXFP4,
  NVFP4: small.encodeNVFP4,
  Q1_0: small.encodeQ1_0,
  Q2_0: small.encodeQ2_0,
};

/** Whether `quantize` can produce a type. */
export function canQuantize(name: GgmlTypeName): boolean {
  return name in encoders || name === 'F32' || name === 'F16' || name === 'BF16';
}

/**
 * Encodes values: a row, or several rows one after the other where each is a whole number of blocks.
 * @throws GallopError `unsupported` for a type without encoder, `invalid-argument` unless the values fill whole blocks
 * and (for block types) are finite.
 */
export function quantize(name: GgmlTypeName, values: Float32Array): Uint8Array {
  const type = ggmlType(name);
  const bytes = new Uint8Array(ggmlByteLength(type, values.length));
  if (name === 'F32') {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return bytes;
  }
  if (name === 'F16' || name === 'BF16') {
    const encode = name === 'F16' ? floatToHalf : floatToBfloat16;
    const codes = new Uint16Array(bytes.buffer);
    for (let index = 0; index < values.length; index++) codes[index] = encode(values[index]);
    return bytes;
  }
  const encode = encoders[name];
  if (encode === undefined) {
    throw new GallopError(
      'unsupported',
      `Expected one of ${Object.keys(encoders).join(', ')}, F32, F16 or BF16 to encode; received ${name}.`,
    );
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  requireArgument(bad < 0, () => `Expected finite values for ${name}; received ${values[bad]} at ${bad}.`);
  for (let from = 0, at = 0; from < values.length; from += type.blockElements, at += type.blockBytes) {
    encode(values, from, bytes, at);
  }
  return bytes;
}
