/**
 * Metaspace: spaces become a visible mark (U+2581), one is put in front of the text, and a mark starts a new piece. Several
 * marks in a row stand alone but for the last, which joins the word after it.
 */
import { prependTo } from '../normalizers/edits.ts';
import { splitAtCharacter } from '../split/run-splitters.ts';
import { toCodePoints } from '../text/code-points.ts';
import { literalPattern } from '../text/pattern.ts';
import type { PreTokenizer } from './pre-tokenizer.ts';
import { cut } from './split.ts';

/** Where a mark is put in front: of every piece, only at the start of the text, or nowhere. */
export type PrependScheme = 'always' | 'first' | 'never';

const SPACE = 32;

/** @param replacement one character. */
export function metaspace(replacement: string, scheme: PrependScheme, splits: boolean): PreTokenizer {
  const mark = toCodePoints(replacement)[0];
  const markText = Int32Array.of(mark);
  const pattern = literalPattern(replacement);
  const prepare = (text: string, first: boolean): string => {
    const marked = text.replaceAll(' ', replacement);
    const prepends = (scheme === 'always' || (scheme === 'first' && first)) && marked !== '';
    return prepends && !marked.startsWith(replacement) ? replacement + marked : marked;
  };
  return {
    split(piece) {
      let text = piece.withCodes(piece.codes.map((code) => (code === SPACE ? mark : code)));
      const prepends = scheme === 'always' || (scheme === 'first' && piece.starts[0] === 0);
      if (prepends && text.codes[0] !== mark) text = prependTo(text, markText);
      return splits ? cut(text, pattern.matches(text.codes), 'MergedWithNext') : [text];
    },
    fast: {
      prepare,
      needsStart: scheme === 'first',
      splitters: splits ? [splitAtCharacter(mark, 'MergedWithNext')] : [],
      byteLevel: false,
    },
  };
}
