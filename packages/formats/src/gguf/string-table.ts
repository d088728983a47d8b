/**
 * An array of strings of a GGUF header, kept as the file's own bytes plus the place of each element. A vocabulary has
 * hundreds of thousands of entries; decoding them all when a file is opened would cost more than everything else.
 */
import { GallopError } from '@gallop/core';

/** A read-only list of UTF-8 strings, decoded one at a time when asked for. */
export interface StringTable extends Iterable<string> {
  readonly length: number;
  /** The string at an index; invalid UTF-8 becomes U+FFFD. @throws GallopError `invalid-argument` outside the table. */
  at(index: number): string;
  /** The bytes of the string at an index, as a view that must not be changed. */
  bytes(index: number): Uint8Array;
}

// A byte order mark is a token like any other.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const LONGEST_INLINE = 24;

/** Decodes UTF-8; short ASCII strings, the bulk of a vocabulary, without crossing into the decoder. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= LONGEST_INLINE) {
    let text = '';
    let at = start;
    for (; at < end && bytes[at] < 128; at++) text += String.fromCharCode(bytes[at]);
    if (at === end) return text;
  }
  return decoder.decode(bytes.subarray(start, end));
}

/** A table over strings that lie in `bytes`, the i-th at starts[i], ending before ends(i). */
export function stringTable(bytes: Uint8Array, starts: Uint32Array, end: (index: number) => number): StringTable {
  const check = (index: number): void => {
    if (Number.isInteger(index) && index >= 0 && index < starts.length) return;
    throw new GallopError('invalid-argument', `Expected an index below ${starts.length}; received ${index}.`);
  };
  return {
    length: starts.length,
    at(index) {
      check(index);
      return decodeUtf8(bytes, starts[index], end(index));
    },
    bytes(index) {
      check(index);
      return bytes.subarray(starts[index], end(index));
    },
    *[Symbol.iterator]() {
      for (let index = 0; index < starts.length; index++) yield decodeUtf8(bytes, starts[index], end(index));
    },
  };
}

/** A table over strings in memory, for instance to write a file. */
export function stringTableOf(strings: readonly string[]): StringTable {
  const encoded = strings.map((text) => new TextEncoder().encode(text));
  const starts = new Uint32Array(encoded.length);
  let size = 0;
  encoded.forEach((text, index) => {
    starts[index] = size;
    size += text.length;
  });
  const bytes = new Uint8Array(size);
  encoded.forEach((text, index) => {
    bytes.set(text, starts[index]);
  });
  return stringTable(bytes, starts, (index) => (index + 1 < starts.length ? starts[index + 1] : size));
}
