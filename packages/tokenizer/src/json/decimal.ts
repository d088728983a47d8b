/**
 * Decimal numbers as the reference's JSON parser reads them: the digits as a 64-bit integer, rounded to a double, times or
 * divided by a power of ten. From 16 digits on the result can differ from the nearest double in the last bit, and that bit
 * decides between segmentations of equal score.
 */
import { asciiText } from '../text/code-points.ts';

const ZERO = 48;
const LARGEST = '18446744073709551615';
const LONGEST_EXACT = 15;

/** powers[n] = 10^n. */
const powers: readonly number[] = Array.from({ length: 309 }, (_, exponent) => Number(`1e${exponent}`));

/** @param digits decimal digits without leading zeros, at most as many as fit in 64 bits. */
function scaled(digits: string, exponent: number): number {
  let value = Number(digits);
  let left = exponent;
  for (; left < -308 && value !== 0; left += 308) value /= powers[308];
  return left < 0 ? value / powers[Math.min(-left, 308)] : value * (powers[left] ?? Number.POSITIVE_INFINITY);
}

function longDecimal(text: string): number {
  const match = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) return Number.NaN;
  const [, whole, fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  let kept = digits.slice(0, LARGEST.length);
  if (kept.length === LARGEST.length && kept > LARGEST) kept = kept.slice(0, -1);
  const dropped = digits.length - kept.length;
  return scaled(kept || '0', Math.trunc(Number(exponent)) - fraction.length + dropped);
}

/** The number written in bytes[start, end), NaN for anything else. */
export function decimalNumber(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === 45;
  const from = negative ? start + 1 : start;
  let value = 0;
  let digits = 0;
  let point = -1;
  for (let at = from; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
    } else if (bytes[at] === 46 && point < 0 && at > from && at + 1 < end) point = at;
    else digits = Number.POSITIVE_INFINITY;
  }
  if (digits === 0) return Number.NaN;
  if (digits > LONGEST_EXACT) value = longDecimal(asciiText(bytes, from, end));
  else if (point >= 0) value /= powers[end - point - 1];
  return negative ? -value : value;
}
