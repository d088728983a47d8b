/**
 * Character classes as bits, one table look-up per code point. The table is filled by the engine's own \p{…} classes, a
 * block of 256 code points the first time one of them is asked for.
 */

export const LETTER = 1;
export const NUMBER = 2;
/** Unicode White_Space. */
export const SPACE = 4;
export const MARK = 8;
export const PUNCTUATION = 16;
export const SYMBOL = 32;
/** Lu, Lt, Lm, Lo, M: what may stand in the upper-case part of a word. */
export const UPPER_PART = 64;
/** Ll, Lm, Lo, M: what may stand in the lower-case part of a word. */
export const LOWER_PART = 128;
/** Cc, Cf, Co. */
export const CONTROL = 512;
/** Mn. */
export const NONSPACING_MARK = 1024;
/** Alphabetic, Mark, decimal digits, connector punctuation and the joiners: \w of Unicode's regular expressions. */
export const WORD = 2048;
const KNOWN = 256;

const patterns: readonly (readonly [number, RegExp])[] = [
  [LETTER, /\p{L}/u],
  [NUMBER, /\p{N}/u],
  [SPACE, /\p{White_Space}/u],
  [MARK, /\p{M}/u],
  [PUNCTUATION, /\p{P}/u],
  [SYMBOL, /\p{S}/u],
  [UPPER_PART, /[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]/u],
  [LOWER_PART, /[\p{Ll}\p{Lm}\p{Lo}\p{M}]/u],
  [CONTROL, /[\p{Cc}\p{Cf}\p{Co}]/u],
  [NONSPACING_MARK, /\p{Mn}/u],
  [WORD, /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u],
];

const table = new Uint16Array(0x110000);

function fill(code: number): number {
  const from = code & ~255;
  for (let at = from; at < from + 256; at++) {
    const character = String.fromCodePoint(at);
    let bits = KNOWN;
    for (const [bit, pattern] of patterns) if (pattern.test(character)) bits |= bit;
    table[at] = bits;
  }
  return table[code];
}

/** The class bits of a code point. */
export function classOf(code: number): number {
  return table[code] || fill(code);
}
