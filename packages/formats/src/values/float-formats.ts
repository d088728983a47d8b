/**
 * Small floating-point formats, to and from float32: IEEE half (F16), BF16, and the 8-bit formats E4M3 (one NaN, no
 * infinity) and E5M2 (a short half). Encoding rounds to nearest, ties to even.
 */
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function computeHalf(half: number): number {
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

function computeE4m3(byte: number): number {
  const exponent = (byte >> 3) & 15;
  const mantissa = byte & 7;
  const sign = byte & 0x80 ? -1 : 1;
  if ((byte & 0x7f) === 0x7f) return Number.NaN;
  return exponent === 0 ? sign * mantissa * 2 ** -9 : sign * (8 + mantissa) * 2 ** (exponent - 10);
}

let halves: Float32Array | undefined;
let e4m3: Float32Array | undefined;

/** The values of all 65,536 half floats, indexed by their bits. */
export function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65536 }, (_, half) => computeHalf(half));
  return halves;
}

/** The values of all 256 E4M3 floats, indexed by their bits. */
export function e4m3Table(): Float32Array {
  e4m3 ??= Float32Array.from({ length: 256 }, (_, byte) => computeE4m3(byte));
  return e4m3;
}

/** The value of a half float given by its bits. */
export function halfToFloat(half: number): number {
  return halfTable()[half];
}

/** The bits of the half float nearest to a value; too large becomes infinity. */
export function floatToHalf(value: number): number {
  float[0] = value;
  const pattern = bits[0];
  const sign = (pattern >>> 16) & 0x8000;
  const magnitude = pattern & 0x7fffffff;
  if (magnitude >= 0x7f800000) return magnitude > 0x7f800000 ? sign | 0x7e00 : sign | 0x7c00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to 65536 or more
  if (magnitude >= 0x38800000) {
    // Normal: drop 13 bits, ties to even; a carry moves into the exponent by itself.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  // Subnormal: float32 addition at 2^-1 rounds to multiples of 2^-24.
  float[0] = Math.abs(value) + 0.5;
  return sign | (bits[0] - 0x3f000000);
}

/** The value of a BF16 number given by its bits. */
export function bfloat16ToFloat(pattern: number): number {
  bits[0] = pattern << 16;
  return float[0];
}

/** The bits of the BF16 number nearest to a value; a NaN stays a quiet NaN. */
export function floatToBfloat16(value: number): number {
  float[0] = value;
  const pattern = bits[0];
  if ((pattern & 0x7fffffff) > 0x7f800000) return (pattern >>> 16) | 0x40;
  return (pattern + 0x7fff + ((pattern >>> 16) & 1)) >>> 16;
}
