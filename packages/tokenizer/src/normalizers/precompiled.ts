/**
 * Precompiled: SentencePiece's table of replacements. The table is a Darts double array over UTF-8 bytes whose values are
 * places in a pool of replacement strings, each ended by a zero byte.
 *
 *   u32 length of the trie in bytes | trie: u32 units | replacement strings
 *   unit: label = unit & 0x800000FF, leaf = bit 8, offset = (unit >> 10) << ((unit & 0x200) >> 6), value = unit & 0x7FFFFFFF
 */
import { GallopError } from '@gallop/core';
import { Rewriting } from '../text/changes.ts';
import { codePointsToString, toCodePoints, utf8Length, writeUtf8 } from '../text/code-points.ts';
import type { Normalizer } from './normalizer.ts';

/** Clusters of this many bytes and more are not looked up as a whole. */
const LONG_CLUSTER = 6;

class ReplacementTable {
  readonly #units: Uint32Array;
  readonly #pool: Uint8Array;
  readonly #texts: Map<number, Int32Array> = new Map();
  readonly #bytes: Uint8Array = new Uint8Array(LONG_CLUSTER + 4);

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = bytes.length >= 4 ? view.getUint32(0, true) : -1;
    if (size < 0 || size % 4 !== 0 || 4 + size > bytes.length) {
      throw new GallopError(
        'invalid-file',
        `Expected a precompiled character map: a u32 length, a trie of that many bytes and strings; received ${bytes.length} bytes. Check the normalizer.`,
      );
    }
    this.#units = new Uint32Array(size / 4);
    for (let index = 0; index < this.#units.length; index++) this.#units[index] = view.getUint32(4 + index * 4, true);
    this.#pool = bytes.subarray(4 + size);
  }

  /** The replacement of the shortest prefix of codes[start, end) that is in the table, if any. */
  find(codes: Int32Array, start: number, end: number): Int32Array | undefined {
    let length = 0;
    for (let at = start; at < end; at++) length = writeUtf8(codes[at], this.#bytes, length);
    const value = this.#shortestPrefix(length);
    return value < 0 ? undefined : this.#text(value);
  }

  #shortestPrefix(length: number): number {
    const units = this.#units;
    let place = offsetOf(units[0] ?? 0);
    for (let at = 0; at < length; at++) {
      const byte = this.#bytes[at];
      if (byte === 0) return -1;
      place ^= byte;
      const unit = units[place];
      if (unit === undefined || (unit & 0x800000ff) !== byte) return -1;
      place ^= offsetOf(unit);
      if (((unit >>> 8) & 1) === 1) return (units[place] ?? 0) & 0x7fffffff;
    }
    return -1;
  }

  #text(value: number): Int32Array {
    let text = this.#texts.get(value);
    if (!text) {
      const end = this.#pool.indexOf(0, value);
      const bytes = this.#pool.subarray(value, end < 0 ? this.#pool.length : end);
      text = toCodePoints(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
      this.#texts.set(value, text);
    }
    return text;
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** True between two ASCII characters, where there is always a boundary of clusters but for CR LF. */
function isPlainBoundary(before: number, after: number): boolean {
  return before < 128 && after < 128 && !(before === 13 && after === 10);
}

/** Ends of the grapheme clusters of a text, in code points. */
function* clusterEnds(codes: Int32Array): Iterable<number> {
  for (let at = 0; at < codes.length; ) {
    let stop = at + 1;
    if (stop === codes.length || isPlainBoundary(codes[at], codes[stop])) {
      yield (at = stop);
      continue;
    }
    while (stop < codes.length && !isPlainBoundary(codes[stop - 1], codes[stop])) stop++;
    for (const { segment } of graphemes.segment(codePointsToString(codes, at, stop))) {
      for (const _ of segment) at++;
      yield at;
    }
  }
}

/** @param charsMap the table. @throws GallopError `invalid-file` for bytes that are no table. */
export function precompiled(charsMap: Uint8Array): Normalizer {
  const table = new ReplacementTable(charsMap);
  const rewrite = (codes: Int32Array): Rewriting => {
    const rewriting = new Rewriting();
    let start = 0;
    for (const end of clusterEnds(codes)) {
      let bytes = 0;
      for (let at = start; at < end && bytes < LONG_CLUSTER; at++) bytes += utf8Length(codes[at]);
      const whole = bytes < LONG_CLUSTER ? table.find(codes, start, end) : undefined;
      if (whole) replacePart(rewriting, end - start, whole);
      else {
        for (let at = start; at < end; at++) {
          const single = table.find(codes, at, at + 1);
          if (single) replacePart(rewriting, 1, single);
          else rewriting.push(codes[at], 0);
        }
      }
      start = end;
    }
    return rewriting;
  };
  return {
    normalize: (text) => rewrite(text.codes).apply(text),
    normalizeString: (text) => codePointsToString(rewrite(toCodePoints(text)).codes),
  };
}

/** New characters take the places of old ones in order; more are extra, fewer swallow the rest with the last. */
function replacePart(rewriting: Rewriting, oldCount: number, text: Int32Array): void {
  text.forEach((code, index) => {
    rewriting.push(code, index < oldCount ? 0 : 1);
  });
  if (text.length < oldCount) rewriting.swallow(oldCount - text.length);
}
