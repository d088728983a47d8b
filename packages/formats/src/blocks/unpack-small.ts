/**
 * Unpacking of the formats with one scale per block of 32 to 256 elements, and of the two 4-bit floating-point formats.
 * Layouts: the byte offsets stand after `@`. In the 32-element formats a byte of `qs` holds elements e (low nibble) and
 * e + 16 (high nibble).
 */
import { e4m3Table, halfToFloat } from '../values/float-formats.ts';
import { fp4Codes, iq4Codes } from './code-tables.ts';
import { i8, type Unpack, type UnpackedBlock, u16, u32 } from './unpacked-block.ts';

function oneGroup(block: UnpackedBlock, groupSize: number, scale: number): void {
  block.groupSize = groupSize;
  block.hasOffsets = false;
  block.scales[0] = scale;
}

function withOffset(block: UnpackedBlock, groupSize: number, scale: number, offset: number): void {
  oneGroup(block, groupSize, scale);
  block.hasOffsets = true;
  block.offsets[0] = offset;
}

/** d f16 @0, qs @2: d·(nibble − 8). */
export const unpackQ4_0: Unpack = (bytes, at, block) => {
  oneGroup(block, 32, halfToFloat(u16(bytes, at)));
  for (let e = 0; e < 16; e++) {
    const byte = bytes[at + 2 + e];
    block.codes[e] = (byte & 15) - 8;
    block.codes[e + 16] = (byte >> 4) - 8;
  }
};

/** d f16 @0, m f16 @2, qs @4: d·nibble + m. */
export const unpackQ4_1: Unpack = (bytes, at, block) => {
  withOffset(block, 32, halfToFloat(u16(bytes, at)), halfToFloat(u16(bytes, at + 2)));
  for (let e = 0; e < 16; e++) {
    const byte = bytes[at + 4 + e];
    block.codes[e] = byte & 15;
    block.codes[e + 16] = byte >> 4;
  }
};

/** Nibbles @qs with a fifth bit from the 32 bits @qh, less `zero`. */
function fiveBits(bytes: Uint8Array, qh: number, qs: number, zero: number, codes: Int16Array): void {
  const high = u32(bytes, qh);
  for (let e = 0; e < 16; e++) {
    const byte = bytes[qs + e];
    codes[e] = ((byte & 15) | (((high >>> e) & 1) << 4)) - zero;
    codes[e + 16] = ((byte >> 4) | (((high >>> (e + 16)) & 1) << 4)) - zero;
  }
}

/** d f16 @0, qh u32 @2, qs @6: d·(q − 16). */
export const unpackQ5_0: Unpack = (bytes, at, block) => {
  oneGroup(block, 32, halfToFloat(u16(bytes, at)));
  fiveBits(bytes, at + 2, at + 6, 16, block.codes);
};

/** d f16 @0, m f16 @2, qh u32 @4, qs @8: d·q + m. */
export const unpackQ5_1: Unpack = (bytes, at, block) => {
  withOffset(block, 32, halfToFloat(u16(bytes, at)), halfToFloat(u16(bytes, at + 2)));
  fiveBits(bytes, at + 4, at + 8, 0, block.codes);
};

/** d f16 @0, i8 qs[32] @2: d·q. */
export const unpackQ8_0: Unpack = (bytes, at, block) => {
  oneGroup(block, 32, halfToFloat(u16(bytes, at)));
  for (let e = 0; e < 32; e++) block.codes[e] = i8(bytes, at + 2 + e);
};

/** Activations: d f16 @0, s = d·Σq f16 @2, i8 qs[32] @4: d·q. */
export const unpackQ8_1: Unpack = (bytes, at, block) => {
  oneGroup(block, 32, halfToFloat(u16(bytes, at)));
  for (let e = 0; e < 32; e++) block.codes[e] = i8(bytes, at + 4 + e);
};

const float = new Float32Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** Activations: d f32 @0, i8 qs[256] @4, sums of 16 @260: d·q. */
export const unpackQ8_K: Unpack = (bytes, at, block) => {
  floatBytes.set(bytes.subarray(at, at + 4));
  oneGroup(block, 256, float[0]);
  for (let e = 0; e < 256; e++) block.codes[e] = i8(bytes, at + 4 + e);
};

