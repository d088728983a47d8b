/**
 * Encoders of the formats with one scale per block: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q1_0, Q2_0, TQ1_0, TQ2_0, MXFP4 and
 * NVFP4. Each writes the bytes of the reference encoder (without importance matrix): codes come from the unrounded
 * float32 scale, the block stores it as a half.
 */
import { fp4Codes } from './code-tables.ts';
import { clamp, f32, inverse, putHalf, roundAway, signedExtreme } from './float32-arithmetic.ts';
import { halvedE4m3 } from './unpack-small.ts';

/** Encodes the block of values that starts at `from` into the bytes that start at `at`, which are zero. */
export type Encode = (values: Float32Array, from: number, bytes: Uint8Array, at: number) => void;

/** Smallest and largest of 32 values. */
function extremes(values: Float32Array, from: number): [number, number] {
  let [low, high] = [values[from], values[from]];
  for (let e = 1; e < 32; e++) {
    const value = values[from + e];
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Codes of 5 bits: nibbles @qs, fifth bits @qh. */
function putFiveBits(bytes: Uint8Array, qh: number, qs: number, code: (e: number) => number): void {
  for (let e = 0; e < 32; e++) {
    const q = code(e);
    bytes[qs + (e & 15)] |= (q & 15) << (e < 16 ? 0 : 4);
    bytes[qh + (e >> 3)] |= (q >> 4) << (e & 7);
  }
}

export const encodeQ4_0: Encode = (values, from, bytes, at) => {
  const d = f32(signedExtreme(values, from, 32) / -8);
  const id = inverse(d);
  putHalf(bytes, at, d);
  for (let e = 0; e < 32; e++) {
    const q = Math.min(15, Math.trunc(f32(f32(values[from + e] * id) + 8.5)));
    bytes[at + 2 + (e & 15)] |= q << (e < 16 ? 0 : 4);
  }
};

export const encodeQ4_1: Encode = (values, from, bytes, at) => {
  const [low, high] = extremes(values, from);
  const d = f32(f32(high - low) / 15);
  const id = inverse(d);
  putHalf(bytes, at, d);
  putHalf(bytes, at + 2, low);
  for (let e = 0; e < 32; e++) {
    const q = Math.min(15, Math.trunc(f32(f32(f32(values[from + e] - low) * id) + 0.5)));
    bytes[at + 4 + (e & 15)] |= q << (e < 16 ? 0 : 4);
  }
};

export const encodeQ5_0: Encode = (values, from, bytes, at) => {
  const d = f32(signedExtreme(values, from, 32) / -16);
  const id = inverse(d);
  putHalf(bytes, at, d);
  putFiveBits(bytes, at + 2, at + 6, (e) => Math.min(31, Math.trunc(f32(f32(values[from + e] * id) + 16.5))));
};

export const encodeQ5_1: Encode = (values, from, bytes, at) => {
  const [low, high] = extremes(values, from);
  const d = f32(f32(high - low) / 31);
  const id = inverse(d);
  putHalf(bytes, at, d);
  putHalf(bytes, at + 2, low);
  putFiveBits(bytes, at + 4, at + 8, (e) => Math.min(31, Math.trunc(f32(f32(f32(values[from + e] - low) * id) + 0.5))));
};

export const encodeQ8_0: Encode = (values, from, bytes, at) => {
  const d = f32(Math.abs(signedExtreme(values, from, 32)) / 127);
  const id = inverse(d);
  putHalf(bytes, at, d);
  for (let e = 0; e < 32; e++) bytes[at + 2 + e] = roundAway(f32(values[from + e] * id));
};

/** One bit per element: the sign, times the mean magnitude. */
export const encodeQ1_0: Encode = (values, from, bytes, at) => {
  let sum = 0;
  for (let e = 0; e < 128; e++) {
    sum = f32(sum + Math.abs(values[from + e]));
    if (values[from + e] >= 0) bytes[at + 2 + (e >> 3)] |= 1 << (e & 7);
  }
  putHalf(bytes, at, f32(sum / 128));
};

export const encodeQ2_0: Encode = (values, from, bytes, at) => {
  const d = Math.abs(signedExtreme(values, from, 64));
  const id = inverse(d);
  putHalf(bytes, at, d);
  for (let e = 0; e < 64; e++) {
    const q = clamp(roundAway(f32(values[from + e] * id)) + 1, 0, 3);
    bytes[at + 2 + (e >> 2)] |= q << (2 * (e & 3));
  }
};

export const encodeTQ2_0: Encode = (values, from, bytes, at) => {
  const d = Math.abs(signedExtreme(values, from, 256));
  const id = inverse(d);
  putHalf(bytes, at + 64, d);
  for (let e = 0; e < 256; e++) {
    const q = roundAway(f32(values[from + e] * id)) + 1;
    bytes[at + 32 * (e >> 7) + (e & 31)] |= q << (2 * ((e >> 5) & 3));
  }
};

/** Base-3 digits, the first of a byte most significant; a byte holds the fraction digits/3^5 of 256, rounded up. */
export const encodeTQ1_0: Encode = (values, from, bytes, at) => {
  const d = Math.abs(signedExtreme(values, from, 256));
  const id = inverse(d);
  putHalf(bytes, at + 52, d);
  const put = (byte: number, first: number, step: number, digits: number): void => {
    let number = 0;
    for (let digit = 0; digit < 5; digit++) {
      const value = digit < digits ? roundAway(f32(values[from + first + digit * step] * id)) + 1 : 0;
      number = 3 * number + value;
    }
    bytes[at + byte] = Math.floor((number * 256 + 242) / 243);
  };
  for (let byte = 0; byte < 32; byte++) put(byte, byte, 32, 5);
  for (let byte = 0; byte < 16; byte++) put(32 + byte, 160 + byte, 16, 5);
  for (let byte = 0; byte < 4; byte++) put(48 + byte, 240 + byte, 4, 4);
};

/** The first of the 4-bit floating-point codes nearest to value/scale. */
function nearestFp4(value: number, scale: number): number {
  let best = 0;
  let error = Math.abs(f32(f32(fp4Codes[0] * scale) - value));
  for (let code = 1; code < 16; code++) {
    const other = Math.abs(f32(f32(fp4Codes[code] * scale) - value));
    if (other < error) [best, error] = [code, other];
  }
  return best;
}

export const encodeMXFP4: Encode = (values, from, bytes, at) => {
  const largest = Math.abs(signedExtreme(values, from, 32));
  const exponent = largest === 0 ? 0 : clamp(Math.floor(f32(Math.log2(largest))) - 2 + 127, 0, 254);
  bytes[at] = exponent;
  for (let e = 0; e < 32; e++) {
    bytes[at + 1 + (e & 15)] |= nearestFp4(values[from + e], 2 ** (exponent - 128)) << (e < 16 ? 0 : 4);
  }
};

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** The unsigned E4M3 pattern of a scale: half up at the first dropped bit, saturating at 448. */
function toE4m3(value: number): number {
  if (!(value > 0)) return 0;
  float[0] = value;
  const exponent = (floatBits[0] >>> 23) - 127 + 7;
  if (exponent <= 0) return Math.min(7, Math.trunc(f32(f32(value * 512) + 0.5)));
  // Exponent and mantissa as one number, so that a carry moves up by itself.
  const pattern = ((exponent << 3) | ((floatBits[0] >>> 20) & 7)) + ((floatBits[0] >>> 19) & 1);
  return pattern >> 3 >= 15 ? 0x7e : pattern;
}

export const encodeNVFP4: Encode = (values, from, bytes, at) => {
  for (let group = 0; group < 4; group++) {
    const first = from + 16 * group;
    bytes[at + group] = toE4m3(f32(Math.abs(signedExtreme(values, first, 16)) / 6));
    const scale = halvedE4m3(bytes[at + group]);
    for (let e = 0; e < 16; e++) {
      bytes[at + 4 + 8 * group + (e & 7)] |= nearestFp4(values[first + e], scale) << (e < 8 ? 0 : 4);
    }
  }
};
