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
const WORD = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+';
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
  | 'lines'
  | 'jais2'
  | 'seedCoder'
  | 'turkish'
  | 'digitRuns'
  | 'exaoneWords'
  | 'youtuScripts'
  | 'youtuWords'
  | 'thousands'
  | 'sparkWords';

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
  jais2: pattern(
    `${CONTRACTION}|${WORD}|\\p{N}{1,3}| ?[^${S}\\p{L}\\p{N}]+[\\r\\n]*|${S}*[\\r\\n]+|${[512, 256, 128, 64, 32, 16, 8, 4].map((count) => `${S}{${count}}(?!${NOT_S})`).join('|')}|${S}{1,2}(?!${NOT_S})|${S}`,
  ),
  seedCoder: pattern(`${CONTRACTION}|${WORD}|\\p{N}| ?[^${S}\\p{L}\\p{N}\\r\\n]+|${LINES}`),
  turkish: pattern(`${WORD}|\\p{N}|${TAIL}`),
  digitRuns: pattern(`${CONTRACTION}|${WORD}|\\p{N}+|${TAIL}`),
  exaoneWords: pattern(
    `${CONTRACTION}|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}| ?[^${S}\\p{L}\\p{N}]+[\\r\\n\\/]?|${S}*[\\r\\n]|${S}+(?!${NOT_S})|${S}+`,
  ),
  youtuScripts: pattern('[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥\\u3040-\\u309f\\u30a0-\\u30ff]+'),
  youtuWords: pattern(capitalized(`(?:${CONTRACTION})?`, '\\p{N}')),
  thousands: pattern('\\p{Nd}{1,3}(?=(?:\\p{Nd}{3})*(?![\\p{L}\\p{M}\\p{N}_]))'),
  sparkWords: pattern(
    `${ASCII_PUNCTUATION}[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+|[\\r\\n]|${S}+(?!${NOT_S})|${S}+`,
  ),
};
