/**
 * Encoders of the super-block formats with a scale per group and no minimum: Q3_K (coordinate descent on the codes) and
 * Q6_K (a search over nearby scales). Both maximise (Σ w·x·l)²/Σ w·l² with w = x², which for the best scale
 * Σwxl/Σwl² is the same as the smallest weighted squared error.
 */
import type { Encode } from './encode-small.ts';
import { clamp, f32, putHalf, roundEven, signedExtreme } from './float32-arithmetic.ts';
import { scaleOfQ3_K } from './unpack-k.ts';
import { i8 } from './unpacked-block.ts';

/** Groups whose values are all smaller count as zero. */
export const NEGLIGIBLE: number = 1e-15;

/** The sums Σ w·x·l and Σ w·l² for codes rounded with an inverse scale. */
interface Sums {
  xl: number;
  l2: number;
}

const trial = new Int8Array(16);

function quantizeGroup(values: Float32Array, from: number, inverse: number, limit: number): Sums {
  const sums = { xl: 0, l2: 0 };
  for (let e = 0; e < 16; e++) {
    const value = values[from + e];
    const code = clamp(roundEven(f32(inverse * value)), -limit, limit - 1);
    trial[e] = code;
    const weight = f32(value * value);
    sums.xl = f32(sums.xl + f32(f32(weight * value) * code));
    sums.l2 = f32(sums.l2 + f32(f32(weight * code) * code));
  }
  return sums;
}

/** Scale of a Q6_K group; codes from −32 go to `codes`. */
function fitQ6_K(values: Float32Array, from: number, codes: Int8Array, at: number): number {
  const extreme = signedExtreme(values, from, 16);
  if (Math.abs(extreme) < NEGLIGIBLE) {
    codes.fill(-32, at, at + 16);
    return 0;
  }
  const first = quantizeGroup(values, from, f32(-32 / extreme), 32);
  codes.set(trial, at);
  let scale = first.l2 === 0 ? 0 : f32(first.xl / first.l2);
  let best = f32(scale * first.xl);
  for (let step = -9; step <= 9; step++) {
    if (step === 0) continue;
    const inverse = f32(-f32(32 + f32(f32(0.1) * step)) / extreme);
    const sums = quantizeGroup(values, from, inverse, 32);
    if (!(sums.l2 > 0 && f32(sums.xl * sums.xl) > f32(best * sums.l2))) continue;
    codes.set(trial, at);
    scale = f32(sums.xl / sums.l2);
    best = f32(scale * sums.xl);
  }
  return scale;
}

/** Scale of a Q3_K group; codes from −4 go to `codes`. */
function fitQ3_K(values: Float32Array, from: number, codes: Int8Array, at: number): number {
  const extreme = signedExtreme(values, from, 16);
  if (Math.abs(extreme) < NEGLIGIBLE) {
    codes.fill(-4, at, at + 16);
    return 0;
  }
  const sums = quantizeGroup(values, from, f32(-4 / extreme), 4);
  for (let pass = 0; pass < 5; pass++) if (!improve(values, from, sums)) break;
  codes.set(trial, at);
  return sums.l2 > 0 ? f32(sums.xl / sums.l2) : 0;
}

/** One pass of coordinate descent over the codes in `trial`; false when nothing changed. */
function improve(values: Float32Array, from: number, sums: Sums): boolean {
  let changed = false;
  for (let e = 0; e < 16; e++) {
    const value = values[from + e];
    const weight = f32(value * value);
    const wx = f32(weight * value);
    let xl = f32(sums.xl - f32(wx * trial[e]));
    if (!(xl > 0)) continue;
    let l2 = f32(sums.l2 - f32(f32(weight * trial[e]) * trial[e]));
    const code = clamp(roundEven(f32(f32(value * l2) / xl)), -4, 3);
    if (code === trial[e]) continue;
    xl = f32(xl + f32(wx * code));
    l2 = f32(l2 + f32(f32(weight * code) * code));
    if (!(l2 > 0 && f32(f32(xl * xl) * sums.l2) > f32(f32(sums.xl * sums.xl) * l2))) continue;
    trial[e] = code;
    sums.xl = xl;
    sums.l2 = l2;
    changed = true;
  }
  return changed;
}

/** Re-rounds codes with the scales as stored; a group whose scale is 0 keeps the codes of its search. */
function roundAgain(
  values: Float32Array,
  from: number,
  codes: Int8Array,
  limit: number,
  scaleOf: (group: number) => number,
): void {
  for (let group = 0; group < 16; group++) {
    const scale = scaleOf(group);
    if (scale === 0) continue;
    for (let e = 16 * group; e < 16 * group + 16; e++) {
      codes[e] = clamp(roundEven(f32(values[from + e] / scale)), -limit, limit - 1);
    }
  }
}

export const encodeQ6_K: Encode = (values, from, bytes, at) => {
  const codes = new Int8Array(256);
  const scales = new Float32Array(16);
  for (let group = 0; group < 16; group++) scales[group] = fitQ6_K(values, from + 16 * group, codes, 16 * group);
  const extreme = signedExtreme(scales, 0, 16);
  if (Math.abs(extreme) < NEGLIGIBLE) return;
  const inverse = f32(-128 / extreme);
  const d = putHalf(bytes, at + 208, f32(1 / inverse));
  for (let group = 0; group < 16; group++) {
    bytes[at + 192 + group] = Math.min(127, roundEven(f32(inverse * scales[group])));
  }
  roundAgain(values, from, codes, 32, (group) => f32(d * i8(bytes, at + 192 + group)));
  for (let e = 0; e < 256; e++) {
    const [n, j, l] = [e >> 7, (e >> 5) & 3, e & 31];
    const code = codes[e] + 32;
    bytes[at + 64 * n + l + 32 * (j & 1)] |= (code & 15) << (j < 2 ? 0 : 4);
    bytes[at + 128 + 32 * n + l] |= (code >> 4) << (2 * j);
  }
};

export const encodeQ3_K: Encode = (values, from, bytes, at) => {
  const codes = new Int8Array(256);
  const scales = new Float32Array(16);
  for (let group = 0; group < 16; group++) scales[group] = fitQ3_K(values, from + 16 * group, codes, 16 * group);
  const extreme = signedExtreme(scales, 0, 16);
  let d = 0;
  if (extreme !== 0) {
    const inverse = f32(-32 / extreme);
    for (let group = 0; group < 16; group++) {
      const code = clamp(roundEven(f32(inverse * scales[group])), -32, 31) + 32;
      bytes[at + 96 + (group & 7)] |= (code & 15) << (group < 8 ? 0 : 4);
      bytes[at + 104 + (group & 3)] |= (code >> 4) << (2 * (group >> 2));
    }
    d = putHalf(bytes, at + 108, f32(1 / inverse));
  }
  roundAgain(values, from, codes, 4, (group) => f32(d * scaleOfQ3_K(bytes, at + 96, group)));
  for (let e = 0; e < 256; e++) {
    const code = codes[e] + 4;
    bytes[at + 32 + 32 * (e >> 7) + (e & 31)] |= (code & 3) << (2 * ((e >> 5) & 3));
    bytes[at + (e & 31)] |= (code >> 2) << (e >> 5);
  }
};
