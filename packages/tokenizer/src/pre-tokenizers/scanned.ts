/** Pre-tokenizers that are a scanner and nothing else. */

import { splitAtCharacter, splitDigits } from '../split/run-splitters.ts';
import { type Splitter, splitWith } from '../split/splitter.ts';
import type { AlignedText } from '../text/aligned-text.ts';
import { classOf, PUNCTUATION, SPACE, WORD } from '../text/char-classes.ts';
import { toCodePoints } from '../text/code-points.ts';
import type { Match, TextPattern } from '../text/pattern.ts';
import type { PreTokenizer } from './pre-tokenizer.ts';
import { cut, type SplitBehavior } from './split.ts';

/** A pre-tokenizer that cuts as a scanner says. */
export function scanned(splitter: Splitter): PreTokenizer {
  return {
    split(piece) {
      const pieces: AlignedText[] = [];
      splitWith([splitter], piece.codes, 0, piece.length, (_codes, start, end) => pieces.push(piece.slice(start, end)));
      return pieces;
    },
    fast: { splitters: [splitter], byteLevel: false },
  };
}

function isSpace(code: number): boolean {
  return (classOf(code) & SPACE) !== 0;
}

/** ASCII symbols and category P. */
export function isPunctuation(code: number): boolean {
  if (code < 128)
    return (
      (code > 32 && code < 48) || (code > 57 && code < 65) || (code > 90 && code < 97) || (code > 122 && code < 127)
    );
  return (classOf(code) & PUNCTUATION) !== 0;
}

/** Runs without white space; white space is dropped. */
export const whitespaceSplit: PreTokenizer = scanned((codes, at, end) => {
  const space = isSpace(codes[at]);
  let stop = at + 1;
  while (stop < end && isSpace(codes[stop]) === space) stop++;
  return space ? -stop : stop;
});

/** BertPreTokenizer: white space is dropped, each punctuation character stands alone. */
export const bert: PreTokenizer = scanned((codes, at, end) => {
  let stop = at + 1;
  if (isSpace(codes[at])) {
    while (stop < end && isSpace(codes[stop])) stop++;
    return -stop;
  }
  if (isPunctuation(codes[at])) return stop;
  while (stop < end && !isSpace(codes[stop]) && !isPunctuation(codes[stop])) stop++;
  return stop;
});

function isWord(code: number): boolean {
  return (classOf(code) & WORD) !== 0;
}

/** Whitespace: \w+|[^\w\s]+; white space is dropped. The joiners count as word characters. */
export const whitespace: PreTokenizer = scanned((codes, at, end) => {
  let stop = at + 1;
  if (isSpace(codes[at])) {
    while (stop < end && isSpace(codes[stop])) stop++;
    return -stop;
  }
  const word = isWord(codes[at]);
  while (stop < end && !isSpace(codes[stop]) && isWord(codes[stop]) === word) stop++;
  return stop;
});

/** Digits: one by one, or in runs. */
export function digits(individual: boolean): PreTokenizer {
  return scanned(splitDigits(individual ? 1 : Number.MAX_SAFE_INTEGER));
}

/** CharDelimiterSplit: the delimiter is dropped. */
export function charDelimiter(delimiter: string): PreTokenizer {
  return scanned(splitAtCharacter(toCodePoints(delimiter)[0], 'Removed'));
}

/** FixedLength: pieces of so many characters. */
export function fixedLength(length: number): PreTokenizer {
  return scanned((_codes, at, end) => Math.min(at + length, end));
}

const punctuationPattern: Pick<TextPattern, 'matches'> = {
  matches(codes) {
    const found: Match[] = [];
    for (let at = 0; at < codes.length; at++) if (isPunctuation(codes[at])) found.push([at, at + 1]);
    return found;
  },
};

/** Punctuation, each character a match. */
export function punctuation(behavior: SplitBehavior): PreTokenizer {
  if (behavior !== 'Isolated') {
    return {
      split: (piece) => cut(piece, punctuationPattern.matches(piece.codes), behavior),
      fast: undefined,
    };
  }
  return scanned((codes, at, end) => {
    let stop = at + 1;
    if (isPunctuation(codes[at])) return stop;
    while (stop < end && !isPunctuation(codes[stop])) stop++;
    return stop;
  });
}
