/** Decoders that work on characters: Fuse, Strip, Replace, Metaspace, BPEDecoder, WordPiece, CTC. */
import type { TextPattern } from '../text/pattern.ts';
import { type Decoder, eachToken } from './decoder.ts';

/** Fuse: all tokens as one. */
export const fuseDecoder: Decoder = { decode: (tokens) => [tokens.join('')], fuses: true };

/** Replace: every match of the pattern in each token. */
export function replaceDecoder(pattern: TextPattern, content: string): Decoder {
  return eachToken((token) => pattern.replaceAll(token, content));
}

/**
 * Strip: up to `start` leading and `stop` trailing characters equal to `content` of each token. Behind a decoder that
 * fuses, the one token is the whole text, so a continuation of a text keeps its first character.
 */
export function stripDecoder(content: string, start: number, stop: number): Decoder {
  const strip = (fused: boolean): Decoder =>
    eachToken((token, _index, _count, atStart) => stripped(token, content, fused && !atStart ? 0 : start, stop));
  return { ...strip(false), afterFuse: () => strip(true) };
}

function stripped(token: string, content: string, start: number, stop: number): string {
  const step = content.length;
  let from = 0;
  let to = token.length;
  for (let count = 0; count < start && from < to && token.startsWith(content, from); count++) from += step;
  for (let count = 0; count < stop && to - step >= from && token.startsWith(content, to - step); count++) to -= step;
  return token.slice(from, to);
}

/** Metaspace: the replacement character as a space; the first token loses all of them unless nothing was ever prepended. */
export function metaspaceDecoder(replacement: string, dropsFirst: boolean): Decoder {
  return eachToken((token, index, _count, atStart) =>
    token.replaceAll(replacement, dropsFirst && index === 0 && atStart ? '' : ' '),
  );
}

/** BPEDecoder: the suffix of words as a space, as nothing in the last token. */
export function bpeDecoder(suffix: string): Decoder {
  return eachToken((token, index, count) =>
    suffix === '' ? token : token.replaceAll(suffix, index === count - 1 ? '' : ' '),
  );
}

/** English spacing, in this order. */
const cleanups: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

function cleanUp(text: string): string {
  return cleanups.reduce((value, [from, to]) => value.replaceAll(from, to), text);
}

/** WordPiece: a space before each token but the first and those that continue a word. */
export function wordPieceDecoder(prefix: string, cleanup: boolean): Decoder {
  return eachToken((token, index, _count, atStart) => {
    let text = token;
    if (index > 0 || !atStart) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
    return cleanup ? cleanUp(text) : text;
  });
}

/** CTC: equal neighbours once, pad tokens out, the word delimiter as a space. */
export function ctcDecoder(padToken: string, wordDelimiter: string, cleanup: boolean): Decoder {
  return {
    decode: (tokens) =>
      tokens
        .filter((token, index) => index === 0 || token !== tokens[index - 1])
        .map((token) => {
          const text = padToken === '' ? token : token.replaceAll(padToken, '');
          return cleanup ? cleanUp(text).replaceAll(wordDelimiter, ' ') : text;
        })
        .filter((text) => text !== ''),
    fuses: false,
  };
}
