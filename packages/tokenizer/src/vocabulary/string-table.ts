/**
 * How strings of a model file reach this package: any list with a length and `at`. A reader that keeps the file's own
 * bytes may offer them through `bytes`, which saves decoding hundreds of thousands of strings when a vocabulary loads.
 */
import { GallopError } from '@gallop/core';
import { writeStringUtf8 } from '../text/code-points.ts';

/** A read-only list of strings. A plain string array is one. */
export interface StringTable {
  readonly length: number;
  at(index: number): string | undefined;
  /** The UTF-8 bytes of the string at an index, as a view that is not changed. */
  bytes?(index: number): Uint8Array;
}

/** Byte strings packed into one array: the i-th is data[starts[i], starts[i] + lengths[i]). */
export interface PackedStrings {
  readonly data: Uint8Array;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
}

/** Packs a table: without copying where its strings are views of one buffer. */
export function packStrings(table: StringTable): PackedStrings {
  return (table.bytes && packViews(table)) ?? packText(table);
}

function packViews(table: StringTable): PackedStrings | undefined {
  const count = table.length;
  const starts = new Uint32Array(count);
  const lengths = new Uint32Array(count);
  let buffer: ArrayBufferLike | undefined;
  for (let index = 0; index < count; index++) {
    const view = table.bytes!(index);
    buffer ??= view.buffer;
    if (view.buffer !== buffer || view.byteOffset + view.length > 0xffffffff) return undefined;
    starts[index] = view.byteOffset;
    lengths[index] = view.length;
  }
  return { data: buffer ? new Uint8Array(buffer) : new Uint8Array(), starts, lengths };
}

function packText(table: StringTable): PackedStrings {
  const count = table.length;
  const starts = new Uint32Array(count);
  const lengths = new Uint32Array(count);
  const texts: string[] = new Array(count);
  let units = 0;
  for (let index = 0; index < count; index++) {
    const text = table.at(index);
    if (typeof text !== 'string') {
      throw new GallopError('invalid-file', `Expected a string as token ${index}; received ${typeof text}.`);
    }
    texts[index] = text;
    units += text.length;
  }
  const data = new Uint8Array(units * 3);
  let at = 0;
  for (let index = 0; index < count; index++) {
    starts[index] = at;
    at = writeStringUtf8(texts[index], data, at);
    lengths[index] = at - starts[index];
  }
  return { data: data.slice(0, at), starts, lengths };
}
