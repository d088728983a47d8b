/** Character classes and escapes of Oniguruma, said in JavaScript's v-mode syntax. */

/** What \w means to Oniguruma inside a bracketed class: no joiners. */
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}';
/** Outside of one it also holds the superscripts and fractions of Latin-1. */
const LONE_WORD = `${WORD}\u00b2\u00b3\u00b9\u00bc\u00bd\u00be`;

const classEscapes: Readonly<Record<string, string>> = {
  s: '\\p{White_Space}',
  S: '\\P{White_Space}',
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  w: `[${LONE_WORD}]`,
  W: `[^${LONE_WORD}]`,
  h: '[0-9A-Fa-f]',
  H: '[^0-9A-Fa-f]',
  N: '[^\\n]',
  O: '[\\s\\S]',
};

/** Escapes that mean something else inside a bracketed class. */
const bracketedEscapes: Readonly<Record<string, string>> = { w: `[${WORD}]`, W: `[^${WORD}]` };

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, e: 27 };

/** POSIX bracket names. */
const posix: Readonly<Record<string, string>> = {
  ascii: '[\\x00-\\x7f]',
  alnum: '[\\p{Alphabetic}\\p{Nd}]',
  alpha: '\\p{Alphabetic}',
  blank: '[\\p{Zs}\\t]',
  cntrl: '\\p{Cc}',
  digit: '\\p{Nd}',
  graph: '[^\\p{White_Space}\\p{Cc}\\p{Cn}\\p{Cs}]',
  lower: '\\p{Lowercase}',
  print: '[^\\p{Cc}\\p{Cn}\\p{Cs}]',
  punct: '[\\p{P}\\p{S}]',
  space: '\\p{White_Space}',
  upper: '\\p{Uppercase}',
  xdigit: '[0-9A-Fa-f]',
  word: `[${WORD}]`,
};

/** Properties with the names of POSIX brackets; two of them differ from those. */
const propertyNames: Readonly<Record<string, string>> = { ...posix, punct: '\\p{P}', word: `[${LONE_WORD}]` };

/** The class of an escape letter. */
export function classEscape(letter: string): string {
  return classEscapes[letter];
}

let casedCharacters: string | undefined;

/** All characters that have other cases. */
function cased(): string {
  if (casedCharacters === undefined) {
    casedCharacters = '';
    for (let code = 0; code < 0x20000; code++) {
      const character = String.fromCodePoint(code);
      if (/\p{Changes_When_Casemapped}/u.test(character)) casedCharacters += character;
    }
  }
  return casedCharacters;
}

/** A code point and those that differ from it only in case, by Unicode's simple case folding. */
export function withCases(code: number): number[] {
  if (!/\p{Changes_When_Casemapped}/u.test(String.fromCodePoint(code))) return [code];
  const others = cased().match(new RegExp(`\\u{${code.toString(16)}}`, 'giu')) ?? [];
  return [...new Set([code, ...others.map((other) => other.codePointAt(0)!)])];
}

function isProperty(expression: string): boolean {
  try {
    new RegExp(expression, 'v');
    return true;
  } catch {
    return false;
  }
}

/** [:name:], [:^name:]. */
function bracket(name: string, negated: boolean): string {
  const members = posix[name.toLowerCase()];
  if (!members) throw new SyntaxError(`unknown class [:${name}:]`);
  return negated ? `[^${members}]` : members;
}

/** \p{Name}, \p{^Name}, \P{Name}: a general category, a script, a binary property or a POSIX name. */
function property(name: string, negated: boolean): string {
  const bare = name.startsWith('^') ? name.slice(1) : name;
  const not = negated !== name.startsWith('^');
  const members = propertyNames[bare.toLowerCase()];
  if (members) return not ? `[^${members}]` : members;
  const letter = not ? 'P' : 'p';
  const capital = bare.charAt(0).toUpperCase() + bare.slice(1).toLowerCase();
  for (const candidate of [bare, `Script=${bare}`, capital, `Script=${capital}`]) {
    if (/^[\w=]+$/.test(candidate) && isProperty(`\\p{${candidate}}`)) return `\\${letter}{${candidate}}`;
  }
  throw new SyntaxError(`unknown property ${name}`);
}

/** What an escape stands for, a class or a code point, and where it ends. */
export interface Escape {
  readonly value: string | number;
  readonly end: number;
}

