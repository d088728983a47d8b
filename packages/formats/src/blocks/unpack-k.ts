/**
 * Unpacking of the super-block formats Q2_K to Q6_K and IQ4_XS: 256 elements in groups of 16 or 32, each group with its
 * own small integer scale (and, in Q2_K, Q4_K, Q5_K, minimum) times one half-precision factor for the super-block.
 */
import { halfToFloat } from '../values/float-formats.ts';
import { iq4Codes } from './code-tables.ts';
import { i8, type Unpack, u16 } from './unpacked-block.ts';

/** scales[16] @0 (low nibble scale, high nibble minimum), qs[64] @16, d f16 @80, dmin f16 @82. */
export const unpackQ2_K: Unpack = (bytes, at, block) => {
  const d = halfToFloat(u16(bytes, at + 80));
  const dmin = halfToFloat(u16(bytes, at + 82));
  block.groupSize = 16;
  block.hasOffsets = true;
  for (let group = 0; group < 16; group++) {
    block.scales[group] = d * (bytes[at + group] & 15);
    block.offsets[group] = -(dmin * (bytes[at + group] >> 4));
  }
  twoBits(bytes, at + 16, block.codes);
};

/** Element 128n + 32j + l lies in byte 32n + l at bit 2j. */
function twoBits(bytes: Uint8Array, at: number, codes: Int16Array): void {
  for (let e = 0; e < 256; e++) codes[e] = (bytes[at + 32 * (e >> 7) + (e & 31)] >> (2 * ((e >> 5) & 3))) & 3;
}

/** The 6-bit scale of group k of a Q3_K block, whose twelve scale bytes start at `at`; −32 to 31. */
export function scaleOfQ3_K(bytes: Uint8Array, at: number, k: number): number {
  const low = k < 8 ? bytes[at + k] & 15 : bytes[at + k - 8] >> 4;
  return (low | (((bytes[at + 8 + (k & 3)] >> (2 * (k >> 2))) & 3) << 4)) - 32;
}

/** hmask[32] @0, qs[64] @32, scales[12] @96, d f16 @108. */
export const unpackQ3_K: Unpack = (bytes, at, block) => {
  const d = halfToFloat(u16(bytes, at + 108));
  block.groupSize = 16;
  block.hasOffsets = false;
  for (let group = 0; group < 16; group++) block.scales[group] = d * scaleOfQ3_K(bytes, at + 96, group);
  twoBits(bytes, at + 32, block.codes);
  for (let e = 0; e < 256; e++) block.codes[e] -= (bytes[at + (e & 31)] >> (e >> 5)) & 1 ? 0 : 4;
};

/** Scale j of the eight 6-bit pairs that Q4_K and Q5_K pack into twelve bytes. */
export function packedScale(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j] & 63 : (bytes[at + j + 4] & 15) | ((bytes[at + j - 4] >> 6) << 4);
}

/** Minimum j of the same. */
export function packedMinimum(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j + 4] & 63 : (bytes[at + j + 4] >> 4) | ((bytes[at + j] >> 6) << 4);
}

/** d f16 @0, dmin f16 @2, scales[12] @4, qs[128] @16: groups 2c and 2c + 1 are the nibbles of bytes 32c… */
export const unpackQ4_K: Unpack = (bytes, at, block) => {
  const d = halfToFloat(u16(bytes, at));
  const dmin = halfToFloat(u16(bytes, at + 2));
  block.groupSize = 32;
  block.hasOffsets = true;
  for (let group = 0; group < 8; group++) {
    block.scales[group] = d * packedScale(bytes, at + 4, group);
    block.offsets[group] = -(dmin * packedMinimum(bytes, at + 4, group));
  }
  nibbles(bytes, at + 16, block.codes);
};

function nibbles(bytes: Uint8Array, at: number, codes: Int16Array): void {
  for (let e = 0; e < 256; e++) codes[e] = (bytes[at + 32 * (e >> 6) + (e & 31)] >> (e & 32 ? 4 : 0)) & 15;
}

/** As Q4_K with qh[32] @16 and qs @48; bit g of qh[l] is the fifth bit of element l of group g. */
export const unpackQ5_K: Unpack = (bytes, at, block) => {
  const d = halfToFloat(u16(bytes, at));
  const dmin = halfToFloat(u16(bytes, at + 2));
  block.groupSize = 32;
  block.hasOffsets = true;
  for (let group = 0; group < 8; group++) {
    block.scales[group] = d * packedScale(bytes, at + 4, group);
    block.offsets[group] = -(dmin * packedMinimum(bytes, at + 4, group));
  }
  nibbles(bytes, at + 48, block.codes);
  for (let e = 0; e < 256; e++) block.codes[e] += ((bytes[at + 16 + (e & 31)] >> (e >> 5)) & 1) << 4;
};

/** ql[128] @0, qh[64] @128, i8 scales[16] @192, d f16 @208. */
export const unpackQ6_K: Unpack = (bytes, at, block) => {
  const d = halfToFloat(u16(bytes, at + 208));
  block.groupSize = 16;
  block.hasOffsets = false;
  for (let group = 0; group < 16; group++) block.scales[group] = d * i8(bytes, at + 192 + group);
  for (let e = 0; e < 256; e++) {
    const n = e >> 7;
    const j = (e >> 5) & 3;
    const l = e & 31;
    const low = (bytes[at + 64 * n + l + 32 * (j & 1)] >> (j < 2 ? 0 : 4)) & 15;
    block.codes[e] = (low | (((bytes[at + 128 + 32 * n + l] >> (2 * j)) & 3) << 4)) - 32;
  }
};

/** d f16 @0, scales_h u16 @2, scales_l[4] @4, qs[128] @8: per 32 elements 16 bytes of codes into the IQ4 table. */
export const unpackIQ4_XS: Unpack = (bytes, at, block) => {
  const d = halfToFloat(u16(bytes, at));
  const high = u16(bytes, at + 2);
  block.groupSize = 32;
  block.hasOffsets = false;
  for (let group = 0; group < 8; group++) {
    const low = (bytes[at + 4 + (group >> 1)] >> (4 * (group & 1))) & 15;
    block.scales[group] = d * ((low | (((high >> (2 * group)) & 3) << 4)) - 32);
    for (let e = 0; e < 16; e++) {
      const byte = bytes[at + 8 + 16 * group + e];
      block.codes[32 * group + e] = iq4Codes[byte & 15];
      block.codes[32 * group + e + 16] = iq4Codes[byte >> 4];
    }
  }
};
