/** The contract of the five model kinds: one piece of text in, tokens with the stretch of the piece that each covers out. */
import type { Splitter } from '../split/splitter.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';

/** Tokens of a piece; starts and ends are places in the array of code points that was encoded. */
export class TokenSpans {
  count = 0;
  ids: Int32Array = new Int32Array(64);
  starts: Int32Array = new Int32Array(64);
  ends: Int32Array = new Int32Array(64);

  push(id: number, start: number, end: number): void {
    if (this.count === this.ids.length) {
      this.ids = larger(this.ids);
      this.starts = larger(this.starts);
      this.ends = larger(this.ends);
    }
    this.ids[this.count] = id;
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }
}

function larger(array: Int32Array): Int32Array {
  const copy = new Int32Array(array.length * 2);
  copy.set(array);
  return copy;
}

/** Turns pieces into tokens. */
export interface TokenModel {
  readonly vocabulary: Vocabulary;
  /** The unknown token, -1 where there is none. */
  readonly unknownId: number;
  /** True where an unknown piece shows its own text among the tokens. */
  readonly showsUnknownText: boolean;
  /** Appends the tokens of codes[start, end). */
  encode(codes: Int32Array, start: number, end: number, out: TokenSpans): void;
  /** A splitter whose pieces can be encoded one by one with the same result as their whole, where the model has one. */
  safeSplitter?(): Splitter | undefined;
}