/** A character given by its number: \\x{…}, \\xHH, \\uHHHH, \\cA, \\C-A, \\0oo, \\1oo. */
function numberedCharacter(rest: string): { code: number; length: number } | undefined {
  const match =
    /^(?:x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|(?:c|C-)([@-_a-z])|(0[0-7]{0,2}|[1-3][0-7]{2}))/.exec(
      rest,
    );
  if (!match) return undefined;
  const hex = match[1] ?? match[2] ?? match[3];
  const [control, octal] = [match[4], match[5]];
  const code = hex ? Number.parseInt(hex, 16) : control ? control.charCodeAt(0) & 0x1f : Number.parseInt(octal, 8);
  if (code > 0x10ffff || (code & 0x1ff800) === 0xd800) throw new SyntaxError(`no such character: ${match[0]}`);
  return { code, length: match[0].length };
}

/** Reads the escape at `at`, where the backslash stands. @param bracketed true inside a bracketed class. */
export function escapeCode(source: string, at: number, bracketed = false): Escape {
  const rest = source.slice(at + 1, at + 60);
  const named = /^([pP])\{(\^?[\w =]+)\}/.exec(rest);
  if (named) return { value: property(named[2].replaceAll(' ', '_'), named[1] === 'P'), end: at + 1 + named[0].length };
  const numbered = numberedCharacter(rest);
  if (numbered) return { value: numbered.code, end: at + 1 + numbered.length };
  const letter = rest.charAt(0);
  if (letter === '') throw new SyntaxError('ends in a backslash');
  const members = (bracketed ? bracketedEscapes[letter] : undefined) ?? classEscapes[letter];
  if (members) return { value: members, end: at + 2 };
  if (controls[letter] !== undefined) return { value: controls[letter], end: at + 2 };
  if (/[A-Za-z1-9]/.test(letter)) throw new SyntaxError(`escape \\${letter} is not supported`);
  const code = source.codePointAt(at + 1)!;
  return { value: code, end: at + (code > 0xffff ? 3 : 2) };
}

/** Largest range whose characters are tried for other cases. */
const WIDEST_FOLDED = 2048;

/** Reads one […]. */
export class CharacterClassReader {
  readonly #source: string;
  readonly #ignoreCase: boolean;
  #depth = 0;
  /** Where the class ends. */
  end: number;

  constructor(source: string, at: number, ignoreCase: boolean) {
    this.#source = source;
    this.#ignoreCase = ignoreCase;
    this.end = at;
  }

  read(): string {
    if (++this.#depth > 20) throw new SyntaxError('classes nested too deep');
    this.end++;
    let open = '[';
    if (this.#source[this.end] === '^') {
      open = '[^';
      this.end++;
    }
    const operands: string[] = [''];
    for (let first = true; first || this.#source[this.end] !== ']'; first = false) {
      if (this.end >= this.#source.length) throw new SyntaxError('missing ]');
      if (this.#source.startsWith('&&', this.end)) {
        this.end += 2;
        operands.push('');
      } else operands[operands.length - 1] += this.#item();
    }
    this.end++;
    this.#depth--;
    return operands.length === 1 ? `${open}${operands[0]}]` : `${open}${operands.map((one) => `[${one}]`).join('&&')}]`;
  }

  #item(): string {
    const named = /^\[:(\^?)(\w+):\]/.exec(this.#source.slice(this.end, this.end + 16));
    if (named) {
      this.end += named[0].length;
      return bracket(named[2], named[1] === '^');
    }
    if (this.#source[this.end] === '[') return this.read();
    const from = this.#character();
    if (typeof from === 'string') return from;
    const ranged = this.#source[this.end] === '-' && !/^-(?:\]|$|&&)/.test(this.#source.slice(this.end, this.end + 3));
    if (!ranged) return this.#range(from, from);
    const dash = this.end++;
    const to = this.#source[this.end] === '[' ? '' : this.#character();
    if (typeof to === 'number') return this.#range(from, to);
    // A dash before a class is a dash.
    this.end = dash + 1;
    return this.#range(from, from) + this.#range(45, 45);
  }

  #character(): string | number {
    if (this.#source[this.end] === '\\') {
      const escaped = escapeCode(this.#source, this.end, true);
      this.end = escaped.end;
      return escaped.value;
    }
    const code = this.#source.codePointAt(this.end);
    if (code === undefined) throw new SyntaxError('missing ]');
    this.end += code > 0xffff ? 2 : 1;
    return code;
  }

  #range(from: number, to: number): string {
    if (to < from) throw new SyntaxError('range out of order');
    const spelled = (code: number): string => `\\u{${code.toString(16)}}`;
    let result = from === to ? spelled(from) : `${spelled(from)}-${spelled(to)}`;
    if (!this.#ignoreCase || to - from > WIDEST_FOLDED) return result;
    for (let code = from; code <= to; code++) {
      for (const other of withCases(code)) if (other < from || other > to) result += spelled(other);
    }
    return result;
  }
}
