/** ByteLevel: cuts with the GPT-2 pattern if asked to, then writes every UTF-8 byte as its character of the byte alphabet. */
import { prependTo } from '../normalizers/edits.ts';
import { splitPatterns } from '../split/known-patterns.ts';
import { splitGpt2 } from '../split/word-patterns.ts';
import { type AlignedText, AlignedTextBuilder } from '../text/aligned-text.ts';
import { byteToCode } from '../text/byte-alphabet.ts';
import { writeUtf8 } from '../text/code-points.ts';
import { regexPattern } from '../text/pattern.ts';
import type { PreTokenizer } from './pre-tokenizer.ts';
import { cut } from './split.ts';

const SPACE = Int32Array.of(32);

const gpt2 = regexPattern(splitPatterns.gpt2.expression);

/** The text in the byte alphabet; each byte takes the offsets of its character. */
export function toByteAlphabet(text: AlignedText): AlignedText {
  const builder = new AlignedTextBuilder(text.length + 16);
  const bytes = new Uint8Array(4);
  for (let at = 0; at < text.length; at++) {
    const count = writeUtf8(text.codes[at], bytes, 0);
    for (let index = 0; index < count; index++) builder.push(byteToCode[bytes[index]], text.starts[at], text.ends[at]);
  }
  return builder.build();
}

export function byteLevel(addPrefixSpace: boolean, useRegex: boolean): PreTokenizer {
  return {
    split(piece) {
      const text = addPrefixSpace && piece.codes[0] !== 32 ? prependTo(piece, SPACE) : piece;
      const pieces = useRegex ? cut(text, gpt2.matches(text.codes), 'Isolated') : [text];
      return pieces.map(toByteAlphabet);
    },
    fast: {
      ...(addPrefixSpace && { prepare: (text: string) => (text === '' || text.startsWith(' ') ? text : ` ${text}`) }),
      splitters: useRegex ? [splitGpt2] : [],
      byteLevel: true,
    },
  };
}
