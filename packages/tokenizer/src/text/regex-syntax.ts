/**
 * Reads regular expressions in Oniguruma's Ruby syntax, in which tokenizer.json files are written, and says them in
 * JavaScript's (flags g and v). Differences that matter: \s, \d and \w are Unicode classes; . matches all but a line feed;
 * ^ and $ are line anchors; possessive quantifiers and atomic groups; (?i:…), written out letter by letter.
 */
import { CharacterClassReader, classEscape, escapeCode, withCases } from './regex-classes.ts';
import {
  alternated,
  backReference,
  concatenated,
  enclosed,
  type Fragment,
  oneOf,
  repeated,
  unrepeatable,
  zeroWidth,
} from './regex-fragment.ts';

const WORD_BEFORE = `(?<=${classEscape('w')})`;
const WORD_AFTER = `(?=${classEscape('w')})`;
const BOUNDARY = `(?:${WORD_BEFORE}(?!${classEscape('w')})|(?<!${classEscape('w')})${WORD_AFTER})`;
const NO_BOUNDARY = `(?:${WORD_BEFORE}${WORD_AFTER}|(?<!${classEscape('w')})(?!${classEscape('w')}))`;

const LINE_BREAKS = '\\n\\v\\f\\r\\u0085\\u2028\\u2029';

const anchors: Readonly<Record<string, Fragment>> = {
  A: zeroWidth('^'),
  z: zeroWidth('$'),
  Z: zeroWidth('(?=\\n?$)'),
  b: zeroWidth(BOUNDARY),
  B: zeroWidth(NO_BOUNDARY),
  R: oneOf(`(?:\\r\\n|[${LINE_BREAKS}])`, LINE_BREAKS),
};

/** Most characters of an expression; longer ones are refused. */
const LONGEST = 20_000;

/** @throws SyntaxError for an expression that cannot be read. */
export function compileRegex(source: string): RegExp {
  if (source.length > LONGEST) throw new SyntaxError(`longer than ${LONGEST} characters`);
  return new RegExp(new Translator(source).translate(), 'gv');
}

interface Modes {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
}

class Translator {
  readonly #source: string;
  #at = 0;
  #atomic = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  translate(): string {
    const { source } = this.#alternatives({ ignoreCase: false, dotAll: false });
    if (this.#at < this.#source.length) throw new SyntaxError(`unmatched ) at ${this.#at}`);
    return source;
  }

