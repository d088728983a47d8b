import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GallopError } from './errors.ts';
import { StopScanner } from './stop.ts';

const run = (stops: readonly string[], pieces: readonly string[]): { text: string; stop?: string } => {
  const scanner = new StopScanner(stops);
  let text = '';
  for (const piece of pieces) {
    const scan = scanner.push(piece);
    text += scan.text;
    if (scan.stop !== undefined) return { text, stop: scan.stop };
  }
  return { text: text + scanner.flush() };
};

describe('StopScanner', () => {
  it('holds text back only while it may become a stop string', () => {
    const scanner = new StopScanner(['\nUser:', 'END']);
    expect(scanner.push('Hello')).toEqual({ text: 'Hello' });
    expect(scanner.push(' you\nUs')).toEqual({ text: ' you' });
    expect(scanner.push('ual E')).toEqual({ text: '\nUsual ' });
    expect(scanner.push('N')).toEqual({ text: '' });
    expect(scanner.push('D of')).toEqual({ text: '', stop: 'END' });
  });

  it('gives back what it held at the end', () => {
    expect(run(['END'], ['the EN'])).toEqual({ text: 'the EN' });
  });

  it('finds a stop string after a false start inside it', () => {
    expect(run(['aab'], ['a', 'a', 'a', 'b', 'c'])).toEqual({ text: 'a', stop: 'aab' });
  });

  it('takes the longest of those that end together, the first to end otherwise', () => {
    expect(run(['c', 'abc'], ['xabc'])).toEqual({ text: 'x', stop: 'abc' });
    expect(run(['abcd', 'bc'], ['xabcd'])).toEqual({ text: 'xa', stop: 'bc' });
  });

  it('gives the same result however the text is cut', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 3 }), fc.array(word, { maxLength: 12 }), (stops, pieces) => {
        const text = pieces.join('');
        const ends = stops.map((stop) =>
          text.includes(stop) ? text.indexOf(stop) + stop.length : Number.POSITIVE_INFINITY,
        );
        const end = Math.min(...ends);
        const longest = stops.filter((_, i) => ends[i] === end).sort((a, b) => b.length - a.length)[0];
        const expected =
          end < Number.POSITIVE_INFINITY ? { text: text.slice(0, end - longest.length), stop: longest } : { text };
        expect(run(stops, pieces)).toEqual(expected);
        expect(run(stops, [text])).toEqual(expected);
      }),
    );
  });

  it('refuses empty stop strings', () => {
    expect(() => new StopScanner([''])).toThrow(GallopError);
  });
});
