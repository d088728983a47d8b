/**
 * Elementary functions in float32, with one rounding for each operation that is written down: the definition that the
 * kernels repeat (packages/kernels/src/c/functions.h). Sine, cosine and powers are computed in double precision and
 * rounded once.
 */
import { add, divide, exponentialParts, larger, multiply, round, roundHalfToEven, subtract } from './arithmetic.ts';

const { POSITIVE_INFINITY: infinity, NaN: notANumber } = Number;

const words = new Uint32Array(2);
const float = new Float32Array(words.buffer, 0, 1);
const double = new Float64Array(words.buffer);

/** Σ cᵢ xⁿ⁻ⁱ by Horner's rule: the highest power's coefficient first. */
function polynomial(x: number, coefficients: readonly number[]): number {
  let sum = coefficients[0]!;
  for (let i = 1; i < coefficients.length; i++) sum = add(multiply(sum, x), coefficients[i]!);
  return sum;
}
const constants = (...values: readonly number[]): readonly number[] => values.map(round);

export function roundToInteger(x: number): number {
  return Math.abs(x) < 4194304 ? roundHalfToEven(x) : x;
}

export function floor(x: number): number {
  const rounded = roundToInteger(x);
  return x < rounded ? subtract(rounded, 1) : rounded;
}

/** e^x over the whole range: the power of two is applied in two factors. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  const { n, y } = exponentialParts(Math.min(Math.max(x, -105), 89));
  const half = roundHalfToEven(multiply(n, 0.5));
  return multiply(multiply(y, 2 ** half), 2 ** subtract(n, half));
}

const logPolynomial = constants(
  ...[7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1],
  ...[2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1],
);
const [ln2High, ln2Low] = constants(0.693359375, -2.1219444e-4) as [number, number];
const [smallestNormal, squareRootOfHalf] = constants(1.17549435e-38, Math.SQRT1_2) as [number, number];

/** Natural logarithm by Cephes' polynomial: x = 2^e (1 + m) with 1 + m in [√½, √2). */
export function log(x: number): number {
  if (x === 0) return -infinity;
  if (!(x > 0) || x === infinity) return x > 0 ? x : notANumber;
  float[0] = x < smallestNormal ? multiply(x, 33554432) : x;
  let e = (words[0]! >>> 23) - (x < smallestNormal ? 151 : 126);
  words[0] = (words[0]! & 0x7fffff) + 0x3f000000;
  let m = float[0]!;
  if (m < squareRootOfHalf) {
    e--;
    m = add(m, m);
  }
  m = subtract(m, 1);
  const z = multiply(m, m);
  let y = multiply(multiply(polynomial(m, logPolynomial), m), z);
  y = add(y, multiply(e, ln2Low));
  y = subtract(y, multiply(z, 0.5));
  return add(add(m, y), multiply(e, ln2High));
}

/** log(1 + u) for u ≥ 0, with Kahan's correction of what 1 + u rounds away. */
function logOnePlus(u: number): number {
  const w = add(1, u);
  if (!(w > 1)) return u;
  return w < infinity ? multiply(log(w), divide(u, subtract(w, 1))) : w;
}

export function expMinusOne(x: number): number {
  if (Number.isNaN(x)) return x;
  const u = exp(x);
  if (u === 1) return x;
  if (!(x > -17)) return -1;
  return x < 80 ? multiply(subtract(u, 1), divide(x, log(u))) : u;
}

const tanhPolynomial = constants(
  ...[-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1],
);

export function tanh(x: number): number {
  const size = Math.abs(x);
  if (size < 0.625) {
    const z = multiply(x, x);
    return add(multiply(multiply(polynomial(z, tanhPolynomial), z), x), x);
  }
  const y = subtract(1, divide(2, add(exp(add(size, size)), 1)));
  return x < 0 ? -y : y;
}

export const sigmoid = (x: number): number => divide(1, add(1, exp(-x)));
export const silu = (x: number): number => divide(x, add(1, exp(-x)));

const erfNear = constants(
  ...[7.889115867990534e-5, -8.020840183155677e-4, 5.189535216322446e-3, -2.6854444528349446e-2],
  ...[1.1283600174774613e-1, -3.761262713583947e-1, 1.2837916591373377e-1],
);
const erfcFar = constants(
  ...[8.68192934322794e-2, -2.0717366708317558e-1, 5.97667066726265e-2, 7.549400366823372e-2],
  ...[1.7342816364018418e-1, 2.4810441577297287e-1, 2.819099906838924e-1, 2.821044573325328e-1],
);

/** 1 − erf x for x ≥ 1: e^(−x²) t R(t), t = 1/(1 + x/2); x² is split so that the exponent is exact. */
function complementaryErf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (!(x < 11)) return 0;
  const t = divide(1, add(1, multiply(x, 0.5)));
  float[0] = x;
  words[0] = words[0]! & 0xfffff000;
  const high = float[0]!;
  const low = multiply(subtract(x, high), add(x, high));
  const e = multiply(exp(-multiply(high, high)), exp(-low));
  return multiply(e, multiply(t, polynomial(t, erfcFar)));
}

