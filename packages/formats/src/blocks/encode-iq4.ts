/**
 * Encoders of the 4-bit formats with a non-linear code table T: IQ4_NL (one least-squares scale per 32 elements) and
 * IQ4_XS (a search over scales per 32 elements, rounded to 6 bits within a super-block of 256).
 */
import { iq4Codes } from './code-tables.ts';
import { NEGLIGIBLE } from './encode-k-symmetric.ts';
import type { Encode } from './encode-small.ts';
import { clamp, f32, inverse, putHalf, roundEven, signedExtreme } from './float32-arithmetic.ts';

/** Index of the table entry nearest to a value, the upper of equally near ones. */
function nearest(value: number): number {
  if (value <= iq4Codes[0]) return 0;
  if (value >= iq4Codes[15]) return 15;
  let upper = value >= iq4Codes[8] ? 9 : 1;
  while (value >= iq4Codes[upper]) upper++;
  return f32(value - iq4Codes[upper - 1]) < f32(iq4Codes[upper] - value) ? upper - 1 : upper;
}

/** Σ w·T·x and Σ w·T² with w = x² for the codes that an inverse scale gives. */
function sumsFor(values: Float32Array, from: number, inverseScale: number): [qx: number, q2: number] {
  let qx = 0;
  let q2 = 0;
  for (let e = from; e < from + 32; e++) {
    const value = values[e];
    const q = iq4Codes[nearest(f32(inverseScale * value))];
    const wq = f32(f32(value * value) * q);
    qx = f32(qx + f32(wq * value));
    q2 = f32(q2 + f32(wq * q));
  }
  return [qx, q2];
}

/** Writes 32 codes as nibbles. */
function putCodes(values: Float32Array, from: number, inverseScale: number, bytes: Uint8Array, at: number): void {
  for (let e = 0; e < 32; e++) {
    bytes[at + (e & 15)] |= nearest(f32(inverseScale * values[from + e])) << (e < 16 ? 0 : 4);
  }
}

export const encodeIQ4_NL: Encode = (values, from, bytes, at) => {
  const extreme = signedExtreme(values, from, 32);
  if (Math.abs(extreme) < NEGLIGIBLE) return;
  const inverseScale = f32(1 / f32(extreme / -127));
  const [qx, q2] = sumsFor(values, from, inverseScale);
  putHalf(bytes, at, q2 > 0 ? f32(qx / q2) : 0);
  putCodes(values, from, inverseScale, bytes, at + 2);
};

/** The best of sixteen scales for 32 values. */
function fitGroup(values: Float32Array, from: number): number {
  const extreme = signedExtreme(values, from, 32);
  if (Math.abs(extreme) < NEGLIGIBLE) return 0;
  const [firstQx, firstQ2] = sumsFor(values, from, f32(1 / f32(-extreme / -127)));
  let scale = f32(firstQx / firstQ2);
  let best = f32(scale * firstQx);
  for (let step = -7; step <= 7; step++) {
    const [qx, q2] = sumsFor(values, from, f32((step - 127) / extreme));
    if (!(q2 > 0 && f32(qx * qx) > f32(best * q2))) continue;
    scale = f32(qx / q2);
    best = f32(scale * qx);
  }
  return scale;
}

export const encodeIQ4_XS: Encode = (values, from, bytes, at) => {
  const scales = new Float32Array(8);
  for (let group = 0; group < 8; group++) scales[group] = fitGroup(values, from + 32 * group);
  const d = f32(-signedExtreme(scales, 0, 8) / 32);
  putHalf(bytes, at, d);
  for (let group = 0; group < 8; group++) {
    const factor = clamp(roundEven(f32(inverse(d) * scales[group])), -32, 31);
    putCodes(values, from + 32 * group, inverse(f32(d * factor)), bytes, at + 8 + 16 * group);
    bytes[at + 4 + (group >> 1)] |= ((factor + 32) & 15) << (4 * (group & 1));
    bytes[at + 2 + (group >> 2)] |= ((factor + 32) >> 4) << (2 * (group & 3));
  }
};
