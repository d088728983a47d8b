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

/**
 * Tells which matches count: not an empty one right behind another match, nor one inside a surrogate pair, where engines
 * let assertions hold.
 */
class MatchFilter {
  #end = -1;

  accepts(text: string, at: number, length: number): boolean {
    const insidePair =
      at > 0 && (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
    if (length === 0 && (at === this.#end || insidePair)) return false;
    this.#end = at + length;
    return true;
  }
}

/** Matches of a regular expression, given with the flags g and v. */
export function regexPattern(expression: RegExp): TextPattern {
  return {
    matches(codes) {
      const found: Match[] = [];
      if (codes.length === 0) return found;
      const text = codePointsToString(codes);
      let unit = 0;
      let code = 0;
      const placeOf = (target: number): number => {
        while (unit < target) unit += codes[code++] > 0xffff ? 2 : 1;
        return code;
      };
      const filter = new MatchFilter();
      for (const match of text.matchAll(expression)) {
        if (!filter.accepts(text, match.index, match[0].length)) continue;
        const start = placeOf(match.index);
        found.push([start, placeOf(match.index + match[0].length)]);
      }
      return found;
    },
    replaceAll(text, content) {
      if (text === '') return text;
      const filter = new MatchFilter();
      return text.replaceAll(expression, (match: string, ...rest: unknown[]) => {
        const at = rest.find((value) => typeof value === 'number') as number;
        return filter.accepts(text, at, match.length) ? content : '';
      });
    },
  };
}
