/**
 * float32 arithmetic in JavaScript: each function rounds once. (Rounding the float64 result of +, −, ×, ÷ and √ of
 * float32 values gives the float32 result exactly.) On these stand the exponential and the fixed order of row sums.
 */
export const round: (x: number) => number = Math.fround;
export const add = (a: number, b: number): number => round(a + b);
export const subtract = (a: number, b: number): number => round(a - b);
export const multiply = (a: number, b: number): number => round(a * b);
export const divide = (a: number, b: number): number => round(a / b);

const log2e = round(Math.LOG2E);
const ln2High = round(0.693359375);
const ln2Low = round(-2.1219444e-4);
const lowest = round(-87.33);
const highest = round(88.3);
/** Cephes' expf: coefficients of r⁷ … r². */
const polynomial = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
].map(round);

/** e^x = 2ⁿ y by Cephes' polynomial. */
export function exponentialParts(x: number): { n: number; y: number } {
  const n = roundHalfToEven(multiply(x, log2e));
  const r = subtract(subtract(x, multiply(n, ln2High)), multiply(n, ln2Low));
  let p = polynomial[0];
  for (const coefficient of polynomial.slice(1)) p = add(multiply(p, r), coefficient);
  return { n, y: add(add(multiply(p, multiply(r, r)), r), 1) };
}

/** e^x; 0 below −87.33 and for NaN, e^88.3 above 88.3. */
export function exponential(x: number): number {
  if (!(x >= lowest)) return 0;
  const { n, y } = exponentialParts(Math.min(x, highest));
  return multiply(y, 2 ** n);
}

/** The nearest integer of |x| < 2²², ties to even: adding 1.5 · 2²³ leaves no room for a fraction. */
export function roundHalfToEven(x: number): number {
  return subtract(add(x, 12582912), 12582912);
}

/** Element i of a row is summed in lane i mod 16, and the lanes are folded 8, 4, 2, 1. */
export function foldLanes(lanes: Float32Array): number {
  const sums = lanes.slice(0, 16);
  for (let half = 8; half >= 1; half /= 2) for (let i = 0; i < half; i++) sums[i] = add(sums[i], sums[i + half]);
  return sums[0];
}

/** cap · tanh(x / cap), with tanh z = 1 − 2 / (e^2z + 1). */
export function softcapped(x: number, cap: number): number {
  return multiply(tanh(divide(x, cap)), cap);
}

export function tanh(z: number): number {
  return subtract(1, divide(2, add(exponential(add(z, z)), 1)));
}

/** The larger as the kernels choose it: b unless a is larger, also where a number is NaN or zeros differ in sign. */
export function larger(a: number, b: number): number {
  if (a > b) return a;
  return b;
}

/** The smaller: b unless a is smaller. */
export function smaller(a: number, b: number): number {
  if (a < b) return a;
  return b;
}
