/** Decoders of tokenizer.json. */
import { byteFallbackDecoder, byteLevelDecoder } from '../decoders/byte-decoders.ts';
import { type Decoder, sequence } from '../decoders/decoder.ts';
import {
  bpeDecoder,
  ctcDecoder,
  fuseDecoder,
  metaspaceDecoder,
  replaceDecoder,
  stripDecoder,
  wordPieceDecoder,
} from '../decoders/text-decoders.ts';
import { ComponentFactory, type Fields } from './fields.ts';
import { patternFromJson } from './pattern-from-json.ts';
import { character, prependScheme } from './pre-tokenizer-from-json.ts';

const factory = new ComponentFactory<Decoder>('decoder', {
  Sequence: (fields, build) => sequence(fields.objects('decoders').map(build)),
  ByteLevel: () => byteLevelDecoder,
  ByteFallback: () => byteFallbackDecoder,
  Fuse: () => fuseDecoder,
  Replace: (fields) => replaceDecoder(patternFromJson(fields, 'pattern'), fields.string('content')),
  Strip: (fields) =>
    stripDecoder(character(fields, 'content', ' '), fields.integer('start', 0), fields.integer('stop', 0)),
  Metaspace: (fields) =>
    metaspaceDecoder(character(fields, 'replacement', '\u2581'), prependScheme(fields) !== 'never'),
  BPEDecoder: (fields) => bpeDecoder(fields.string('suffix', '</w>')),
  WordPiece: (fields) => wordPieceDecoder(fields.string('prefix', '##'), fields.boolean('cleanup', true)),
  CTC: (fields) =>
    ctcDecoder(
      fields.string('pad_token', '<pad>'),
      fields.string('word_delimiter_token', '|'),
      fields.boolean('cleanup', true),
    ),
});

/** @throws GallopError `unsupported` for an unknown type, `invalid-file` for wrong fields. */
export function decoderFromJson(fields: Fields): Decoder {
  return factory.build(fields);
}
