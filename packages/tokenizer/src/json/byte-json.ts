/**
 * A reader for the large parts of a tokenizer.json: the vocabulary and the merges, megabytes of short strings. They are
 * taken from the file's bytes straight into packed arrays; parsing them into objects would cost several times as long as
 * everything else. What remains of the file is small and goes to JSON.parse, which also checks it.
 */
import { GallopError } from '@gallop/core';
import { writeUtf8 } from '../text/code-points.ts';
import { decimalNumber } from './decimal.ts';

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const LONGEST_NUMBER = 64;

const simpleEscapes: Readonly<Record<number, number>> = {
  34: 34,
  92: 92,
  47: 47,
  98: 8,
  102: 12,
  110: 10,
  114: 13,
  116: 9,
};

/** Walks over JSON bytes. Strings are unescaped in place, which never makes them longer: `bytes` belongs to the reader. */
export class ByteJsonReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  /** Where the string read last starts and ends. */
  start = 0;
  stop = 0;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  fail(expected: string): GallopError {
    return new GallopError(
      'invalid-file',
      `Expected ${expected} at byte ${this.at} of tokenizer.json; received ${this.at < this.end ? `byte ${this.bytes[this.at]}` : 'the end'}. Download the file again.`,
    );
  }

  /** The next byte that is no white space, not consumed; -1 at the end. */
  peek(): number {
    const bytes = this.bytes;
    while (this.at < this.end) {
      const byte = bytes[this.at];
      if (byte > 32 || (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9)) return byte;
      this.at++;
    }
    return -1;
  }

  expect(byte: number): void {
    if (this.peek() !== byte) throw this.fail(`"${String.fromCharCode(byte)}"`);
    this.at++;
  }

  /** Consumes the byte if it comes next. */
  skipIf(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.at++;
    return true;
  }

  /** Reads a string; its unescaped UTF-8 is bytes[start, stop). */
  string(): void {
    this.expect(QUOTE);
    const bytes = this.bytes;
    this.start = this.at;
    let at = this.at;
    while (at < this.end && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH && bytes[at] >= 32) at++;
    this.stop = at;
    this.at = at;
    if (bytes[at] === BACKSLASH && at < this.end) this.#unescape();
    if (this.at >= this.end || bytes[this.at] !== QUOTE) throw this.fail('the end of a string');
    this.at++;
  }

  #unescape(): void {
    const bytes = this.bytes;
    let to = this.at;
    while (this.at < this.end && bytes[this.at] !== QUOTE && bytes[this.at] >= 32) {
      if (bytes[this.at] !== BACKSLASH) {
        bytes[to++] = bytes[this.at++];
        continue;
      }
      const letter = bytes[this.at + 1];
      if (letter === 117) to = writeUtf8(this.#unicodeEscape(), bytes, to);
      else {
        if (simpleEscapes[letter] === undefined) throw this.fail('an escape');
        bytes[to++] = simpleEscapes[letter];
        this.at += 2;
      }
    }
    this.stop = to;
  }

  /** \uXXXX, or two of them that form a surrogate pair. */
  #unicodeEscape(): number {
    const high = this.#hex();
    if ((high & 0xf800) !== 0xd800) return high;
    if (high < 0xdc00 && this.bytes[this.at] === BACKSLASH && this.bytes[this.at + 1] === 117) {
      const before = this.at;
      const low = this.#hex();
      if ((low & 0xfc00) === 0xdc00) return (high - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000;
      this.at = before;
    }
    return 0xfffd;
  }

  #hex(): number {
    let text = '';
    for (let index = 2; index < 6 && this.at + index < this.end; index++) {
      text += String.fromCharCode(this.bytes[this.at + index]);
    }
    if (!/^[0-9A-Fa-f]{4}$/.test(text)) throw this.fail('four hexadecimal digits');
    this.at += 6;
    return Number.parseInt(text, 16);
  }

  /** True if the string read last is this ASCII text. */
  isString(text: string): boolean {
    if (this.stop - this.start !== text.length) return false;
    for (let index = 0; index < text.length; index++) {
      if (this.bytes[this.start + index] !== text.charCodeAt(index)) return false;
    }
    return true;
  }

  /** A non-negative integer. */
  integer(): number {
    this.peek();
    const from = this.at;
    let value = 0;
    for (; this.at < this.end; this.at++) {
      const digit = this.bytes[this.at] - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (this.at === from || this.at - from > 10) throw this.fail('a token id');
    return value;
  }

  number(): number {
    this.peek();
    const from = this.at;
    while (this.at < this.end && isNumeric(this.bytes[this.at])) this.at++;
    const value = this.at - from > LONGEST_NUMBER ? Number.NaN : decimalNumber(this.bytes, from, this.at);
    if (Number.isNaN(value)) throw this.fail('a number');
    return value;
  }

  /** Goes over any value without reading it; only strings and brackets are looked at. */
  skipValue(): void {
    const bytes = this.bytes;
    let depth = 0;
    for (;;) {
      const byte = this.peek();
      if (byte < 0) throw this.fail('a value');
      if (byte === QUOTE) this.#skipString();
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
        depth++;
        this.at++;
        continue;
      } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
        if (depth === 0) throw this.fail('a value');
        depth--;
        this.at++;
      } else if (byte === COMMA || byte === COLON) {
        if (depth === 0) throw this.fail('a value');
        this.at++;
        continue;
      } else {
        if (byte < 32) throw this.fail('a value');
        while (this.at < this.end && bytes[this.at] > 32 && !isDelimiter(bytes[this.at])) this.at++;
      }
      if (depth === 0) return;
    }
  }

  #skipString(): void {
    const bytes = this.bytes;
    for (this.at++; this.at < this.end && bytes[this.at] !== QUOTE; this.at++)
      if (bytes[this.at] === BACKSLASH) this.at++;
    this.at++;
  }

  /** Calls back at the value of each member of an object; the callback reads or skips it. */
  members(callback: () => void): void {
    this.expect(OPEN_OBJECT);
    if (this.skipIf(CLOSE_OBJECT)) return;
    do {
      this.string();
      this.expect(COLON);
      callback();
    } while (this.skipIf(COMMA));
    this.expect(CLOSE_OBJECT);
  }

  /** Calls back at each element of a list; the callback reads or skips it. */
  elements(callback: () => void): void {
    this.expect(OPEN_LIST);
    if (this.skipIf(CLOSE_LIST)) return;
    do callback();
    while (this.skipIf(COMMA));
    this.expect(CLOSE_LIST);
  }
}

function isDelimiter(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT || byte === COLON;
}

/** Digits, signs, the decimal point and the letter of an exponent. */
function isNumeric(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || byte === 43 || byte === 45 || byte === 46 || byte === 69 || byte === 101;
}
