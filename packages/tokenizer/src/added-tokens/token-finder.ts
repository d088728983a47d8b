/**
 * Finds added tokens in a text. Of several that start at one place the longest counts; of overlapping ones either the
 * leftmost (Hugging Face) or the longest (llama.cpp, which cuts out one token after the other, long ones first).
 */
import { classOf, SPACE, WORD } from '../text/char-classes.ts';
import type { AddedToken, Segment } from './added-token.ts';

export type OverlapRule = 'leftmost' | 'longest';

interface Node {
  token: AddedToken | undefined;
  children: Map<number, Node> | undefined;
}

interface Found {
  start: number;
  end: number;
  token: AddedToken;
}

/** A set of tokens to look for. */
export class TokenFinder {
  readonly #roots: Map<number, Node> = new Map();
  /** For each UTF-16 unit the length of the longest token that starts with it. */
  readonly #longestFrom: Uint16Array = new Uint16Array(0x10000);
  readonly #rule: OverlapRule;
  readonly size: number;

  /** @param content the text to look for, where it is not the token's own. */
  constructor(tokens: readonly AddedToken[], rule: OverlapRule, content?: (token: AddedToken) => string) {
    this.#rule = rule;
    this.size = tokens.length;
    for (const token of tokens) this.#add(content ? content(token) : token.content, token);
  }

  #add(content: string, token: AddedToken): void {
    if (content === '') return;
    const first = content.charCodeAt(0);
    this.#longestFrom[first] = Math.max(this.#longestFrom[first], Math.min(content.length, 0xffff));
    let children = this.#roots;
    for (let at = 0; ; at++) {
      const unit = content.charCodeAt(at);
      let node = children.get(unit);
      if (!node) children.set(unit, (node = { token: undefined, children: undefined }));
      if (at === content.length - 1) {
        node.token ??= token;
        return;
      }
      children = node.children ??= new Map();
    }
  }

  /** The longest token at a place, or none; `limit` is where the text counts as ended. */
  #longestAt(text: string, at: number, limit: number): Found | undefined {
    if (this.#longestFrom[text.charCodeAt(at)] === 0) return undefined;
    let found: Found | undefined;
    let children: Map<number, Node> | undefined = this.#roots;
    for (let end = at; children && end < limit; ) {
      const node: Node | undefined = children.get(text.charCodeAt(end++));
      if (!node) break;
      if (node.token) found = { start: at, end, token: node.token };
      children = node.children;
    }
    return found;
  }

  /**
   * Cuts a text into added tokens and what lies between them; empty stretches are left out. A token that begins with white
   * space which the token before took along overlaps it.
   */
  segments(text: string): Segment[] {
    const segments: Segment[] = [];
    let done = 0;
    const gap = (end: number): void => {
      if (end > done) segments.push({ start: done, end, token: undefined });
    };
    if (this.size === 0) return text === '' ? [] : [{ start: 0, end: text.length, token: undefined }];
    for (const found of this.#occurrences(text, 0, text.length)) {
      const { token } = found;
      if (token.singleWord && !standsAlone(text, found.start, found.end)) continue;
      let { start, end } = found;
      if (token.leftStrip) {
        while (start > done && isSpaceAt(text, start - 1)) start--;
        start = Math.max(start, done);
      }
      if (token.rightStrip) while (end < text.length && isSpaceAt(text, end)) end++;
      if (start >= end) continue;
      gap(start);
      segments.push({ start, end, token });
      done = end;
    }
    gap(text.length);
    return segments;
  }

  /** Tokens within [from, limit), as if the text ended there. */
  *#occurrences(text: string, from: number, limit: number): Generator<Found, void> {
    for (let at = from; at < limit; ) {
      const found = this.#longestAt(text, at, limit);
      if (!found) {
        at++;
        continue;
      }
      const winner = this.#rule === 'leftmost' ? found : this.#longestAround(text, found, limit);
      // What lies before a longer token that wins is searched by itself.
      if (winner !== found) yield* this.#occurrences(text, at, winner.start);
      yield winner;
      at = winner.end;
    }
  }

  /** Follows overlaps to the right, from longer to longer tokens. */
  #longestAround(text: string, first: Found, limit: number): Found {
    let winner = first;
    for (let at = first.start + 1; at < winner.end; at++) {
      const longest = winner.end - winner.start;
      if (this.#longestFrom[text.charCodeAt(at)] <= longest) continue;
      const found = this.#longestAt(text, at, limit);
      if (found && found.end - found.start > longest) winner = found;
    }
    return winner;
  }
}

function isSpaceAt(text: string, at: number): boolean {
  return (classOf(text.charCodeAt(at)) & SPACE) !== 0;
}

function isWord(code: number): boolean {
  return (classOf(code) & WORD) !== 0;
}

function standsAlone(text: string, start: number, end: number): boolean {
  if (end < text.length && isWord(text.codePointAt(end)!)) return false;
  if (start === 0) return true;
  const low = text.charCodeAt(start - 1);
  const whole = (low & 0xfc00) === 0xdc00 && start > 1 ? text.codePointAt(start - 2)! : low;
  return !isWord(whole > 0xffff ? whole : low);
}
