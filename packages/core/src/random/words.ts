/**
 * 32-bit word arithmetic that the counter-based generators share. JavaScript has no 64-bit product, so the high half
 * of a 32 × 32 product is put together from 16-bit pieces; every intermediate stays below 2⁵³ and is exact.
 */

/** High 32 bits of the 64-bit product of two unsigned words. */
export const multiplyHigh = (a: number, b: number): number => {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + ((middle & 0xffff) + aLow * bHigh) / 0x10000) >>> 0;
};

/** Low 32 bits of the product of two words, unsigned. */
export const multiplyLow = (a: number, b: number): number => Math.imul(a, b) >>> 0;

/** Rotates a word left by 1…31 bits, unsigned. */
export const rotateLeft = (word: number, bits: number): number => ((word << bits) | (word >>> (32 - bits))) >>> 0;
