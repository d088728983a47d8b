/**
 * BPE by scores, the SentencePiece variant that GGUF files of kind "llama" use: of all neighbours whose joined text is a
 * token, the pair with the highest score joins first, the leftmost of equal ones. No list of merges exists, so every pair
 * is looked up by its text.
 */
import { adjacencySplitter } from '../bpe/adjacency.ts';
import { mergePairs, type PairRanks } from '../bpe/merge.ts';
import { Symbols } from '../bpe/symbols.ts';
import type { Splitter } from '../split/splitter.ts';
import { writeUtf8 } from '../text/code-points.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { byteTokens } from './characters.ts';
import type { TokenModel, TokenSpans } from './token-model.ts';

/** BPE with scores and byte fallback. */
export class ScoreBpeModel implements TokenModel, PairRanks {
  readonly vocabulary: Vocabulary;
  readonly unknownId: number;
  readonly showsUnknownText = false;
  readonly #scores: ArrayLike<number>;
  /** Rank of each token by falling score, equal scores sharing one; made at the first use. */
  #ranks: Int32Array | undefined;
  readonly #bytes: Int32Array;
  readonly #symbols: Symbols = new Symbols();
  #text: Uint8Array = new Uint8Array(256);
  #splitter: Splitter | undefined;

  /** @param scores one for each token id. */
  constructor(vocabulary: Vocabulary, scores: ArrayLike<number>, unknownId: number) {
    this.vocabulary = vocabulary;
    this.unknownId = unknownId;
    this.#scores = scores;
    this.#bytes = byteTokens(vocabulary);
  }

  /** Symbols hold stretches of the UTF-8 text of the piece; `characterOf` leads back to code points. */
  encode(codes: Int32Array, start: number, end: number, out: TokenSpans): void {
    if (this.#text.length < (end - start) * 4) this.#text = new Uint8Array((end - start) * 5);
    const text = this.#text;
    const symbols = this.#symbols;
    symbols.clear();
    let length = 0;
    for (let at = start; at < end; at++) {
      const from = length;
      length = writeUtf8(codes[at], text, length);
      symbols.push(this.vocabulary.find(text, from, length), from, length);
    }
    this.#ranks ??= ranksByScore(this.#scores);
    mergePairs(symbols, this);
    let at = start;
    for (let index = 0; index < symbols.count; index++) {
      let next = at;
      for (let byte = symbols.starts[index]; byte < symbols.ends[index]; byte++)
        if ((text[byte] & 0xc0) !== 0x80) next++;
      if (symbols.ids[index] >= 0) out.push(symbols.ids[index], at, next);
      else this.#pushBytes(symbols.starts[index], symbols.ends[index], at, out);
      at = next;
    }
  }

  rankPair(symbols: Symbols, at: number): void {
    const id = this.vocabulary.find(this.#text, symbols.starts[at], symbols.ends[symbols.next[at]]);
    symbols.ranks[at] = id < 0 ? -1 : this.#ranks![id];
    symbols.products[at] = id;
  }

  safeSplitter(): Splitter {
    return (this.#splitter ??= adjacencySplitter(this.vocabulary));
  }

  /** A character that is no token: its bytes, or the unknown token for a byte that has none. */
  #pushBytes(from: number, to: number, at: number, out: TokenSpans): void {
    for (let byte = from; byte < to; byte++) {
      const id = this.#bytes[this.#text[byte]];
      if (id >= 0 || this.unknownId >= 0) out.push(id >= 0 ? id : this.unknownId, at, at + 1);
    }
  }
}

/** Ranks by falling score; equal scores get equal ranks. */
export function ranksByScore(scores: ArrayLike<number>): Int32Array {
  const ranks = new Int32Array(scores.length);
  const sorted = Float64Array.from(scores).sort();
  for (let id = 0; id < scores.length; id++) {
    // The number of scores above this one, by binary search for the last place with an equal score.
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] <= scores[id]) low = middle + 1;
      else high = middle;
    }
    ranks[id] = sorted.length - low;
  }
  return ranks;
}
