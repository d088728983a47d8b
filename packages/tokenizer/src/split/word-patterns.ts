/**
 * Scanners for the split patterns of byte-level BPE families. Each stands for the regular expression in its comment and
 * agrees with it on every text; the comment on `whitespaceEnd` explains the part that all of them share.
 *
 *   GPT-2    '(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *   Llama 3  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*
 *            |\s*[\r\n]+|\s+(?!\S)|\s+
 *   Qwen 2   the same with \p{N} for \p{N}{1,3}; Qwen 3.5 also with [\p{L}\p{M}] for \p{L} in the word
 *   GPT-4o   [^\r\n\p{L}\p{N}]?U*L+C?|[^\r\n\p{L}\p{N}]?U+L*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*
 *            |\s*[\r\n]+|\s+(?!\S)|\s+     with U, L the upper and lower parts of a word and C the contraction
 */
import { classOf, LETTER, LOWER_PART, MARK, NUMBER, SPACE, UPPER_PART } from '../text/char-classes.ts';
import type { Splitter } from './splitter.ts';

const LF = 10;
const CR = 13;
const BLANK = 32;
const APOSTROPHE = 39;
const SLASH = 47;

function lower(code: number): number {
  // The long s folds to s; no other character outside ASCII folds to a letter of a contraction.
  return code >= 65 && code <= 90 ? code + 32 : code === 0x17f ? 115 : code;
}

/** Length of the contraction after an apostrophe at `at`, with it: 's 't 'm 'd → 2, 're 've 'll → 3, else 0. */
function contraction(codes: Int32Array, at: number, end: number, anyCase: boolean): number {
  if (at + 1 >= end) return 0;
  const first = anyCase ? lower(codes[at + 1]) : codes[at + 1];
  if (first === 115 || first === 116 || first === 109 || first === 100) return 2;
  if (at + 2 >= end) return 0;
  const second = anyCase ? lower(codes[at + 2]) : codes[at + 2];
  if ((first === 114 || first === 118) && second === 101) return 3;
  return first === 108 && second === 108 ? 3 : 0;
}

/** End of the run of characters with a bit of `bits` that starts at `at`. */
function runOf(codes: Int32Array, at: number, end: number, bits: number): number {
  while (at < end && (classOf(codes[at]) & bits) !== 0) at++;
  return at;
}

/** End of the run of characters without any bit of `bits` that starts at `at`. */
function runWithout(codes: Int32Array, at: number, end: number, bits: number): number {
  while (at < end && (classOf(codes[at]) & bits) === 0) at++;
  return at;
}

/**
 * \s+(?!\S)|\s+ at a white-space character: the whole run if the text ends with it, otherwise all but its last character
 * (that one may belong to the word after it), but at least one.
 */
export function whitespaceEnd(codes: Int32Array, at: number, end: number): number {
  const stop = runOf(codes, at, end, SPACE);
  return stop === end || stop === at + 1 ? stop : stop - 1;
}

/** \s*[\r\n]+|\s+(?!\S)|\s+ at a white-space character: up to the last line break of the run if it has one. */
export function lineOrWhitespaceEnd(codes: Int32Array, at: number, end: number): number {
  const stop = runOf(codes, at, end, SPACE);
  for (let last = stop - 1; last >= at; last--) if (codes[last] === LF || codes[last] === CR) return last + 1;
  return stop === end || stop === at + 1 ? stop : stop - 1;
}

/** The GPT-2 pattern. */
export const splitGpt2: Splitter = (codes, at, end) => {
  const code = codes[at];
  if (code === APOSTROPHE) {
    const length = contraction(codes, at, end, false);
    if (length > 0) return at + length;
  }
  const word = code === BLANK && at + 1 < end ? at + 1 : at;
  const bits = classOf(codes[word]);
  if ((bits & LETTER) !== 0) return runOf(codes, word + 1, end, LETTER);
  if ((bits & NUMBER) !== 0) return runOf(codes, word + 1, end, NUMBER);
  if ((bits & SPACE) === 0) return runWithout(codes, word + 1, end, SPACE | LETTER | NUMBER);
  return whitespaceEnd(codes, at, end);
};

interface WordShape {
  /** Bits of the characters of a word. */
  word: number;
  /** Most digits in a piece. */
  digits: number;
}

