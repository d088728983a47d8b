/** Single components of a tokenizer.json, for those who want to use or examine one alone. */
import { AlignedText } from '../text/aligned-text.ts';
import { decoderFromJson } from './decoder-from-json.ts';
import { Fields } from './fields.ts';
import { normalizerFromJson } from './normalizer-from-json.ts';
import { preTokenizerFromJson } from './pre-tokenizer-from-json.ts';

/** A piece of text with its place in the original, in code points. */
export interface TextPiece {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * One normalizer: text → normalized text.
 * @param config the `normalizer` entry of a tokenizer.json.
 * @throws GallopError `unsupported` for an unknown type, `invalid-file` for wrong fields.
 */
export function normalizerFromComponent(config: object): (text: string) => string {
  const normalizer = normalizerFromJson(new Fields(config, 'normalizer'));
  return (text) => normalizer.normalizeString(text);
}

/**
 * One pre-tokenizer: text → pieces.
 * @param config the `pre_tokenizer` entry of a tokenizer.json.
 * @throws GallopError `unsupported` for an unknown type, `invalid-file` for wrong fields.
 */
export function preTokenizerFromComponent(config: object): (text: string) => TextPiece[] {
  const preTokenizer = preTokenizerFromJson(new Fields(config, 'pre_tokenizer'));
  return (text) =>
    preTokenizer
      .split(AlignedText.of(text))
      .filter((piece) => piece.length > 0)
      .map((piece) => ({ text: piece.toString(), start: piece.starts[0], end: piece.ends[piece.length - 1] }));
}

/**
 * One decoder: token texts → text.
 * @param config the `decoder` entry of a tokenizer.json.
 * @throws GallopError `unsupported` for an unknown type, `invalid-file` for wrong fields.
 */
export function decoderFromComponent(config: object): (tokens: readonly string[]) => string {
  const decoder = decoderFromJson(new Fields(config, 'decoder'));
  return (tokens) => decoder.decode(tokens, true).join('');
}