  /** Up to the end or to a closing parenthesis. */
  #alternatives(modes: Modes): Fragment {
    if (++this.#depth > 100) throw new SyntaxError('groups nested too deep');
    const alternatives: Fragment[] = [];
    let parts: Fragment[] = [];
    while (this.#at < this.#source.length && this.#source[this.#at] !== ')') {
      if (this.#source[this.#at] === '|') {
        alternatives.push(concatenated(parts));
        parts = [];
        this.#at++;
        continue;
      }
      const switched = this.#modeSwitch(modes);
      // (?i) holds up to the end of the group, alternatives included.
      parts.push(switched ? enclosed('(?:', this.#alternatives(switched)) : this.#quantified(this.#atom(modes)));
    }
    this.#depth--;
    return alternated([...alternatives, concatenated(parts)]);
  }

  /** (?i), (?-i), (?m): modes for the rest of the group. */
  #modeSwitch(modes: Modes): Modes | undefined {
    const match = /^\(\?([imx]*)(?:-([imx]*))?\)/.exec(this.#source.slice(this.#at, this.#at + 12));
    if (!match) return undefined;
    this.#at += match[0].length;
    return changed(modes, match[1], match[2] ?? '');
  }

  #atom(modes: Modes): Fragment {
    const code = this.#source.codePointAt(this.#at)!;
    const character = String.fromCodePoint(code);
    switch (character) {
      case '(':
        return this.#group(modes);
      case '[': {
        const reader = new CharacterClassReader(this.#source, this.#at, modes.ignoreCase);
        const result = reader.read();
        this.#at = reader.end;
        return oneOf(result);
      }
      case '\\':
        return this.#escape(modes);
    }
    this.#at += character.length;
    if (character === '.') return oneOf(modes.dotAll ? '[\\s\\S]' : '[^\\n]');
    // A line does not begin where the text ends behind a line feed.
    if (character === '^') return zeroWidth('(?:(?<![\\s\\S])|(?<=\\n)(?=[\\s\\S]))');
    if (character === '$') return zeroWidth('(?![^\\n])');
    return oneOf(literal(code, modes));
  }

  #escape(modes: Modes): Fragment {
    const next = this.#source[this.#at + 1];
    if (next === undefined) throw new SyntaxError('ends in a backslash');
    if (anchors[next]) {
      this.#at += 2;
      return anchors[next];
    }
    const reference = /^\\(?:k<\w+>|[1-9](?![0-7]{2}))/.exec(this.#source.slice(this.#at, this.#at + 40));
    if (reference) {
      this.#at += reference[0].length;
      return backReference(reference[0]);
    }
    const escaped = escapeCode(this.#source, this.#at);
    this.#at = escaped.end;
    return oneOf(typeof escaped.value === 'string' ? escaped.value : literal(escaped.value, modes));
  }

  #group(modes: Modes): Fragment {
    const head = /^\((?:\?(?:[:=!>]|<[=!]|<\w+>|#[^)]*|[imx]*(?:-[imx]*)?:))?/.exec(this.#source.slice(this.#at))![0];
    if (head === '(' && this.#source[this.#at + 1] === '?') throw new SyntaxError(`unknown group at ${this.#at}`);
    this.#at += head.length;
    const comment = head.startsWith('(?#');
    const inner = /^\(\?([imx]*)(?:-([imx]*))?:$/.exec(head);
    const body = comment ? zeroWidth('') : this.#alternatives(inner ? changed(modes, inner[1], inner[2] ?? '') : modes);
    if (this.#source[this.#at] !== ')') throw new SyntaxError('missing )');
    this.#at++;
    if (comment) return body;
    if (head === '(?>') return this.#possessive(body);
    const whole = enclosed(inner ? '(?:' : head, body);
    return /^\(\?<?[=!]/.test(head) ? zeroWidth(whole.source) : whole;
  }

  /** Matches once and is not taken back. */
  #possessive(body: Fragment): Fragment {
    const name = `atomic${this.#atomic++}`;
    return unrepeatable(`(?:(?=(?<${name}>${body.source}))\\k<${name}>)`, body);
  }

  #quantified(atom: Fragment): Fragment {
    let result = atom;
    for (;;) {
      const match = /^(?:[*+?]|\{(\d*)(,?)(\d*)\})/.exec(this.#source.slice(this.#at, this.#at + 24));
      const quantifier = match?.[0] ?? '';
      if (!match || quantifier === '{}' || quantifier === '{,}' || atom.source === '') return result;
      this.#at += quantifier.length;
      const braced = quantifier.startsWith('{');
      const mode = this.#source[this.#at];
      const lazy = mode === '?' ? '?' : '';
      const spelled = `(?:${result.source})${braced ? quantifier.replace('{,', '{0,') : quantifier}${lazy}`;
      const [least, most] = braced ? bracedRounds(match) : (rounds[quantifier] ?? [0, 1]);
      result = repeated(`(?:${spelled})`, result, least, most);
      if (mode === '?') this.#at++;
      else if (mode === '+' && !braced) {
        this.#at++;
        result = this.#possessive(result);
      }
    }
  }
}

const rounds: Readonly<Record<string, readonly [least: number, most: number]>> = {
  '*': [0, Number.POSITIVE_INFINITY],
  '+': [1, Number.POSITIVE_INFINITY],
  '?': [0, 1],
};

/** {n}, {n,}, {n,m}, {,m}. */
function bracedRounds([, least, comma, most]: readonly string[]): readonly [least: number, most: number] {
  if (!comma) return [Number(least), Number(least)];
  return [Number(least), most ? Number(most) : Number.POSITIVE_INFINITY];
}

function changed(modes: Modes, on: string, off: string): Modes {
  if (on.includes('x')) throw new SyntaxError('extended mode is not supported');
  return {
    ignoreCase: (modes.ignoreCase || on.includes('i')) && !off.includes('i'),
    dotAll: (modes.dotAll || on.includes('m')) && !off.includes('m'),
  };
}

function literal(code: number, modes: Modes): string {
  const spelled = (one: number): string => `\\u{${one.toString(16)}}`;
  if (!modes.ignoreCase) return spelled(code);
  const cases = withCases(code);
  return cases.length === 1 ? spelled(code) : `[${cases.map(spelled).join('')}]`;
}
