/**
 * Encoders of the super-block formats with a scale and a minimum per group: Q2_K, Q4_K, Q5_K. For each group a search
 * over slightly different grids solves a weighted least-squares problem for scale and minimum,
 *
 *     minimise Σ w·(scale·l + min − x)²,   D = Σw·Σwl² − (Σwl)²,
 *     scale = (Σw·Σwxl − Σwx·Σwl)/D,       min = (Σwl²·Σwx − Σwl·Σwxl)/D   (min capped at 0)
 *
 * and the best scales and minima are themselves rounded to 4 or 6 bits. Sums run in order, in float32.
 */
import type { Encode } from './encode-small.ts';
import { clamp, f32, putHalf, roundEven } from './float32-arithmetic.ts';
import { packedMinimum, packedScale } from './unpack-k.ts';

/** How a format searches. */
interface Search {
  readonly groupSize: number;
  /** Largest code. */
  readonly highest: number;
  readonly firstStep: number;
  /** Tries after the plain one. */
  readonly tries: number;
  /** Compare absolute instead of squared errors. */
  readonly absolute: boolean;
}

/** Scale and negated minimum of one group; codes go to `codes` from `at`. */
interface Fit {
  scale: number;
  minimum: number;
}

const trial = new Uint8Array(32);

function quantizeAll(values: Float32Array, from: number, inverse: number, low: number, search: Search): void {
  const { groupSize, highest } = search;
  for (let e = 0; e < groupSize; e++) {
    trial[e] = clamp(roundEven(f32(inverse * f32(values[from + e] - low))), 0, highest);
  }
}

function errorOf(
  values: Float32Array,
  from: number,
  weights: Float32Array,
  scale: number,
  low: number,
  search: Search,
): number {
  const { groupSize, absolute } = search;
  let error = 0;
  for (let e = 0; e < groupSize; e++) {
    const difference = f32(f32(f32(scale * trial[e]) + low) - values[from + e]);
    const size = absolute ? Math.abs(difference) : f32(difference * difference);
    error = f32(error + f32(weights[e] * size));
  }
  return error;
}

/** The weighted least-squares scale and minimum for the codes in `trial`, or undefined when they do not determine them. */
function solve(
  values: Float32Array,
  from: number,
  weights: Float32Array,
  sumW: number,
  sumX: number,
  search: Search,
): { scale: number; low: number } | undefined {
  const { groupSize } = search;
  let sumL = 0;
  let sumL2 = 0;
  let sumXL = 0;
  for (let e = 0; e < groupSize; e++) {
    const code = trial[e];
    const wl = f32(weights[e] * code);
    sumL = f32(sumL + wl);
    sumL2 = f32(sumL2 + f32(wl * code));
    sumXL = f32(sumXL + f32(wl * values[from + e]));
  }
  const determinant = f32(f32(sumW * sumL2) - f32(sumL * sumL));
  if (!(determinant > 0)) return undefined;
  const low = f32(f32(f32(sumL2 * sumX) - f32(sumL * sumXL)) / determinant);
  if (low > 0) return { scale: f32(sumXL / sumL2), low: 0 };
  return { scale: f32(f32(f32(sumW * sumXL) - f32(sumX * sumL)) / determinant), low };
}

function fitGroup(
  values: Float32Array,
  from: number,
  weights: Float32Array,
  codes: Uint8Array,
  at: number,
  search: Search,
): Fit {
  let low = values[from];
  let high = low;
  let sumW = 0;
  let sumX = 0;
  for (let e = 0; e < search.groupSize; e++) {
    const value = values[from + e];
    if (value < low) low = value;
    if (value > high) high = value;
    sumW = f32(sumW + weights[e]);
    sumX = f32(sumX + f32(weights[e] * value));
  }
  if (low > 0) low = 0;
  if (high === low) {
    codes.fill(0, at, at + search.groupSize);
    return { scale: 0, minimum: -low };
  }
  const keep = (): void => codes.set(trial.subarray(0, search.groupSize), at);
  let inverse = f32(search.highest / f32(high - low));
  let scale = f32(1 / inverse);
  quantizeAll(values, from, inverse, low, search);
  keep();
  let best = errorOf(values, from, weights, scale, low, search);
  for (let step = 0; step <= search.tries; step++) {
    inverse = f32(f32(f32(search.firstStep + f32(f32(0.1) * step)) + search.highest) / f32(high - low));
    quantizeAll(values, from, inverse, low, search);
    const found = solve(values, from, weights, sumW, sumX, search);
    if (found === undefined) continue;
    const error = errorOf(values, from, weights, found.scale, found.low, search);
    if (!(error < best)) continue;
    best = error;
    ({ scale, low } = found);
    keep();
  }
  return { scale, minimum: -low };
}

/** Re-rounds codes with the scales as stored; a group whose scale is 0 keeps the codes of its search. */
function roundAgain(
  values: Float32Array,
  from: number,
  codes: Uint8Array,
  search: Search,
  scaleOf: (group: number) => [scale: number, minimum: number],
): void {
  for (let group = 0; group * search.groupSize < 256; group++) {
    const [scale, minimum] = scaleOf(group);
    if (scale === 0) continue;
    for (let e = group * search.groupSize; e < (group + 1) * search.groupSize; e++) {
      codes[e] = clamp(roundEven(f32(f32(values[from + e] + minimum) / scale)), 0, search.highest);
    }
  }
}

