/**
 * Text that remembers where it came from: each code point carries the stretch [start, end) of the original text that it
 * stands for, in code points. Normalizers and pre-tokenizers change the code points and carry the stretches along, so the
 * offsets of a token are those of its first and last character.
 */
import { codePointsToString, toCodePoints } from './code-points.ts';

/** Code points with the original stretch of each; the three arrays have one length. Not changed after construction. */
export class AlignedText {
  readonly codes: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;

  constructor(codes: Int32Array, starts: Int32Array, ends: Int32Array) {
    this.codes = codes;
    this.starts = starts;
    this.ends = ends;
  }

  /** Text as it stands in the original from code point `base` on. */
  static of(text: string, base = 0): AlignedText {
    const codes = toCodePoints(text);
    const starts = new Int32Array(codes.length);
    const ends = new Int32Array(codes.length);
    for (let at = 0; at < codes.length; at++) {
      starts[at] = base + at;
      ends[at] = base + at + 1;
    }
    return new AlignedText(codes, starts, ends);
  }

  get length(): number {
    return this.codes.length;
  }

  slice(from: number, to: number): AlignedText {
    return new AlignedText(this.codes.subarray(from, to), this.starts.subarray(from, to), this.ends.subarray(from, to));
  }

  /** The same stretches under other code points, one for one. */
  withCodes(codes: Int32Array): AlignedText {
    return new AlignedText(codes, this.starts, this.ends);
  }

  toString(): string {
    return codePointsToString(this.codes);
  }
}

/** Collects the code points of a new AlignedText. */
export class AlignedTextBuilder {
  #codes: Int32Array;
  #starts: Int32Array;
  #ends: Int32Array;
  #count = 0;

  constructor(capacity = 64) {
    this.#codes = new Int32Array(capacity);
    this.#starts = new Int32Array(capacity);
    this.#ends = new Int32Array(capacity);
  }

  get length(): number {
    return this.#count;
  }

  push(code: number, start: number, end: number): void {
    if (this.#count === this.#codes.length) {
      this.#codes = grown(this.#codes);
      this.#starts = grown(this.#starts);
      this.#ends = grown(this.#ends);
    }
    this.#codes[this.#count] = code;
    this.#starts[this.#count] = start;
    this.#ends[this.#count++] = end;
  }

  build(): AlignedText {
    const count = this.#count;
    return new AlignedText(
      this.#codes.subarray(0, count),
      this.#starts.subarray(0, count),
      this.#ends.subarray(0, count),
    );
  }
}

function grown(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2 + 16);
  larger.set(array);
  return larger;
}
