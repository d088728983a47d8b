/** Character classes and escapes of Oniguruma, said in JavaScript's v-mode syntax. */

/** What \w means to Oniguruma: no joiners, and the superscripts and fractions of Latin-1. */
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\u00b2\u00b3\u00b9\u00bc\u00bd\u00be';

const classEscapes: Readonly<Record<string, string>> = {
  s: '\\p{White_Space}',
  S: '\\P{White_Space}',
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  w: `[${WORD}]`,
  W: `[^${WORD}]`,
  h: '[0-9A-Fa-f]',
  H: '[^0-9A-Fa-f]',
};

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, e: 27, 0: 0 };

/** POSIX bracket names and the properties of the same names. */
const posix: Readonly<Record<string, string>> = {
  alnum: '[\\p{Alphabetic}\\p{M}\\p{Nd}]',
  alpha: '[\\p{Alphabetic}\\p{M}]',
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

/** The class of an escape letter. */
export function classEscape(letter: string): string {
  return classEscapes[letter];
}

/** A code point and those that differ from it only in case. */
export function withCases(code: number): number[] {
  const text = String.fromCodePoint(code);
  const cases = new Set([code]);
  for (const other of [text.toLowerCase(), text.toUpperCase()]) {
    if ([...other].length === 1) cases.add(other.codePointAt(0)!);
  }
  // The letters that fold to s, k and å from elsewhere.
  if (cases.has(115)) cases.add(0x17f);
  if (cases.has(107)) cases.add(0x212a);
  if (cases.has(0xe5)) cases.add(0x212b);
  return [...cases];
}

function isProperty(expression: string): boolean {
  try {
    new RegExp(expression, 'v');
    return true;
  } catch {
    return false;
  }
}

/** \p{Name}, \p{^Name}, \P{Name}: a general category, a script, a binary property or a POSIX name. */
function property(name: string, negated: boolean): string {
  const bare = name.startsWith('^') ? name.slice(1) : name;
  const not = negated !== name.startsWith('^');
  const bracket = posix[bare.toLowerCase()];
  if (bracket) return not ? `[^${bracket}]` : bracket;
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

/** Reads the escape at `at`, where the backslash stands. */
export function escapeCode(source: string, at: number): Escape {
  const rest = source.slice(at + 1, at + 60);
  const named = /^([pP])\{(\^?[\w ]+)\}/.exec(rest);
  if (named) return { value: property(named[2].replaceAll(' ', '_'), named[1] === 'P'), end: at + 1 + named[0].length };
  const hex = /^(?:x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4}))/.exec(rest);
  if (hex) {
    const code = Number.parseInt(hex[1] ?? hex[2] ?? hex[3], 16);
    if (code > 0x10ffff) throw new SyntaxError(`no such character: ${hex[0]}`);
    return { value: code, end: at + 1 + hex[0].length };
  }
  const letter = rest.charAt(0);
  if (letter === '') throw new SyntaxError('ends in a backslash');
  if (classEscapes[letter]) return { value: classEscapes[letter], end: at + 2 };
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
    const bracket = /^\[:(\^?)(\w+):\]/.exec(this.#source.slice(this.end, this.end + 16));
    if (bracket) {
      this.end += bracket[0].length;
      return property(bracket[1] + bracket[2], false);
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
      const escaped = escapeCode(this.#source, this.end);
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
