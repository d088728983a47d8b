/** {"String": …} and {"Regex": …}. */
import { GallopError } from '@gallop/core';
import { literalPattern, regexPattern, type TextPattern } from '../text/pattern.ts';
import { compileRegex } from '../text/regex-syntax.ts';
import type { Fields } from './fields.ts';

/** The regular expression of a pattern field, undefined for a literal. */
export function regexSource(fields: Fields, key: string): string | undefined {
  return fields.object(key).optionalString('Regex');
}

/** @throws GallopError `invalid-file` for another form or a regular expression that cannot be read. */
export function patternFromJson(fields: Fields, key: string): TextPattern {
  if (typeof fields.raw(key) === 'string') return literalPattern(fields.string(key));
  const pattern = fields.object(key);
  const literal = pattern.optionalString('String');
  if (literal !== undefined) return literalPattern(literal);
  const source = pattern.string('Regex');
  try {
    return regexPattern(compileRegex(source));
  } catch (error) {
    throw new GallopError(
      'invalid-file',
      `Expected a regular expression at ${pattern.path}.Regex; received ${JSON.stringify(source).slice(0, 120)}: ${error instanceof Error ? error.message : error}.`,
      { cause: error },
    );
  }
}