const searchQ2_K: Search = { groupSize: 16, highest: 3, firstStep: -0.5, tries: 15, absolute: true };

export const encodeQ2_K: Encode = (values, from, bytes, at) => {
  const codes = new Uint8Array(256);
  const weights = new Float32Array(16);
  const fits: Fit[] = [];
  for (let group = 0; group < 16; group++) {
    for (let e = 0; e < 16; e++) weights[e] = Math.abs(values[from + 16 * group + e]);
    fits.push(fitGroup(values, from + 16 * group, weights, codes, 16 * group, searchQ2_K));
  }
  const maxScale = Math.max(0, ...fits.map((fit) => fit.scale));
  const maxMinimum = Math.max(0, ...fits.map((fit) => fit.minimum));
  const inverseScale = maxScale > 0 ? f32(15 / maxScale) : 0;
  const inverseMinimum = maxMinimum > 0 ? f32(15 / maxMinimum) : 0;
  fits.forEach((fit, group) => {
    bytes[at + group] = roundEven(f32(inverseScale * fit.scale)) | (roundEven(f32(inverseMinimum * fit.minimum)) << 4);
  });
  const d = putHalf(bytes, at + 80, f32(maxScale / 15));
  const dmin = putHalf(bytes, at + 82, f32(maxMinimum / 15));
  roundAgain(values, from, codes, searchQ2_K, (group) => {
    const packed = bytes[at + group];
    return [f32(d * (packed & 15)), f32(dmin * (packed >> 4))];
  });
  for (let e = 0; e < 256; e++) bytes[at + 16 + 32 * (e >> 7) + (e & 31)] |= codes[e] << (2 * ((e >> 5) & 3));
};

const searchQ4_K: Search = { groupSize: 32, highest: 15, firstStep: -1, tries: 20, absolute: false };
const searchQ5_K: Search = { groupSize: 32, highest: 31, firstStep: -0.5, tries: 15, absolute: false };

/** Writes d, dmin and the packed 6-bit scales and minima of a Q4_K or Q5_K block; returns the final codes. */
function encodeScales(values: Float32Array, from: number, bytes: Uint8Array, at: number, search: Search): Uint8Array {
  const codes = new Uint8Array(256);
  const weights = new Float32Array(32);
  const fits: Fit[] = [];
  for (let group = 0; group < 8; group++) {
    let sum = 0;
    for (let e = 32 * group; e < 32 * group + 32; e++) sum = f32(sum + f32(values[from + e] * values[from + e]));
    const mean = f32(Math.sqrt(f32(sum / 32)));
    for (let e = 0; e < 32; e++) weights[e] = mean + Math.abs(values[from + 32 * group + e]);
    fits.push(fitGroup(values, from + 32 * group, weights, codes, 32 * group, search));
  }
  const maxScale = Math.max(0, ...fits.map((fit) => fit.scale));
  const maxMinimum = Math.max(0, ...fits.map((fit) => fit.minimum));
  const inverseScale = maxScale > 0 ? f32(63 / maxScale) : 0;
  const inverseMinimum = maxMinimum > 0 ? f32(63 / maxMinimum) : 0;
  fits.forEach((fit, group) => {
    const scale = clamp(roundEven(f32(inverseScale * fit.scale)), 0, 63);
    const minimum = clamp(roundEven(f32(inverseMinimum * fit.minimum)), 0, 63);
    putPacked(bytes, at + 4, group, scale, minimum);
  });
  const d = putHalf(bytes, at, f32(maxScale / 63));
  const dmin = putHalf(bytes, at + 2, f32(maxMinimum / 63));
  roundAgain(values, from, codes, search, (group) => [
    f32(d * packedScale(bytes, at + 4, group)),
    f32(dmin * packedMinimum(bytes, at + 4, group)),
  ]);
  return codes;
}

function putPacked(bytes: Uint8Array, at: number, group: number, scale: number, minimum: number): void {
  if (group < 4) {
    bytes[at + group] |= scale;
    bytes[at + group + 4] |= minimum;
  } else {
    bytes[at + group + 4] = (scale & 15) | ((minimum & 15) << 4);
    bytes[at + group - 4] |= (scale >> 4) << 6;
    bytes[at + group] |= (minimum >> 4) << 6;
  }
}

export const encodeQ4_K: Encode = (values, from, bytes, at) => {
  const codes = encodeScales(values, from, bytes, at, searchQ4_K);
  for (let e = 0; e < 256; e++) bytes[at + 16 + 32 * (e >> 6) + (e & 31)] |= codes[e] << (e & 32 ? 4 : 0);
};

export const encodeQ5_K: Encode = (values, from, bytes, at) => {
  const codes = encodeScales(values, from, bytes, at, searchQ5_K);
  for (let e = 0; e < 256; e++) {
    bytes[at + 48 + 32 * (e >> 6) + (e & 31)] |= (codes[e] & 15) << (e & 32 ? 4 : 0);
    bytes[at + 16 + (e & 31)] |= (codes[e] >> 4) << (e >> 5);
  }
};