/** d f16 @0, qs @2: d·T[nibble]. */
export const unpackIQ4_NL: Unpack = (bytes, at, block) => {
  oneGroup(block, 32, halfToFloat(u16(bytes, at)));
  for (let e = 0; e < 16; e++) {
    const byte = bytes[at + 2 + e];
    block.codes[e] = iq4Codes[byte & 15];
    block.codes[e + 16] = iq4Codes[byte >> 4];
  }
};

/** Exponent E @0, qs @1: 2^(E−128)·F[nibble]. */
export const unpackMXFP4: Unpack = (bytes, at, block) => {
  oneGroup(block, 32, 2 ** (bytes[at] - 128));
  for (let e = 0; e < 16; e++) {
    const byte = bytes[at + 1 + e];
    block.codes[e] = fp4Codes[byte & 15];
    block.codes[e + 16] = fp4Codes[byte >> 4];
  }
};

/**
 * The value of an unsigned E4M3 scale, halved because the codes are doubled. The NaN pattern 0x7f counts as 0; with the
 * unused sign bit set the reference reads the same pattern as an ordinary number.
 */
export function halvedE4m3(byte: number): number {
  if (byte === 0x7f) return 0;
  return byte === 0xff ? 240 : e4m3Table()[byte & 0x7f] / 2;
}

/** One E4M3 scale per 16 elements @0..3, then 8 bytes per 16 elements @4: low nibbles first. */
export const unpackNVFP4: Unpack = (bytes, at, block) => {
  block.groupSize = 16;
  block.hasOffsets = false;
  for (let group = 0; group < 4; group++) {
    block.scales[group] = halvedE4m3(bytes[at + group]);
    for (let e = 0; e < 8; e++) {
      const byte = bytes[at + 4 + 8 * group + e];
      block.codes[16 * group + e] = fp4Codes[byte & 15];
      block.codes[16 * group + e + 8] = fp4Codes[byte >> 4];
    }
  }
};

/** d f16 @0, one bit per element @2: +d or −d. */
export const unpackQ1_0: Unpack = (bytes, at, block) => {
  oneGroup(block, 128, halfToFloat(u16(bytes, at)));
  for (let e = 0; e < 128; e++) block.codes[e] = ((bytes[at + 2 + (e >> 3)] >> (e & 7)) & 1) * 2 - 1;
};

/** d f16 @0, two bits per element @2: d·(q − 1). */
export const unpackQ2_0: Unpack = (bytes, at, block) => {
  oneGroup(block, 64, halfToFloat(u16(bytes, at)));
  for (let e = 0; e < 64; e++) block.codes[e] = ((bytes[at + 2 + (e >> 2)] >> (2 * (e & 3))) & 3) - 1;
};

/** qs[64] @0, d f16 @64: two bits per element, element 128n + 32j + l in byte 32n + l at bit 2j: d·(q − 1). */
export const unpackTQ2_0: Unpack = (bytes, at, block) => {
  oneGroup(block, 256, halfToFloat(u16(bytes, at + 64)));
  for (let e = 0; e < 256; e++) {
    const byte = bytes[at + 32 * (e >> 7) + (e & 31)];
    block.codes[e] = ((byte >> (2 * ((e >> 5) & 3))) & 3) - 1;
  }
};

const powersOfThree = [1, 3, 9, 27, 81];

/** qs[48] @0, qh[4] @48, d f16 @52: five (qh: four) base-3 digits per byte, stored as a fraction of 256: d·(digit − 1). */
export const unpackTQ1_0: Unpack = (bytes, at, block) => {
  oneGroup(block, 256, halfToFloat(u16(bytes, at + 52)));
  for (let e = 0; e < 256; e++) {
    let byte = at + 48 + ((e - 240) & 3);
    let digit = (e - 240) >> 2;
    if (e < 160) {
      byte = at + (e & 31);
      digit = e >> 5;
    } else if (e < 240) {
      byte = at + 32 + ((e - 160) & 15);
      digit = (e - 160) >> 4;
    }
    block.codes[e] = ((((bytes[byte] * powersOfThree[digit]) & 255) * 3) >> 8) - 1;
  }
};
