/**
 * Byte-pair encoding by ranked merges (Sennrich et al. 2016, arXiv 1508.07909). A piece starts as its characters; the
 * pair with the lowest rank is joined until none is left. Byte-level BPE is the same model over the byte alphabet.
 */

import { adjacencySplitter } from '../bpe/adjacency.ts';
import { mergePairs, type PairRanks } from '../bpe/merge.ts';
import type { PairTable } from '../bpe/pair-table.ts';
import { Symbols } from '../bpe/symbols.ts';
import type { Splitter } from '../split/splitter.ts';
import { codePointsToString, utf8Length, writeUtf8 } from '../text/code-points.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { byteTokens, CharacterTokens } from './characters.ts';
import type { TokenModel, TokenSpans } from './token-model.ts';

const LINE_FEED = 10;

export interface BpeOptions {
  /** Token for characters outside the vocabulary; without one they vanish. Default -1, none. */
  unknownId?: number;
  /** Join neighbouring unknown characters into one token. Default false. */
  fuseUnknown?: boolean;
  /** Spell unknown characters in byte tokens where the vocabulary has them all. Default false. */
  byteFallback?: boolean;
  /** Which pieces are not taken apart if they are a token as a whole. Default 'none'. */
  wholePieces?: 'none' | 'line breaks' | 'all';
  /** What characters after the first carry in front. Default ''. */
  continuingPrefix?: string;
  /** What the last character carries behind. Default ''. */
  endSuffix?: string;
}

/** BPE with ranks. */
export class BpeModel implements TokenModel, PairRanks {
  readonly vocabulary: Vocabulary;
  readonly unknownId: number;
  readonly showsUnknownText = false;
  readonly #merges: PairTable;
  readonly #fuseUnknown: boolean;
  readonly #wholePieces: 'none' | 'line breaks' | 'all';
  readonly #prefix: string;
  readonly #suffix: string;
  readonly #decorated: boolean;
  readonly #characters: CharacterTokens;
  readonly #bytes: Int32Array | undefined;
  readonly #symbols: Symbols = new Symbols();
  #scratch: Uint8Array = new Uint8Array(64);
  #splitter: Splitter | undefined;

  constructor(vocabulary: Vocabulary, merges: PairTable, options: BpeOptions = {}) {
    this.vocabulary = vocabulary;
    this.#merges = merges;
    this.unknownId = options.unknownId ?? -1;
    this.#fuseUnknown = options.fuseUnknown ?? false;
    this.#wholePieces = options.wholePieces ?? 'none';
    this.#prefix = options.continuingPrefix ?? '';
    this.#suffix = options.endSuffix ?? '';
    this.#decorated = this.#prefix !== '' || this.#suffix !== '';
    this.#characters = new CharacterTokens(vocabulary);
    this.#bytes = options.byteFallback ? byteTokens(vocabulary) : undefined;
  }

  encode(codes: Int32Array, start: number, end: number, out: TokenSpans): void {
    if (this.#wholePieces === 'all' || (this.#wholePieces === 'line breaks' && codes[start] === LINE_FEED)) {
      const whole = this.#wholePiece(codes, start, end);
      if (whole >= 0) {
        out.push(whole, start, end);
        return;
      }
    }
    const symbols = this.#symbols;
    symbols.clear();
    const vanished = !this.#spell(codes, start, end, symbols);
    if (vanished) this.#spellByBytes(codes, start, end, symbols);
    mergePairs(symbols, this);
    if (vanished) this.#pushShifted(codes, start, out);
    else for (let at = 0; at < symbols.count; at++) out.push(symbols.ids[at], symbols.starts[at], symbols.ends[at]);
  }

