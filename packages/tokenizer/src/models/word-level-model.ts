/** WordLevel: a piece is a token as a whole, or unknown. */
import { GallopError } from '@gallop/core';
import { writeUtf8 } from '../text/code-points.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import type { TokenModel, TokenSpans } from './token-model.ts';

export class WordLevelModel implements TokenModel {
  readonly vocabulary: Vocabulary;
  readonly unknownId: number;
  readonly showsUnknownText = false;
  #utf8: Uint8Array = new Uint8Array(256);

  /** @param unknownId -1 for none; an unknown word is an error then. */
  constructor(vocabulary: Vocabulary, unknownId: number) {
    this.vocabulary = vocabulary;
    this.unknownId = unknownId;
  }

  encode(codes: Int32Array, start: number, end: number, out: TokenSpans): void {
    let id = -1;
    if (end - start <= this.vocabulary.longest) {
      if (this.#utf8.length < (end - start) * 4) this.#utf8 = new Uint8Array((end - start) * 4);
      let length = 0;
      for (let at = start; at < end; at++) length = writeUtf8(codes[at], this.#utf8, length);
      id = this.vocabulary.find(this.#utf8, 0, length);
    }
    if (id < 0) id = requireUnknown(this.unknownId);
    out.push(id, start, end);
  }
}

/** The unknown token. @throws GallopError `unsupported` where there is none. */
export function requireUnknown(unknownId: number): number {
  if (unknownId >= 0) return unknownId;
  throw new GallopError(
    'unsupported',
    'Expected text that the vocabulary covers, because this tokenizer has no unknown token; received a word outside it. Use a tokenizer with unk_token.',
  );
}
