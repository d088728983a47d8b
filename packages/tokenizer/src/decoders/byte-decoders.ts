/** Decoders that put bytes back together: ByteLevel (the byte alphabet) and ByteFallback (tokens like <0xE4>). */
import { codeToByte } from '../text/byte-alphabet.ts';
import { writeStringUtf8 } from '../text/code-points.ts';
import type { Decoder } from './decoder.ts';

const lossy = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Writes the bytes of a token and returns the place after them; a character outside the alphabet makes it plain text. */
function writeToken(token: string, bytes: Uint8Array, at: number): number {
  const start = at;
  for (let index = 0; index < token.length; index++) {
    const byte = codeToByte[token.charCodeAt(index)] ?? -1;
    if (byte < 0) return writeStringUtf8(token, bytes, start);
    bytes[at++] = byte;
  }
  return at;
}

/** ByteLevel: the bytes of all tokens as one text; each maximal invalid part becomes U+FFFD. */
export const byteLevelDecoder: Decoder = {
  decode(tokens) {
    let units = 0;
    for (const token of tokens) units += token.length;
    const bytes = new Uint8Array(units * 3);
    let at = 0;
    for (const token of tokens) at = writeToken(token, bytes, at);
    return [lossy.decode(bytes.subarray(0, at))];
  },
  fuses: true,
};

function byteOf(token: string): number {
  return token.length === 6 && /^<0x[0-9A-Fa-f]{2}>$/.test(token) ? Number.parseInt(token.slice(3, 5), 16) : -1;
}

function decodeRun(run: readonly number[]): string[] {
  try {
    return [strict.decode(Uint8Array.from(run))];
  } catch {
    return run.map(() => '\ufffd');
  }
}

/** ByteFallback: a run of byte tokens as text, or, if it is no valid UTF-8 as a whole, one U+FFFD for each byte. */
export const byteFallbackDecoder: Decoder = {
  decode(tokens) {
    const out: string[] = [];
    let run: number[] = [];
    const flush = (): void => {
      if (run.length > 0) for (const text of decodeRun(run)) out.push(text);
      run = [];
    };
    for (const token of tokens) {
      const byte = byteOf(token);
      if (byte >= 0) run.push(byte);
      else {
        flush();
        out.push(token);
      }
    }
    flush();
    return out;
  },
  fuses: false,
};
