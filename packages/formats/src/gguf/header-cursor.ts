/**
 * A little-endian reading position in the first part of a GGUF file. The header says nowhere how long it is, so the
 * parser reads from a window that grows: running off its end throws `WindowTooShort`, the caller fetches more and parses
 * again. Running off the end of the file is an error, found before anything is allocated.
 */
import { GallopError } from '@gallop/core';
import type { ByteSource } from '../source/byte-source.ts';

/** The parser needs at least this many bytes from the start of the file. */
class WindowTooShort extends Error {
  readonly needed: number;

  constructor(needed: number) {
    super(`window of ${needed} bytes needed`);
    this.needed = needed;
  }
}

const FIRST_WINDOW = 2 << 20;
/** No legitimate header comes near; string positions stay within 32 bits. */
const LARGEST_HEADER = 2 ** 30;

/** Runs a parser over a growing window from the start of the source, reading no byte twice. */
export async function parseHeader<Header>(
  source: ByteSource,
  parse: (cursor: HeaderCursor) => Header,
): Promise<Header> {
  let window: Uint8Array = await source.read(0, Math.min(source.size, FIRST_WINDOW));
  for (;;) {
    try {
      return parse(new HeaderCursor(window, source));
    } catch (error) {
      if (!(error instanceof WindowTooShort)) throw error;
      const length = Math.min(source.size, Math.max(error.needed, 2 * window.length));
      const longer = new Uint8Array(length);
      longer.set(window);
      await source.read(window.length, length - window.length, longer.subarray(window.length));
      window = longer;
    }
  }
}

export class HeaderCursor {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #source: ByteSource;
  position = 0;

  constructor(bytes: Uint8Array, source: ByteSource) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#source = source;
  }

  /** Bytes of the file after the position, in the window or not. */
  get left(): number {
    return this.#source.size - this.position;
  }

  /** An error about this file. */
  invalid(message: string): GallopError {
    return new GallopError('invalid-file', `${message} (${this.#source.name}, near byte ${this.position})`);
  }

  /** Moves over `length` bytes and returns where they start. */
  skip(length: number, what: string): number {
    if (length > this.left) {
      throw this.invalid(
        `Expected ${length} bytes of ${what}; only ${this.left} are left. The file is cut or damaged.`,
      );
    }
    const start = this.position;
    const end = start + length;
    if (end > LARGEST_HEADER) throw this.invalid(`Expected a header below ${LARGEST_HEADER} bytes; it goes on.`);
    if (end > this.bytes.length) throw new WindowTooShort(end);
    this.position = end;
    return start;
  }

  u8(what: string): number {
    return this.#view.getUint8(this.skip(1, what));
  }

  i8(what: string): number {
    return this.#view.getInt8(this.skip(1, what));
  }

  u16(what: string): number {
    return this.#view.getUint16(this.skip(2, what), true);
  }

  i16(what: string): number {
    return this.#view.getInt16(this.skip(2, what), true);
  }

  u32(what: string): number {
    return this.#view.getUint32(this.skip(4, what), true);
  }

  i32(what: string): number {
    return this.#view.getInt32(this.skip(4, what), true);
  }

  f32(what: string): number {
    return this.#view.getFloat32(this.skip(4, what), true);
  }

  f64(what: string): number {
    return this.#view.getFloat64(this.skip(8, what), true);
  }

  u64(what: string): bigint {
    return this.#view.getBigUint64(this.skip(8, what), true);
  }

  i64(what: string): bigint {
    return this.#view.getBigInt64(this.skip(8, what), true);
  }

  /** An unsigned 64-bit number that must be at most `limit` (itself at most 2^53 − 1). */
  count(what: string, limit: number = Number.MAX_SAFE_INTEGER): number {
    const start = this.skip(8, what);
    const value = this.#view.getUint32(start + 4, true) * 2 ** 32 + this.#view.getUint32(start, true);
    if (value <= limit) return value;
    throw this.invalid(`Expected ${what} of at most ${limit}; received ${this.#view.getBigUint64(start, true)}.`);
  }

  /** Reads a string's length and moves over its bytes; returns their start. They end at `position`. */
  string(what: string): number {
    return this.skip(this.count(`length of ${what}`, 2 ** 30), what);
  }

  /** The low half of the length that stands before a string found by `string`. */
  lengthBefore(start: number): number {
    return this.#view.getUint32(start - 8, true);
  }
}
