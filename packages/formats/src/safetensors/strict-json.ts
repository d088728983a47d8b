/**
 * A JSON parser for file headers that come from anywhere. Unlike JSON.parse it refuses an object with a name given
 * twice and text with lone surrogates, keeps numbers as they are written (2^64 must not turn into a double), and limits
 * nesting, so that nothing in a header is silently changed by reading it.
 */
import { GallopError } from '@gallop/core';

/** A number of the text, as written. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type StrictJson = null | boolean | string | JsonNumber | StrictJson[] | Map<string, StrictJson>;

const DEEPEST = 64;
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const spacePattern = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these.
const plainPattern = /[^"\\\u0000-\u001f]*/y;
const loneSurrogate = /\p{Surrogate}/u;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Parses a whole text.
 * @throws GallopError `invalid-file` with the position of the fault.
 */
export function parseStrictJson(text: string, what: string): StrictJson {
  const parser = new Parser(text, what);
  const value = parser.value(0);
  parser.space();
  if (parser.position < text.length) throw parser.fault('nothing after the value');
  return value;
}

class Parser {
  readonly #text: string;
  readonly #what: string;
  position = 0;

  constructor(text: string, what: string) {
    this.#text = text;
    this.#what = what;
  }

  fault(expected: string): GallopError {
    const found = this.#text.slice(this.position, this.position + 12);
    return new GallopError(
      'invalid-file',
      `Expected ${expected} in the ${this.#what}; found ${JSON.stringify(found)} at character ${this.position}.`,
    );
  }

  space(): void {
    this.#match(spacePattern);
  }

  value(depth: number): StrictJson {
    this.space();
    if (depth > DEEPEST) throw this.fault(`at most ${DEEPEST} levels`);
    switch (this.#text[this.position]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
    }
    const number = this.#match(numberPattern);
    if (number === '') throw this.fault('a JSON value');
    return new JsonNumber(number);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.position += found.length;
    return found;
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.position)) throw this.fault(word);
    this.position += word.length;
    return value;
  }

  /** Moves over one of two characters, after space; true for the first. */
  #either(first: string, second: string): boolean {
    this.space();
    const found = this.#text[this.position];
    if (found !== first && found !== second) throw this.fault(`"${first}" or "${second}"`);
    this.position++;
    return found === first;
  }

  #object(depth: number): Map<string, StrictJson> {
    const members = new Map<string, StrictJson>();
    this.position++;
    this.space();
    if (this.#text[this.position] === '}') {
      this.position++;
      return members;
    }
    do {
      this.space();
      const start = this.position;
      const name = this.#string();
      if (members.has(name)) {
        this.position = start;
        throw this.fault('each name once');
      }
      this.space();
      this.#word(':', undefined);
      members.set(name, this.value(depth + 1));
    } while (this.#either(',', '}'));
    return members;
  }

  #array(depth: number): StrictJson[] {
    const elements: StrictJson[] = [];
    this.position++;
    this.space();
    if (this.#text[this.position] === ']') {
      this.position++;
      return elements;
    }
    do elements.push(this.value(depth + 1));
    while (this.#either(',', ']'));
    return elements;
  }

  #string(): string {
    const start = this.position;
    this.#word('"', undefined);
    let text = '';
    for (;;) {
      text += this.#match(plainPattern);
      const stop = this.#text[this.position];
      if (stop === '"') break;
      if (stop !== '\\') throw this.fault('the rest of a string');
      text += this.#escape();
    }
    this.position++;
    if (!loneSurrogate.test(text)) return text;
    this.position = start;
    throw this.fault('valid Unicode');
  }

  #escape(): string {
    const letter = this.#text[this.position + 1];
    if (letter === 'u') {
      const digits = this.#text.slice(this.position + 2, this.position + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.fault('four hexadecimal digits');
      this.position += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const text = escapes[letter ?? ''];
    if (text === undefined) throw this.fault('a known escape');
    this.position += 2;
    return text;
  }
}