/** erf x for |x| < 1, x + x P(x²). */
const nearErf = (x: number): number => add(x, multiply(x, polynomial(multiply(x, x), erfNear)));

export function erf(x: number): number {
  if (Math.abs(x) < 1) return nearErf(x);
  const y = subtract(1, complementaryErf(Math.abs(x)));
  return x < 0 ? -y : y;
}

/** x/2 · (1 + erf(x/√2)); the negative side is x/2 times the complement, which loses nothing. */
export function gelu(x: number): number {
  const half = multiply(x, 0.5);
  const z = multiply(x, squareRootOfHalf);
  if (Math.abs(z) < 1) return add(half, multiply(half, nearErf(z)));
  const tail = multiply(half, complementaryErf(Math.abs(z)));
  return x < 0 ? tail : subtract(x, tail);
}

const [geluScale, geluCube, quickScale] = constants(1.5957691216057308, 0.044715, -1.702) as [number, number, number];

/** x/2 · (1 + tanh z) = x / (1 + e^−2z), z = √(2/π) (x + 0.044715 x³). */
export function geluTanh(x: number): number {
  const cube = multiply(multiply(x, x), x);
  return divide(x, add(1, exp(-multiply(geluScale, add(x, multiply(geluCube, cube))))));
}

export const geluQuick = (x: number): number => divide(x, add(1, exp(multiply(x, quickScale))));

export function softplus(x: number, beta: number, threshold: number): number {
  const z = multiply(x, beta);
  if (z > threshold) return x;
  return divide(add(larger(z, 0), logOnePlus(exp(-Math.abs(z)))), beta);
}

/** The nearest bfloat16, ties to even. */
export function toBfloat(x: number): number {
  if (Number.isNaN(x)) return x;
  float[0] = x;
  words[0] = (words[0]! + 0x7fff + ((words[0]! >>> 16) & 1)) & 0xffff0000;
  return float[0]!;
}

/** The nearest integer of |x| < 2⁵¹. */
const nearest = (x: number): number => x + 6755399441055744 - 6755399441055744;

/** Coefficients of Taylor's series in z = r², the highest power first. */
const sineSeries = [1 / 6227020800, -1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6];
const cosineSeries = [1 / 479001600, -1 / 3628800, 1 / 40320, -1 / 720, 1 / 24, -1 / 2];

function series(z: number, coefficients: readonly number[]): number {
  let sum = coefficients[0]!;
  for (let i = 1; i < coefficients.length; i++) sum = coefficients[i]! + z * sum;
  return sum;
}

/** sin(x + quarter · π/2): Taylor's series after a reduction by π/2 in three parts, exact up to 2²⁰ multiples. */
function sineFrom(x: number, quarter: number): number {
  const n = nearest(x * 0.6366197723675814);
  if (!(n < 1e15 && n > -1e15)) return round(x - x);
  const r = x - n * 1.5707963267341256 - n * 6.077100506303966e-11 - n * 2.0222662487959506e-21;
  const z = r * r;
  const phase = (((n + quarter) % 4) + 4) % 4;
  const y = phase % 2 === 1 ? 1 + z * series(z, cosineSeries) : r + r * (z * series(z, sineSeries));
  return round(phase >= 2 ? -y : y);
}

export const sine = (x: number): number => sineFrom(x, 0);
export const cosine = (x: number): number => sineFrom(x, 1);

/** log x of a positive finite number in double precision: x = 2^e m, log m = 2 artanh((m − 1)/(m + 1)). */
function doubleLog(x: number): number {
  double[0] = x;
  let e = (words[1]! >>> 20) - 1023;
  words[1] = (words[1]! & 0xfffff) | 0x3ff00000;
  let m = double[0]!;
  if (m > Math.SQRT2) {
    m *= 0.5;
    e++;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let sum = 0;
  for (let i = 21; i >= 1; i -= 2) sum = sum * z + 1 / i;
  return 2 * s * sum + e * Math.LN2;
}

/** x^p for x ≥ 0, as e^(p log x) in double precision; NaN for x < 0. */
export function power(x: number, p: number): number {
  if (p === 0 || x === 1) return 1;
  if (!(x >= 0) || Number.isNaN(p)) return notANumber;
  if (x === 0) return p > 0 ? 0 : infinity;
  if (x === infinity) return p > 0 ? infinity : 0;
  const t = p * doubleLog(x);
  if (t > 89) return infinity;
  if (t < -104) return 0;
  const n = nearest(t * Math.LOG2E);
  const r = t - n * 0.6931471803691238 - n * 1.9082149292705877e-10;
  let y = 0;
  for (let i = 14; i >= 1; i--) y = (y + 1) * (r / i);
  return round((y + 1) * 2 ** n);
}
