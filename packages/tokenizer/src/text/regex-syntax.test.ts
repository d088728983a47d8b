/** Oniguruma's syntax said in JavaScript's: what the reference matches, and which expressions are refused. */
import { describe, expect, test } from 'vitest';
import { toCodePoints } from './code-points.ts';
import { regexPattern } from './pattern.ts';
import { compileRegex } from './regex-syntax.ts';

function matches(source: string, text: string): string[] {
  const codes = toCodePoints(text);
  return regexPattern(compileRegex(source))
    .matches(codes)
    .map(([start, end]) => String.fromCodePoint(...codes.slice(start, end)));
}

test.each([
  ['\\w', 'a½_\u200d1', ['a', '½', '_', '1']],
  ['[\\w]', 'a½_\u200d1', ['a', '_', '1']],
  ['[[:alpha:]]', 'a1\u0301\u0345', ['a', '\u0345']],
  ['\\p{Punct}', '$!', ['!']],
  ['[[:punct:]]', '$!', ['$', '!']],
  ['\\s', '\u0085\ufeff ', ['\u0085', ' ']],
  ['(?i:σ)', 'Σσς', ['Σ', 'σ', 'ς']],
  ['(?i:ǆ)', 'Ǆǅǆ', ['Ǆ', 'ǅ', 'ǆ']],
  ['(?i:ſ)', 'sS', ['s', 'S']],
  ['[a-z&&[^aeiou]]+', 'abcdef', ['bcd', 'f']],
  ['\\h+', 'g1Fz', ['1F']],
  ['a++b|a+', 'aaab aa', ['aaab', 'aa']],
  ['(?>a+)a', 'aaa', []],
  ['\\x41\\u0042\\103', 'ABC', ['ABC']],
  ['(?m:a.b)', 'a\nb', ['a\nb']],
  ['a.b', 'a\nb', []],
  ['(?#note)a', 'a', ['a']],
  ['\\R', 'a\r\nb\n', ['\r\n', '\n']],
  ['(\\w)\\1', 'aab', ['aa']],
])('%s in %j', (source, text, expected) => {
  expect(matches(source, text)).toEqual(expected);
});

describe('empty matches', () => {
  const places = (source: string, text: string) => regexPattern(compileRegex(source)).matches(toCodePoints(text));

  test('count, but not right behind another match', () => {
    expect(places('x*', 'axx')).toEqual([
      [0, 0],
      [1, 3],
    ]);
  });

  test('a line begins after a line feed, not at the end of the text', () => {
    expect(places('^', 'a\nb\n')).toEqual([
      [0, 0],
      [2, 2],
    ]);
  });

  test('none lies inside a surrogate pair', () => {
    expect(places('$', '😀😀')).toEqual([[2, 2]]);
  });

  test('are replaced', () => {
    expect(regexPattern(compileRegex('x*')).replaceAll('axb', '-')).toBe('-a-b-');
  });
});

test.each(['(a+)+$', '(a|a)*b', '(.*)*x', '(aa+)+', '(a?a)*b', '(?:\\s|\\s+)*', '(x+x+)+y', '(a+){20}'])(
  'a loop of exponential time is refused: %s',
  (source) => {
    expect(() => compileRegex(source)).toThrow(/exponential/);
  },
);

test.each([
  '(?=(\\d{3})+(?!\\d))',
  '[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+',
  '(?:\\w+\\s+)*$',
  '(?:(?!ab).)+',
])('a loop that matches in one way is taken: %s', (source) => {
  expect(compileRegex(source)).toBeInstanceOf(RegExp);
});

test.each([
  '(',
  '[',
  'a)',
  '\\',
  '\\p{Nothing}',
  '(?<a>\\g<a>)',
  '\\xZZ\\q',
  '[[:nothing:]]',
  '(?'.repeat(200),
  'a'.repeat(20_001),
])('what cannot be read is a SyntaxError: %.20s', (source) => {
  expect(() => compileRegex(source)).toThrow(SyntaxError);
});
