/** float16 and bfloat16 in their plainest form, by the definition of the formats. */

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** The value of a float16: 1 sign, 5 exponent and 10 mantissa bits. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}

/** The nearest float16 of a float32, ties to even, overflow to infinity. */
export function toHalf(x: number): number {
  const sign = Object.is(Math.sign(x), -0) || x < 0 ? 0x8000 : 0;
  const magnitude = Math.abs(x);
  if (Number.isNaN(x)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const exact = magnitude < 2 ** exponent ? exponent - 1 : magnitude >= 2 ** (exponent + 1) ? exponent + 1 : exponent;
  const unit = 2 ** (Math.max(-14, exact) - 10);
  const steps = nearestEven(magnitude / unit);
  // A normal number counts 1024 … 2047 steps; reaching 2048 carries into the exponent by itself.
  return sign | (steps + Math.max(0, exact + 14) * 1024);
}

export function fromBfloat(value: number): number {
  bits[0] = value << 16;
  return floats[0];
}

function nearestEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
