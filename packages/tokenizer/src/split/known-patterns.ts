/** The split patterns that have scanners, with the regular expressions that they stand for. */
import { splitDeepseekWords, splitDigits, splitHanAndKana } from './run-splitters.ts';
import type { Splitter } from './splitter.ts';
import { splitGpt2, splitGpt4o, splitLlama3, splitQwen2, splitQwen35, splitTekken } from './word-patterns.ts';

/** A split pattern: matches and the gaps between them are pieces. */
export interface SplitPattern {
  /** The pattern, flags g and v. */
  readonly expression: RegExp;
  /** The same as a scanner, for patterns that are common enough. */
  readonly splitter?: Splitter;
}

// JavaScript's \s has U+FEFF and lacks U+0085: white space is \p{White_Space} here. (?i:…) is written out; ſ folds to s.
const S = '\\p{White_Space}';
const NOT_S = '\\P{White_Space}';
const CONTRACTION = "'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])";
const LINES = `${S}*[\\r\\n]+|${S}+(?!${NOT_S})|${S}+`;
const TAIL = ` ?[^${S}\\p{L}\\p{N}]+[\\r\\n]*|${LINES}`;
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const ASCII_PUNCTUATION = '[!"#$%&\'\\(\\)*+,\\-.\\/:;<=>?@\\[\\\\\\]^_`\\{\\|\\}~]';

function pattern(source: string, splitter?: Splitter): SplitPattern {
  const expression = new RegExp(source, 'gv');
  return splitter ? { expression, splitter } : { expression };
}

function capitalized(contraction: string, digits: string): string {
  const prefix = '[^\\r\\n\\p{L}\\p{N}]?';
  const words = `${prefix}${UPPER}*${LOWER}+${contraction}|${prefix}${UPPER}+${LOWER}*${contraction}`;
  return `${words}|${digits}| ?[^${S}\\p{L}\\p{N}]+[\\r\\n\\/]*|${LINES}`;
}

export type SplitPatternName =
  | 'gpt2'
  | 'llama3'
  | 'qwen2'
  | 'qwen35'
  | 'gpt4o'
  | 'tekken'
  | 'digit'
  | 'threeDigits'
  | 'hanAndKana'
  | 'deepseekWords'
  | 'lineBreak'
  | 'spacedLetters'
  | 'spacedPunctuation'
  | 'hanAndHangul'
  | 'falconPunctuation'
  | 'defaultPunctuation'
  | 'numbers'
  | 'asciiTriples'
  | 'bailing'
  | 'bloom'
  | 'lines';

/** Patterns by name. */
export const splitPatterns: Readonly<Record<SplitPatternName, SplitPattern>> = {
  gpt2: pattern(`'(?:s|t|re|ve|m|ll|d)| ?\\p{L}+| ?\\p{N}+| ?[^${S}\\p{L}\\p{N}]+|${S}+(?!${NOT_S})|${S}+`, splitGpt2),
  llama3: pattern(`${CONTRACTION}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|${TAIL}`, splitLlama3),
  qwen2: pattern(`${CONTRACTION}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|${TAIL}`, splitQwen2),
  qwen35: pattern(
    `${CONTRACTION}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^${S}\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${LINES}`,
    splitQwen35,
  ),
  gpt4o: pattern(capitalized(`(?:${CONTRACTION})?`, '\\p{N}{1,3}'), splitGpt4o),
  tekken: pattern(capitalized('', '\\p{N}'), splitTekken),
  digit: pattern('\\p{N}', splitDigits(1)),
  threeDigits: pattern('\\p{N}{1,3}', splitDigits(3)),
  hanAndKana: pattern('[一-龥\\u3040-\\u309f\\u30a0-\\u30ff]+', splitHanAndKana),
  deepseekWords: pattern(
    `${ASCII_PUNCTUATION}[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${LINES}`,
    splitDeepseekWords,
  ),
  lineBreak: pattern('[\\r\\n]'),
  spacedLetters: pattern(`${S}?\\p{L}+`),
  spacedPunctuation: pattern(`${S}?\\p{P}+`),
  hanAndHangul: pattern('[一-龥ࠀ-一가-퟿]+'),
  falconPunctuation: pattern('[\\p{P}$+<=>^~\\|`]+'),
  defaultPunctuation: pattern('[\\p{P}$+<=>^~\\|]+'),
  numbers: pattern('\\p{N}+'),
  asciiTriples: pattern('[0-9][0-9][0-9]'),
  bailing: pattern(
    `'(?:[sSſdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^${S}\\p{L}\\p{N}]+[\\r\\n]*|${S}*[\\r\\n]|${S}+(?!${NOT_S})|${S}+`,
  ),
  bloom: pattern(` ?[^\\(${S}\\|.,!?…。，、।۔،\\)]+`),
  lines: pattern('[^\\n]+|[\\n]+'),
};
