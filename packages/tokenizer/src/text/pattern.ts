/**
 * Patterns of tokenizer.json, {"String": …} or {"Regex": …}, searched in arrays of code points. Regular expressions there
 * are written for Oniguruma; `regex-syntax.ts` says them in the engine's own syntax.
 */
import { codePointsToString, toCodePoints } from './code-points.ts';

/** A stretch [start, end) of code points. */
export type Match = readonly [start: number, end: number];

/** Something to search for. */
export interface TextPattern {
  /** The matches from left to right, not overlapping. */
  matches(codes: Int32Array): Match[];
  /** The text with every match replaced, character for character, by `content`. */
  replaceAll(text: string, content: string): string;
}

/** Matches of a literal string. */
export function literalPattern(literal: string): TextPattern {
  const wanted = toCodePoints(literal);
  return {
    matches(codes) {
      const found: Match[] = [];
      if (wanted.length === 0) return found;
      for (let at = 0; at + wanted.length <= codes.length; ) {
        let same = 0;
        while (same < wanted.length && codes[at + same] === wanted[same]) same++;
        if (same === wanted.length) {
          found.push([at, at + same]);
          at += same;
        } else at++;
      }
      return found;
    },
    replaceAll: (text, content) => (literal === '' ? text : text.replaceAll(literal, () => content)),
  };
}

/** Matches of a regular expression, given with the flags g and v; empty matches are left out. */
export function regexPattern(expression: RegExp): TextPattern {
  return {
    matches(codes) {
      const text = codePointsToString(codes);
      const found: Match[] = [];
      let unit = 0;
      let code = 0;
      const placeOf = (target: number): number => {
        while (unit < target) unit += codes[code++] > 0xffff ? 2 : 1;
        return code;
      };
      for (const match of text.matchAll(expression)) {
        if (match[0] === '') continue;
        const start = placeOf(match.index);
        found.push([start, placeOf(match.index + match[0].length)]);
      }
      return found;
    },
    replaceAll: (text, content) => text.replaceAll(expression, (match) => (match === '' ? '' : content)),
  };
}
