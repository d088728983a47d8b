/**
 * The quick way from text to token ids: no offsets, no token texts, one pass of scanners over code points and a cache of
 * pieces in front of the model. The plain way is `Tokenizer.encodeDetailed`; both give the same ids.
 */
import type { TokenModel } from './models/token-model.ts';
import { TokenSpans } from './models/token-model.ts';
import type { Normalizer } from './normalizers/normalizer.ts';
import type { FastSplit, PreTokenizer } from './pre-tokenizers/pre-tokenizer.ts';
import { type IdBuffer, PieceCache } from './split/piece-cache.ts';
import { type Splitter, splitWith } from './split/splitter.ts';
import { byteToCode } from './text/byte-alphabet.ts';
import { toCodePoints, writeUtf8 } from './text/code-points.ts';

/** Encodes stretches of text between added tokens. */
export class FastEncoder {
  readonly #model: TokenModel;
  readonly #normalizer: Normalizer | undefined;
  readonly #split: FastSplit;
  readonly #splitters: readonly Splitter[];
  readonly cache: PieceCache = new PieceCache();
  readonly #spans: TokenSpans = new TokenSpans();
  readonly #utf8: Uint8Array = new Uint8Array(4);
  #alphabet: Int32Array = new Int32Array(256);

  private constructor(model: TokenModel, normalizer: Normalizer | undefined, split: FastSplit) {
    this.#model = model;
    this.#normalizer = normalizer;
    this.#split = split;
    const safe = split.byteLevel ? undefined : model.safeSplitter?.();
    this.#splitters = safe ? [...split.splitters, safe] : split.splitters;
  }

  /** An encoder for these stages, or undefined where the pre-tokenizer has no scanner. */
  static for(
    model: TokenModel,
    normalizer: Normalizer | undefined,
    preTokenizer: PreTokenizer | undefined,
  ): FastEncoder | undefined {
    const split = preTokenizer ? preTokenizer.fast : { splitters: [], byteLevel: false };
    if (!split || (split.needsStart && normalizer)) return undefined;
    return new FastEncoder(model, normalizer, split);
  }

  normalize(text: string): string {
    return this.#normalizer ? this.#normalizer.normalizeString(text) : text;
  }

  /** Appends the ids of a normalized stretch. @param first true if it starts at offset 0 of the input. */
  encode(text: string, first: boolean, out: IdBuffer): void {
    const prepared = this.#split.prepare ? this.#split.prepare(text, first) : text;
    const codes = toCodePoints(prepared);
    if (codes.length === 0) return;
    splitWith(this.#splitters, codes, 0, codes.length, (source, start, end) => {
      if (!this.cache.lookUp(source, start, end, out)) this.#encodePiece(source, start, end, out);
    });
  }

  #encodePiece(codes: Int32Array, start: number, end: number, out: IdBuffer): void {
    const spans = this.#spans;
    spans.count = 0;
    if (this.#split.byteLevel) {
      const length = this.#writeAlphabet(codes, start, end);
      this.#model.encode(this.#alphabet, 0, length, spans);
    } else if (this.#split.piecePrefix) {
      const piece = new Int32Array(end - start + 1);
      piece[0] = this.#split.piecePrefix;
      piece.set(codes.subarray(start, end), 1);
      this.#model.encode(piece, 0, piece.length, spans);
    } else this.#model.encode(codes, start, end, spans);
    out.append(spans.ids, 0, spans.count);
    this.cache.add(codes, start, end, spans.ids, 0, spans.count);
  }

  #writeAlphabet(codes: Int32Array, start: number, end: number): number {
    if (this.#alphabet.length < (end - start) * 4) this.#alphabet = new Int32Array((end - start) * 5);
    let length = 0;
    for (let at = start; at < end; at++) {
      const count = writeUtf8(codes[at], this.#utf8, 0);
      for (let index = 0; index < count; index++) this.#alphabet[length++] = byteToCode[this.#utf8[index]];
    }
    return length;
  }
}
