/**
 * Activation blocks for integer dot products: Q8_0 (with the weights' own encoder), Q8_1, which adds s = d·Σq for formats
 * with a minimum, and Q8_K, whose float32 scale may be negative and which keeps the sum of every 16 codes.
 */
import type { Encode } from './encode-small.ts';
import { f32, inverse, putHalf, roundAway, roundEven, signedExtreme } from './float32-arithmetic.ts';

export const encodeQ8_1: Encode = (values, from, bytes, at) => {
  const d = f32(Math.abs(signedExtreme(values, from, 32)) / 127);
  const id = inverse(d);
  let sum = 0;
  for (let e = 0; e < 32; e++) {
    const q = roundAway(f32(values[from + e] * id));
    bytes[at + 4 + e] = q;
    sum += q;
  }
  putHalf(bytes, at, d);
  putHalf(bytes, at + 2, f32(sum * d));
};

const float = new Float32Array(1);
const floatBytes = new Uint8Array(float.buffer);

export const encodeQ8_K: Encode = (values, from, bytes, at) => {
  const extreme = signedExtreme(values, from, 256);
  if (extreme === 0) return;
  const factor = f32(-127 / extreme);
  float[0] = f32(1 / factor);
  bytes.set(floatBytes, at);
  for (let group = 0; group < 16; group++) {
    let sum = 0;
    for (let e = 16 * group; e < 16 * group + 16; e++) {
      const q = Math.min(127, roundEven(f32(factor * values[from + e])));
      bytes[at + 4 + e] = q;
      sum += q;
    }
    bytes[at + 260 + 2 * group] = sum & 255;
    bytes[at + 261 + 2 * group] = (sum >> 8) & 255;
  }
};