function splitLikeLlama3(shape: WordShape): Splitter {
  const word = shape.word;
  // Characters of a word cannot stand in a run of symbols.
  const notSymbol = SPACE | LETTER | NUMBER | word;
  return (codes, at, end) => {
    const code = codes[at];
    if (code === APOSTROPHE) {
      const length = contraction(codes, at, end, true);
      if (length > 0) return at + length;
    }
    const bits = classOf(code);
    if ((bits & LETTER) !== 0) return runOf(codes, at + 1, end, word);
    if ((bits & NUMBER) !== 0) {
      let stop = at + 1;
      while (stop < end && stop < at + shape.digits && (classOf(codes[stop]) & NUMBER) !== 0) stop++;
      return stop;
    }
    if (code !== LF && code !== CR && at + 1 < end && (classOf(codes[at + 1]) & word) !== 0) {
      return runOf(codes, at + 2, end, word);
    }
    if ((bits & word) !== 0) return at + 1;
    const symbol = code === BLANK ? at + 1 : at;
    if (symbol < end && (classOf(codes[symbol]) & notSymbol) === 0) {
      let stop = runWithout(codes, symbol + 1, end, notSymbol);
      while (stop < end && (codes[stop] === LF || codes[stop] === CR)) stop++;
      return stop;
    }
    return lineOrWhitespaceEnd(codes, at, end);
  };
}

/** The Llama 3 pattern. */
export const splitLlama3: Splitter = splitLikeLlama3({ word: LETTER, digits: 3 });
/** The Qwen 2 pattern. */
export const splitQwen2: Splitter = splitLikeLlama3({ word: LETTER, digits: 1 });
/** The Qwen 3.5 pattern. */
export const splitQwen35: Splitter = splitLikeLlama3({ word: LETTER | MARK, digits: 1 });

/** End of U*L+ from `at`, or -1: a run of the upper part gives back characters until one is of the lower part too. */
function capitalThenLower(codes: Int32Array, at: number, end: number): number {
  const upper = runOf(codes, at, end, UPPER_PART);
  const stop = runOf(codes, upper, end, LOWER_PART);
  if (stop > upper) return stop;
  for (let last = upper - 1; last >= at; last--) if ((classOf(codes[last]) & LOWER_PART) !== 0) return last + 1;
  return -1;
}

/** End of U+L* from `at`, or -1. */
function capitals(codes: Int32Array, at: number, end: number): number {
  const upper = runOf(codes, at, end, UPPER_PART);
  return upper > at ? runOf(codes, upper, end, LOWER_PART) : -1;
}

function splitLikeGpt4o(contractions: boolean, digits: number): Splitter {
  return (codes, at, end) => {
    const code = codes[at];
    const bits = classOf(code);
    const prefix = code !== LF && code !== CR && (bits & (LETTER | NUMBER)) === 0;
    let stop = prefix ? capitalThenLower(codes, at + 1, end) : -1;
    if (stop < 0) stop = capitalThenLower(codes, at, end);
    if (stop < 0 && prefix) stop = capitals(codes, at + 1, end);
    if (stop < 0) stop = capitals(codes, at, end);
    if (stop >= 0) {
      if (!contractions || stop >= end || codes[stop] !== APOSTROPHE) return stop;
      return stop + contraction(codes, stop, end, true);
    }
    if ((bits & NUMBER) !== 0) {
      stop = at + 1;
      while (stop < end && stop < at + digits && (classOf(codes[stop]) & NUMBER) !== 0) stop++;
      return stop;
    }
    const symbol = code === BLANK ? at + 1 : at;
    if (symbol < end && (classOf(codes[symbol]) & (SPACE | LETTER | NUMBER)) === 0) {
      stop = runWithout(codes, symbol + 1, end, SPACE | LETTER | NUMBER);
      while (stop < end && (codes[stop] === LF || codes[stop] === CR || codes[stop] === SLASH)) stop++;
      return stop;
    }
    return lineOrWhitespaceEnd(codes, at, end);
  };
}

/** The GPT-4o pattern. */
export const splitGpt4o: Splitter = splitLikeGpt4o(true, 3);
/** The Tekken pattern: GPT-4o's without contractions, digits one by one. */
export const splitTekken: Splitter = splitLikeGpt4o(false, 1);