  /**
   * Tokens of a piece from which characters vanished. The reference counts the bytes of the others only, so that offsets
   * move to the left: a token covers the characters that stand where its bytes would.
   */
  #pushShifted(codes: Int32Array, start: number, out: TokenSpans): void {
    const symbols = this.#symbols;
    let at = start;
    let next = utf8Length(codes[at]);
    for (let index = 0; index < symbols.count; index++) {
      while (next <= symbols.starts[index]) next += utf8Length(codes[++at]);
      const from = at;
      while (next < symbols.ends[index]) next += utf8Length(codes[++at]);
      out.push(symbols.ids[index], from, at + 1);
    }
  }

  rankPair(symbols: Symbols, at: number): void {
    const rank = this.#merges.rank(symbols.ids[at], symbols.ids[symbols.next[at]]);
    symbols.ranks[at] = rank;
    if (rank >= 0) symbols.products[at] = this.#merges.product(rank);
  }

  /** Text without a pre-tokenizer may be cut where no token spans two neighbours, as long as every character is known. */
  safeSplitter(): Splitter | undefined {
    const plain = !this.#decorated && this.#wholePieces === 'none';
    if (!plain || !this.#bytes || this.#bytes.includes(-1) || this.#mergesBytes()) return undefined;
    return (this.#splitter ??= adjacencySplitter(this.vocabulary));
  }

  #mergesBytes(): boolean {
    const bytes = this.#bytes!;
    const isByte = new Set(bytes);
    return this.#merges.some((left, right) => isByte.has(left) || isByte.has(right));
  }

  #wholePiece(codes: Int32Array, start: number, end: number): number {
    if (end - start > this.vocabulary.longest) return -1;
    this.#reserve((end - start) * 4);
    let length = 0;
    for (let at = start; at < end; at++) length = writeUtf8(codes[at], this.#scratch, length);
    return this.vocabulary.find(this.#scratch, 0, length);
  }

  /** One symbol a character; unknown ones as bytes, as the unknown token, or not at all: then the result is false. */
  #spell(codes: Int32Array, start: number, end: number, symbols: Symbols): boolean {
    let afterUnknown = false;
    for (let at = start; at < end; at++) {
      const id = this.#idOf(codes, at, start, end);
      if (id >= 0) {
        symbols.push(id, at, at + 1);
        afterUnknown = false;
      } else if (this.#bytes && this.#spellInBytes(codes[at], at, symbols)) {
        afterUnknown = false;
      } else if (this.unknownId >= 0) {
        if (afterUnknown && this.#fuseUnknown) symbols.ends[symbols.count - 1] = at + 1;
        else symbols.push(this.unknownId, at, at + 1);
        afterUnknown = true;
      } else return false;
    }
    return true;
  }

  /** The same for pieces with characters that vanish; symbols hold places in the bytes of those that do not. */
  #spellByBytes(codes: Int32Array, start: number, end: number, symbols: Symbols): void {
    symbols.clear();
    let place = 0;
    for (let at = start; at < end; at++) {
      const id = this.#idOf(codes, at, start, end);
      const length = utf8Length(codes[at]);
      const first = symbols.count;
      if (id >= 0) symbols.push(id, place, place + length);
      else if (!this.#bytes || !this.#spellInBytes(codes[at], at, symbols)) continue;
      else {
        for (let index = first; index < symbols.count; index++) {
          symbols.starts[index] = place + index - first;
          symbols.ends[index] = place + index - first + 1;
        }
      }
      place += length;
    }
  }

  /** The symbol that a character starts as, -1 for none. */
  #idOf(codes: Int32Array, at: number, start: number, end: number): number {
    if (!this.#decorated) return this.#characters.id(codes[at]);
    const prefix = at > start ? this.#prefix : '';
    return this.vocabulary.idOf(prefix + codePointsToString([codes[at]]) + (at === end - 1 ? this.#suffix : ''));
  }

  #spellInBytes(code: number, at: number, symbols: Symbols): boolean {
    const length = utf8Length(code);
    writeUtf8(code, this.#scratch, 0);
    for (let index = 0; index < length; index++) if (this.#bytes![this.#scratch[index]] < 0) return false;
    for (let index = 0; index < length; index++) symbols.push(this.#bytes![this.#scratch[index]], at, at + 1);
    return true;
  }

  #reserve(length: number): void {
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(length * 2);
  }
}
