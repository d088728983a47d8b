/** Regular expressions of tokenizer.json files, as their authors wrote them, that have scanners. */
import { type SplitPattern, splitPatterns } from './known-patterns.ts';

export interface KnownRegex {
  readonly pattern: SplitPattern;
  /** True if the matches leave no gap in any text. */
  readonly coversAll: boolean;
}

const LINES = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const PREFIX = '[^\\r\\n\\p{L}\\p{N}]?';

function afterContraction(digits: string): string {
  return `${CONTRACTION}|${PREFIX}\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${LINES}`;
}

function capitalized(contraction: string, digits: string): string {
  const words = `${PREFIX}${UPPER}*${LOWER}+${contraction}|${PREFIX}${UPPER}+${LOWER}*${contraction}`;
  return `${words}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${LINES}`;
}

const PUNCTUATION = '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]';

const table = new Map<string, KnownRegex>();

function know(pattern: SplitPattern, coversAll: boolean, ...sources: readonly string[]): void {
  for (const source of sources) table.set(source, { pattern, coversAll });
}

know(
  splitPatterns.gpt2,
  true,
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
);
know(splitPatterns.llama3, true, afterContraction('\\p{N}{1,3}'));
know(splitPatterns.qwen2, true, afterContraction('\\p{N}'));
know(
  splitPatterns.qwen35,
  true,
  `${CONTRACTION}|${PREFIX}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${LINES}`,
);
know(splitPatterns.gpt4o, true, capitalized(`${CONTRACTION}?`, '\\p{N}{1,3}'));
know(splitPatterns.tekken, true, capitalized('', '\\p{N}'));
know(splitPatterns.digit, false, '\\p{N}');
know(splitPatterns.threeDigits, false, '\\p{N}{1,3}');
know(splitPatterns.hanAndKana, false, '[一-龥\u3040-ゟ゠-ヿ]+', '[一-龥぀-ゟ゠-ヿ]+');
for (const [cr, lf] of [
  ['\\r', '\\n'],
  ['\r', '\n'],
]) {
  know(
    splitPatterns.deepseekWords,
    false,
    `${PUNCTUATION}[A-Za-z]+|[^${cr}${lf}\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[${cr}${lf}]*|\\s*[${cr}${lf}]+|\\s+(?!\\S)|\\s+`,
  );
}

/** What is known about a regular expression, undefined for one that is not in the table. */
export function knownRegex(source: string | undefined): KnownRegex | undefined {
  return source === undefined ? undefined : table.get(source);
}
