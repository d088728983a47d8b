/**
 * WordPiece (Schuster & Nakajima 2012): from the left, the longest token that fits; tokens inside a word carry a prefix. A
 * word that cannot be covered, or is too long, is unknown as a whole.
 */
import { writeStringUtf8, writeUtf8 } from '../text/code-points.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import type { TokenModel, TokenSpans } from './token-model.ts';
import { requireUnknown } from './word-level-model.ts';

export class WordPieceModel implements TokenModel {
  readonly vocabulary: Vocabulary;
  readonly unknownId: number;
  readonly showsUnknownText = false;
  readonly #prefix: Uint8Array;
  readonly #longestWord: number;
  /** UTF-8 of the word behind room for the prefix. */
  #text: Uint8Array = new Uint8Array(512);
  #ends: Int32Array = new Int32Array(128);

  /**
   * @param unknownId -1 for none; an unknown word is an error then.
   * @param prefix what tokens inside a word start with.
   * @param longestWord most characters of a word that is looked at.
   */
  constructor(vocabulary: Vocabulary, unknownId: number, prefix: string, longestWord: number) {
    this.vocabulary = vocabulary;
    this.unknownId = unknownId;
    const utf8 = new Uint8Array(prefix.length * 3);
    this.#prefix = utf8.slice(0, writeStringUtf8(prefix, utf8, 0));
    this.#longestWord = longestWord;
  }

  encode(codes: Int32Array, start: number, end: number, out: TokenSpans): void {
    const before = out.count;
    const count = end - start;
    if (count <= this.#longestWord && this.#cover(codes, start, end, out)) return;
    out.count = before;
    out.push(requireUnknown(this.unknownId), start, end);
  }

  /** Writes the word to `#text` and remembers where each character ends. */
  #write(codes: Int32Array, start: number, end: number): void {
    const count = end - start;
    if (this.#ends.length <= count) this.#ends = new Int32Array(count * 2);
    const room = this.#prefix.length + count * 4;
    if (this.#text.length < room) this.#text = new Uint8Array(room * 2);
    let length = this.#prefix.length;
    this.#ends[0] = length;
    for (let at = 0; at < count; at++) {
      length = writeUtf8(codes[start + at], this.#text, length);
      this.#ends[at + 1] = length;
    }
  }

  #cover(codes: Int32Array, start: number, end: number, out: TokenSpans): boolean {
    this.#write(codes, start, end);
    const count = end - start;
    const ends = this.#ends;
    const prefix = this.#prefix.length;
    for (let at = 0; at < count; ) {
      let from = ends[at];
      if (at > 0) {
        // The bytes before `at` are done with; the prefix goes there.
        from -= prefix;
        this.#text.set(this.#prefix, from);
      }
      let to = Math.min(count, at + this.vocabulary.longest);
      let id = -1;
      for (; to > at; to--) {
        id = this.vocabulary.find(this.#text, from, ends[to]);
        if (id >= 0) break;
      }
      if (id < 0) return false;
      out.push(id, start + at, start + to);
      at = to;
    }
    return true;
  }
}
