/** Normalizers of tokenizer.json. */
import { bertNormalizer, byteAlphabet, lowercase, nmt, stripAccents } from '../normalizers/characters.ts';
import { prepend, replace, strip } from '../normalizers/edits.ts';
import { type Normalizer, sequence } from '../normalizers/normalizer.ts';
import { precompiled } from '../normalizers/precompiled.ts';
import { normalForm } from '../normalizers/unicode-forms.ts';
import { ComponentFactory, type Fields } from './fields.ts';
import { patternFromJson } from './pattern-from-json.ts';

const factory = new ComponentFactory<Normalizer>('normalizer', {
  Sequence: (fields, build) => sequence(fields.objects('normalizers').map(build)),
  NFC: () => normalForm('NFC'),
  NFD: () => normalForm('NFD'),
  NFKC: () => normalForm('NFKC'),
  NFKD: () => normalForm('NFKD'),
  Lowercase: () => lowercase,
  StripAccents: () => stripAccents,
  Nmt: () => nmt,
  ByteLevel: () => byteAlphabet,
  Strip: (fields) => strip(fields.boolean('strip_left', true), fields.boolean('strip_right', true)),
  Prepend: (fields) => prepend(fields.string('prepend')),
  Replace: (fields) => replace(patternFromJson(fields, 'pattern'), fields.string('content')),
  Precompiled: (fields) => precompiled(charsMap(fields)),
  BertNormalizer: (fields) =>
    bertNormalizer({
      cleanText: fields.boolean('clean_text', true),
      handleChineseChars: fields.boolean('handle_chinese_chars', true),
      stripAccents: (fields.raw('strip_accents') ?? null) === null ? null : fields.boolean('strip_accents'),
      lowercase: fields.boolean('lowercase', true),
    }),
});

function charsMap(fields: Fields): Uint8Array {
  const base64 = fields.string('precompiled_charsmap');
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw fields.fail('precompiled_charsmap', 'base64');
  }
}

/** @throws GallopError `unsupported` for an unknown type, `invalid-file` for wrong fields. */
export function normalizerFromJson(fields: Fields): Normalizer {
  return factory.build(fields);
}
