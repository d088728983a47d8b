/** A pre-tokenizer whose pieces get a character put in front, which takes the offsets of their first character. */
import { prependTo } from '../normalizers/edits.ts';
import { toCodePoints } from '../text/code-points.ts';
import type { PreTokenizer } from './pre-tokenizer.ts';

/** @param prefix one character. */
export function prefixed(inner: PreTokenizer, prefix: string): PreTokenizer {
  const codes = toCodePoints(prefix);
  return {
    split: (text) => inner.split(text).map((piece) => prependTo(piece, codes)),
    fast: inner.fast && { ...inner.fast, piecePrefix: codes[0] },
  };
}
