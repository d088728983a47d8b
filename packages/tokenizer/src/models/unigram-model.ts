/**
 * Unigram (Kudo 2018, arXiv 1804.10959): the segmentation with the highest sum of token scores, found by dynamic
 * programming over the ends of tokens,
 *
 *   best(e) = max over tokens t = text[s, e) of best(s) + score(t),   an unknown character counting min score - 10.
 *
 * Of equal paths the one found first stays: starts ascending, short tokens before long ones.
 */
import { writeUtf8 } from '../text/code-points.ts';
import { hashByte, type Vocabulary } from '../vocabulary/vocabulary.ts';
import { byteTokens } from './characters.ts';
import type { TokenModel, TokenSpans } from './token-model.ts';
import { requireUnknown } from './word-level-model.ts';

const UNKNOWN_PENALTY = 10;
const FILTER_BITS = 21;

export class UnigramModel implements TokenModel {
  readonly vocabulary: Vocabulary;
  readonly unknownId: number;
  readonly showsUnknownText = true;
  readonly #scores: ArrayLike<number>;
  readonly #unknownScore: number;
  readonly #bytes: Int32Array | undefined;
  /** Bits of the hashes of all beginnings of tokens: where a beginning is missing no longer token can follow. */
  #beginnings: Int32Array | undefined;
  #text: Uint8Array = new Uint8Array(256);
  #ends: Int32Array = new Int32Array(64);
  #best: Float64Array = new Float64Array(64);
  #from: Int32Array = new Int32Array(64);
  #ids: Int32Array = new Int32Array(64);

  /** @param scores one for each token id, -Infinity for one that no text contains. @param unknownId -1 for none; an unknown character is an error then. */
  constructor(vocabulary: Vocabulary, scores: ArrayLike<number>, unknownId: number, byteFallback: boolean) {
    this.vocabulary = vocabulary;
    this.#scores = scores;
    this.unknownId = unknownId;
    let lowest = Number.POSITIVE_INFINITY;
    for (let id = 0; id < scores.length; id++) {
      if (scores[id] < lowest && scores[id] !== Number.NEGATIVE_INFINITY) lowest = scores[id];
    }
    this.#unknownScore = lowest - UNKNOWN_PENALTY;
    this.#bytes = byteFallback ? byteTokens(vocabulary) : undefined;
  }

  encode(codes: Int32Array, start: number, end: number, out: TokenSpans): void {
    const count = end - start;
    this.#prepare(codes, start, count);
    this.#beginnings ??= beginningsOf(this.vocabulary);
    for (let at = 0; at < count; at++) this.#extend(at, count);
    this.#collect(start, count, out);
  }

  #prepare(codes: Int32Array, start: number, count: number): void {
    if (this.#ends.length <= count) {
      const room = count * 2 + 64;
      this.#ends = new Int32Array(room);
      this.#best = new Float64Array(room);
      this.#from = new Int32Array(room);
      this.#ids = new Int32Array(room);
    }
    if (this.#text.length < count * 4) this.#text = new Uint8Array(count * 8);
    let length = 0;
    this.#ends[0] = 0;
    for (let at = 0; at < count; at++) {
      length = writeUtf8(codes[start + at], this.#text, length);
      this.#ends[at + 1] = length;
    }
    this.#from.fill(-1, 0, count + 1);
    this.#best[0] = 0;
  }

  /** Offers every token that starts at a character. */
  #extend(at: number, count: number): void {
    const text = this.#text;
    const start = this.#ends[at];
    const here = this.#best[at];
    let hash = this.vocabulary.hashStart;
    let hasSingle = false;
    for (let to = at + 1; to <= count; to++) {
      const end = this.#ends[to];
      for (let byte = this.#ends[to - 1]; byte < end; byte++) hash = hashByte(hash, text[byte]);
      if (!isSet(this.#beginnings!, hash)) break;
      const id = this.vocabulary.findHashed(hash, text, start, end);
      if (id < 0 || this.#scores[id] === Number.NEGATIVE_INFINITY) continue;
      this.#offer(at, to, id, here + this.#scores[id]);
      if (to === at + 1) hasSingle = true;
    }
    if (!hasSingle) this.#offer(at, at + 1, this.unknownId, here + this.#unknownScore);
  }

  #offer(from: number, to: number, id: number, score: number): void {
    if (this.#from[to] >= 0 && !(score > this.#best[to])) return;
    this.#from[to] = from;
    this.#best[to] = score;
    this.#ids[to] = id;
  }

  /** Walks back from the end; neighbouring unknown characters become one piece. */
  #collect(start: number, count: number, out: TokenSpans): void {
    const path: number[] = [];
    for (let at = count; at > 0; at = this.#from[at]) path.push(at);
    for (let index = path.length - 1; index >= 0; index--) {
      let to = path[index];
      const from = this.#from[to];
      const id = this.#ids[to];
      if (id !== this.unknownId) {
        out.push(id, start + from, start + to);
        continue;
      }
      while (index > 0 && this.#ids[path[index - 1]] === this.unknownId) to = path[--index];
      this.#pushUnknown(start, from, to, out);
    }
  }

  #pushUnknown(start: number, from: number, to: number, out: TokenSpans): void {
    const bytes = this.#text.subarray(this.#ends[from], this.#ends[to]);
    // The run may be a token by chance, which the reference then takes.
    const found = this.vocabulary.find(bytes, 0, bytes.length);
    const known = found >= 0 && this.#scores[found] === Number.NEGATIVE_INFINITY ? -1 : found;
    if (known < 0 && this.#bytes && bytes.every((byte) => this.#bytes![byte] >= 0)) {
      for (const byte of bytes) out.push(this.#bytes[byte], start + from, start + to);
    } else out.push(known >= 0 ? known : requireUnknown(this.unknownId), start + from, start + to);
  }
}

function bitOf(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> (32 - FILTER_BITS);
}

function isSet(bits: Int32Array, hash: number): boolean {
  const bit = bitOf(hash);
  return (bits[bit >>> 5] & (1 << (bit & 31))) !== 0;
}

function beginningsOf(vocabulary: Vocabulary): Int32Array {
  const bits = new Int32Array(1 << (FILTER_BITS - 5));
  const utf8 = new Uint8Array(4);
  let hash = vocabulary.hashStart;
  vocabulary.forEachCharacter((code, previous) => {
    if (previous < 0) hash = vocabulary.hashStart;
    const length = code <= 0x10ffff ? writeUtf8(code, utf8, 0) : 0;
    for (let at = 0; at < length; at++) hash = hashByte(hash, utf8[at]);
    const bit = bitOf(hash);
    bits[bit >>> 5] |= 1 << (bit & 31);
  });
  return bits;
}
