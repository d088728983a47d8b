/**
 * Text as arrays of Unicode code points, the unit that every stage of this package works in: offsets are counted in
 * them and character classes are defined on them. A lone surrogate becomes U+FFFD, as it does in any UTF-8 encoder.
 */

const REPLACEMENT = 0xfffd;
/** Arguments handed to String.fromCharCode at once; far below every engine's limit. */
const CHUNK = 4096;

/** The code points of a string. */
export function toCodePoints(text: string): Int32Array {
  const codes = new Int32Array(text.length);
  const count = writeCodePoints(text, codes);
  return count === codes.length ? codes : codes.slice(0, count);
}

/** Writes the code points of `text` to the front of `target`, which has room for text.length, and returns their number. */
export function writeCodePoints(text: string, target: Int32Array): number {
  const length = text.length;
  let count = 0;
  for (let at = 0; at < length; at++) {
    let code = text.charCodeAt(at);
    if ((code & 0xf800) === 0xd800) {
      const low = at + 1 < length ? text.charCodeAt(at + 1) : 0;
      if (code < 0xdc00 && (low & 0xfc00) === 0xdc00) {
        code = (code - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000;
        at++;
      } else code = REPLACEMENT;
    }
    target[count++] = code;
  }
  return count;
}

/** The string of codes[start, end). */
export function codePointsToString(codes: ArrayLike<number>, start = 0, end: number = codes.length): string {
  const units = new Uint16Array(Math.min(CHUNK, end - start) * 2);
  let text = '';
  for (let at = start; at < end; ) {
    let count = 0;
    for (const stop = Math.min(at + CHUNK, end); at < stop; at++) {
      const code = codes[at];
      if (code < 0x10000) units[count++] = code;
      else {
        units[count++] = 0xd7c0 + (code >> 10);
        units[count++] = 0xdc00 | (code & 0x3ff);
      }
    }
    text += String.fromCharCode.apply(null, units.subarray(0, count) as unknown as number[]);
  }
  return text;
}

/** Number of UTF-8 bytes of one code point. */
export function utf8Length(code: number): number {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/** Writes the UTF-8 bytes of a code point at `at` and returns the place after them. */
export function writeUtf8(code: number, target: Uint8Array, at: number): number {
  if (code < 0x80) {
    target[at++] = code;
  } else if (code < 0x800) {
    target[at++] = 0xc0 | (code >> 6);
    target[at++] = 0x80 | (code & 63);
  } else if (code < 0x10000) {
    target[at++] = 0xe0 | (code >> 12);
    target[at++] = 0x80 | ((code >> 6) & 63);
    target[at++] = 0x80 | (code & 63);
  } else {
    target[at++] = 0xf0 | (code >> 18);
    target[at++] = 0x80 | ((code >> 12) & 63);
    target[at++] = 0x80 | ((code >> 6) & 63);
    target[at++] = 0x80 | (code & 63);
  }
  return at;
}

/** Writes a string as UTF-8 and returns the place after it; `target` has room for three bytes per UTF-16 unit. */
export function writeStringUtf8(text: string, target: Uint8Array, at: number): number {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) target[at++] = unit;
    else if ((unit & 0xf800) !== 0xd800) at = writeUtf8(unit, target, at);
    else {
      const code = text.codePointAt(index)!;
      if (code > 0xffff) index++;
      at = writeUtf8(code > 0xffff ? code : REPLACEMENT, target, at);
    }
  }
  return at;
}

/** Number of UTF-16 units of one code point. */
export function utf16Length(code: number): number {
  return code > 0xffff ? 2 : 1;
}

/** The string of ASCII bytes[start, end). */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode.apply(null, bytes.subarray(start, end) as unknown as number[]);
}
