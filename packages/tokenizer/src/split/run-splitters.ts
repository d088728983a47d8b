/** Scanners that cut at single characters or at runs of one kind. */
import { classOf, LETTER, MARK, NUMBER, PUNCTUATION, SPACE, SYMBOL } from '../text/char-classes.ts';
import type { Splitter } from './splitter.ts';
import { lineOrWhitespaceEnd } from './word-patterns.ts';

/** \p{N}{1,most}, isolated: up to `most` digits a piece; everything between digits is one piece. */
export function splitDigits(most: number): Splitter {
  return (codes, at, end) => {
    let stop = at + 1;
    if ((classOf(codes[at]) & NUMBER) !== 0) {
      while (stop < end && stop < at + most && (classOf(codes[stop]) & NUMBER) !== 0) stop++;
    } else {
      while (stop < end && (classOf(codes[stop]) & NUMBER) === 0) stop++;
    }
    return stop;
  };
}

/** What happens to a character that separates: it is a piece, is dropped, joins a neighbour, or joins its kind. */
export type SeparatorBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

/** Cuts at one character. Of several in a row only the one beside the text joins it. */
export function splitAtCharacter(separator: number, behavior: SeparatorBehavior): Splitter {
  const runEnd = (codes: Int32Array, at: number, end: number): number => {
    while (at < end && codes[at] !== separator) at++;
    return at;
  };
  return (codes, at, end) => {
    if (codes[at] !== separator) {
      const stop = runEnd(codes, at + 1, end);
      return behavior === 'MergedWithPrevious' && stop < end ? stop + 1 : stop;
    }
    let stop = at + 1;
    switch (behavior) {
      case 'Removed':
        return -stop;
      case 'MergedWithNext':
        return runEnd(codes, stop, end);
      case 'Contiguous':
        while (stop < end && codes[stop] === separator) stop++;
        return stop;
      default:
        return stop;
    }
  };
}

function isDeepseekHan(code: number): boolean {
  return (code >= 0x4e00 && code <= 0x9fa5) || (code >= 0x3040 && code <= 0x30ff);
}

/** [一-龥぀-ゟ゠-ヿ]+, isolated. */
export const splitHanAndKana: Splitter = (codes, at, end) => {
  const kind = isDeepseekHan(codes[at]);
  let stop = at + 1;
  while (stop < end && isDeepseekHan(codes[stop]) === kind) stop++;
  return stop;
};

function isAsciiLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

function isAsciiPunctuation(code: number): boolean {
  return code < 127 && (classOf(code) & (PUNCTUATION | SYMBOL)) !== 0;
}

/** End of the match of the DeepSeek word pattern at `at`, or -1. */
function matchDeepseekWord(codes: Int32Array, at: number, end: number): number {
  const code = codes[at];
  const bits = classOf(code);
  let stop = at + 1;
  if (isAsciiPunctuation(code) && stop < end && isAsciiLetter(codes[stop])) {
    while (stop < end && isAsciiLetter(codes[stop])) stop++;
    return stop;
  }
  const prefix = code !== 10 && code !== 13 && (bits & (LETTER | PUNCTUATION | SYMBOL)) === 0;
  const followed = stop < end && (classOf(codes[stop]) & (LETTER | MARK)) !== 0;
  if ((bits & (LETTER | MARK)) !== 0 || (prefix && followed)) {
    while (stop < end && (classOf(codes[stop]) & (LETTER | MARK)) !== 0) stop++;
    return stop;
  }
  const symbol = code === 32 ? at + 1 : at;
  if (symbol < end && (classOf(codes[symbol]) & (PUNCTUATION | SYMBOL)) !== 0) {
    stop = symbol + 1;
    while (stop < end && (classOf(codes[stop]) & (PUNCTUATION | SYMBOL)) !== 0) stop++;
    while (stop < end && (codes[stop] === 10 || codes[stop] === 13)) stop++;
    return stop;
  }
  return (bits & SPACE) !== 0 ? lineOrWhitespaceEnd(codes, at, end) : -1;
}

/**
 * [ASCII punctuation][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+,
 * isolated; digits and control characters match nothing and stay together.
 */
export const splitDeepseekWords: Splitter = (codes, at, end) => {
  const stop = matchDeepseekWord(codes, at, end);
  if (stop >= 0) return stop;
  let next = at + 1;
  while (next < end && matchDeepseekWord(codes, next, end) < 0) next++;
  return next;
};
