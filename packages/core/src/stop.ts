/**
 * Stop strings in streamed text. A stop string may begin in one piece of text and end in another, so text that may
 * still become a stop string is held back; everything else passes at once. The first stop string to be completed wins
 * (the longest one if several end at the same character), which makes the result independent of how the text was cut
 * into pieces. Matching is Knuth–Morris–Pratt, one automaton a stop string: time linear in the text.
 */

import { requireArgument } from './errors.ts';

interface Matcher {
  readonly pattern: string;
  /** failure[n]: length of the longest proper prefix of the pattern that is a suffix of its first n characters. */
  readonly failure: Uint32Array;
  matched: number;
}

/** What became certain after a piece of text. */
export interface StopScan {
  /** Text that can be shown: no part of it belongs to a stop string. */
  readonly text: string;
  /** The stop string that was completed, if one was; it and all after it are dropped. */
  readonly stop?: string;
}

const matcherOf = (pattern: string): Matcher => {
  const failure = new Uint32Array(pattern.length + 1);
  let length = 0;
  for (let i = 1; i < pattern.length; i++) {
    while (length > 0 && pattern[i] !== pattern[length]) length = failure[length];
    if (pattern[i] === pattern[length]) length++;
    failure[i + 1] = length;
  }
  return { pattern, failure, matched: 0 };
};

const advance = (matcher: Matcher, character: string): boolean => {
  const { pattern, failure } = matcher;
  while (matcher.matched > 0 && pattern[matcher.matched] !== character) matcher.matched = failure[matcher.matched];
  if (pattern[matcher.matched] === character) matcher.matched++;
  return matcher.matched === pattern.length;
};

/** Looks for stop strings in a stream of text. Push pieces until one completes a stop string; then, or at the end, stop. */
export class StopScanner {
  readonly #matchers: readonly Matcher[];
  #held = '';

  /**
   * @param stops strings that end the text; may be empty, then all text passes
   * @throws GallopError `invalid-argument` when one of them is empty or not a string
   */
  constructor(stops: readonly string[]) {
    for (const stop of stops) {
      requireArgument(typeof stop === 'string' && stop.length > 0, () => {
        return `Expected stop strings of at least one character; received ${JSON.stringify(stop)}; remove it.`;
      });
    }
    this.#matchers = stops.map(matcherOf);
  }

  /** Takes the next piece and returns the text that is now certain. */
  push(piece: string): StopScan {
    const text = this.#held + piece;
    for (let i = this.#held.length; i < text.length; i++) {
      let stop = '';
      for (const matcher of this.#matchers) {
        if (advance(matcher, text[i]) && matcher.pattern.length > stop.length) stop = matcher.pattern;
      }
      if (stop !== '') {
        this.#held = '';
        return { text: text.slice(0, i + 1 - stop.length), stop };
      }
    }
    const held = this.#matchers.reduce((most, { matched }) => Math.max(most, matched), 0);
    this.#held = text.slice(text.length - held);
    return { text: text.slice(0, text.length - held) };
  }

  /** The text still held back; call it when no more will come. */
  flush(): string {
    const text = this.#held;
    this.#held = '';
    for (const matcher of this.#matchers) matcher.matched = 0;
    return text;
  }
}
