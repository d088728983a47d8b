/** Pre-tokenizers of tokenizer.json. */
import { byteLevel } from '../pre-tokenizers/byte-level.ts';
import { metaspace, type PrependScheme } from '../pre-tokenizers/metaspace.ts';
import { type PreTokenizer, sequence } from '../pre-tokenizers/pre-tokenizer.ts';
import {
  bert,
  charDelimiter,
  digits,
  fixedLength,
  punctuation,
  whitespace,
  whitespaceSplit,
} from '../pre-tokenizers/scanned.ts';
import { type SplitBehavior, split } from '../pre-tokenizers/split.ts';
import { unicodeScripts } from '../pre-tokenizers/unicode-scripts.ts';
import { knownRegex } from '../split/known-regexes.ts';
import { splitAtCharacter } from '../split/run-splitters.ts';
import type { Splitter } from '../split/splitter.ts';
import { toCodePoints } from '../text/code-points.ts';
import { regexPattern } from '../text/pattern.ts';
import { ComponentFactory, type Fields } from './fields.ts';
import { patternFromJson, regexSource } from './pattern-from-json.ts';

const behaviors: readonly SplitBehavior[] = [
  'Removed',
  'Isolated',
  'MergedWithPrevious',
  'MergedWithNext',
  'Contiguous',
];

const factory = new ComponentFactory<PreTokenizer>('pre-tokenizer', {
  Sequence: (fields, build) => sequence(fields.objects('pretokenizers').map(build)),
  ByteLevel: (fields) => byteLevel(fields.boolean('add_prefix_space', true), fields.boolean('use_regex', true)),
  BertPreTokenizer: () => bert,
  Whitespace: () => whitespace,
  WhitespaceSplit: () => whitespaceSplit,
  Digits: (fields) => digits(fields.boolean('individual_digits', false)),
  Punctuation: (fields) => punctuation(fields.choice('behavior', behaviors, 'Isolated')),
  CharDelimiterSplit: (fields) => charDelimiter(character(fields, 'delimiter')),
  FixedLength: (fields) => fixedLength(Math.max(fields.integer('length', 5), 1)),
  UnicodeScripts: () => unicodeScripts,
  Metaspace: (fields) =>
    metaspace(character(fields, 'replacement', '\u2581'), prependScheme(fields), fields.boolean('split', true)),
  Split: splitFromJson,
});

/** A string of one character. */
export function character(fields: Fields, key: string, fallback?: string): string {
  const text = fields.string(key, fallback);
  if ([...text].length !== 1) throw fields.fail(key, 'one character');
  return text;
}

/** `prepend_scheme`, or the older `add_prefix_space`. */
export function prependScheme(fields: Fields): PrependScheme {
  const older = fields.boolean('add_prefix_space', true) ? 'always' : 'never';
  return fields.choice('prepend_scheme', ['always', 'first', 'never'], older);
}

function splitFromJson(fields: Fields): PreTokenizer {
  const behavior = fields.choice('behavior', behaviors);
  const invert = fields.boolean('invert', false);
  const known = knownRegex(regexSource(fields, 'pattern'));
  if (!known)
    return split(patternFromJson(fields, 'pattern'), behavior, invert, separatorSplitter(fields, behavior, invert));
  // Scanners keep matches and gaps; dropping the gaps is the same where there are none.
  const sameAsScanner = (behavior === 'Isolated' && !invert) || (behavior === 'Removed' && invert && known.coversAll);
  return split(
    regexPattern(known.pattern.expression),
    behavior,
    invert,
    sameAsScanner ? known.pattern.splitter : undefined,
  );
}

/** The scanner for a pattern of one literal character. */
function separatorSplitter(fields: Fields, behavior: SplitBehavior, invert: boolean): Splitter | undefined {
  const pattern = fields.raw('pattern');
  const literal = typeof pattern === 'string' ? pattern : fields.object('pattern').optionalString('String');
  const codes = toCodePoints(literal ?? '');
  return codes.length === 1 && !invert ? splitAtCharacter(codes[0], behavior) : undefined;
}

/** @throws GallopError `unsupported` for an unknown type, `invalid-file` for wrong fields. */
export function preTokenizerFromJson(fields: Fields): PreTokenizer {
  return factory.build(fields);
}
