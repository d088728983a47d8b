/** Normalizers that put in, replace or take away characters: Prepend, Replace, Strip. */
import { AlignedText, AlignedTextBuilder } from '../text/aligned-text.ts';
import { classOf, SPACE } from '../text/char-classes.ts';
import { toCodePoints } from '../text/code-points.ts';
import type { TextPattern } from '../text/pattern.ts';
import type { Normalizer } from './normalizer.ts';

/** Text put in front takes the offsets of the first character; nothing is put in front of an empty text. */
export function prependTo(text: AlignedText, prefix: Int32Array): AlignedText {
  if (text.length === 0) return text;
  const builder = new AlignedTextBuilder(text.length + prefix.length);
  for (const code of prefix) builder.push(code, text.starts[0], text.ends[0]);
  for (let at = 0; at < text.length; at++) builder.push(text.codes[at], text.starts[at], text.ends[at]);
  return builder.build();
}

/** Prepend. */
export function prepend(prefix: string): Normalizer {
  const codes = toCodePoints(prefix);
  return {
    normalize: (text) => prependTo(text, codes),
    normalizeString: (text) => (text === '' ? text : prefix + text),
  };
}

/** Replace: every match of the pattern by `content`, whose characters take the offsets of the last one replaced. */
export function replace(pattern: TextPattern, content: string): Normalizer {
  const codes = toCodePoints(content);
  return {
    normalize(text) {
      const builder = new AlignedTextBuilder(text.length);
      let done = 0;
      const copyTo = (end: number): void => {
        for (; done < end; done++) builder.push(text.codes[done], text.starts[done], text.ends[done]);
      };
      for (const [start, end] of pattern.matches(text.codes)) {
        copyTo(start);
        // What is put in front of everything stands for no text.
        for (const code of codes) builder.push(code, text.starts[end - 1] ?? 0, text.ends[end - 1] ?? 0);
        done = end;
      }
      copyTo(text.length);
      return builder.build();
    },
    normalizeString: (text) => pattern.replaceAll(text, content),
  };
}

function isSpace(code: number): boolean {
  return (classOf(code) & SPACE) !== 0;
}

/** Strip: white space at the ends. */
export function strip(left: boolean, right: boolean): Normalizer {
  const normalize = (text: AlignedText): AlignedText => {
    let start = 0;
    let end = text.length;
    if (left) while (start < end && isSpace(text.codes[start])) start++;
    if (right) while (end > start && isSpace(text.codes[end - 1])) end--;
    return text.slice(start, end);
  };
  return { normalize, normalizeString: (text) => normalize(AlignedText.of(text)).toString() };
}
