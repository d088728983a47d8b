/** Normalizers that look at one character at a time: Lowercase, StripAccents, Nmt, BertNormalizer, ByteLevel. */
import { toByteAlphabet } from '../pre-tokenizers/byte-level.ts';
import { AlignedText, AlignedTextBuilder } from '../text/aligned-text.ts';
import { CONTROL, classOf, MARK, NONSPACING_MARK, SPACE } from '../text/char-classes.ts';
import { codePointsToString, toCodePoints } from '../text/code-points.ts';
import { type Normalizer, sequence } from './normalizer.ts';
import { normalForm } from './unicode-forms.ts';

/** What becomes of a character: itself, nothing (an empty list), or others that take its offsets. */
type CharacterMap = (code: number) => number | readonly number[];

function mapCharacters(map: CharacterMap): Normalizer {
  return {
    normalize(text) {
      const builder = new AlignedTextBuilder(text.length + 16);
      for (let at = 0; at < text.length; at++) {
        const mapped = map(text.codes[at]);
        if (typeof mapped === 'number') builder.push(mapped, text.starts[at], text.ends[at]);
        else for (const code of mapped) builder.push(code, text.starts[at], text.ends[at]);
      }
      return builder.build();
    },
    normalizeString(text) {
      const codes = toCodePoints(text);
      let mapped = new Int32Array(codes.length + 16);
      let count = 0;
      for (const code of codes) {
        const result = map(code);
        const length = typeof result === 'number' ? 1 : result.length;
        if (count + length > mapped.length) mapped = grown(mapped, length);
        if (typeof result === 'number') mapped[count++] = result;
        else for (const one of result) mapped[count++] = one;
      }
      return codePointsToString(mapped, 0, count);
    },
  };
}

function grown(array: Int32Array, more: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2 + more);
  larger.set(array);
  return larger;
}

const NOTHING: readonly number[] = [];

/** Lowercase: character by character, so without the final sigma. */
export const lowercase: Normalizer = {
  normalize: mapCharacters((code) => {
    const lower = String.fromCodePoint(code).toLowerCase();
    return lower.length === 1 ? lower.charCodeAt(0) : [...toCodePoints(lower)];
  }).normalize,
  normalizeString: (text) => text.toWellFormed().replaceAll('Σ', 'σ').toLowerCase(),
};

/** StripAccents: every Mark out. */
export const stripAccents: Normalizer = {
  normalize: mapCharacters((code) => ((classOf(code) & MARK) === 0 ? code : NOTHING)).normalize,
  normalizeString: (text) => text.toWellFormed().replaceAll(/\p{M}/gu, ''),
};

const nmtSpaces = new Set([
  9, 10, 12, 13, 0x1680, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x2581, 0xfeff, 0xfffd,
]);

function isNmtControl(code: number): boolean {
  if (code < 0x20) return (code >= 1 && code <= 8) || code === 0x0b || code >= 0x0e;
  return code === 0x7f || code === 0x8f || code === 0x9f;
}

/** Nmt: control characters out, all kinds of space as a space. */
export const nmt: Normalizer = mapCharacters((code) => {
  if (isNmtControl(code)) return NOTHING;
  return nmtSpaces.has(code) ? 32 : code;
});

/** ByteLevel: every UTF-8 byte as its character of the byte alphabet. */
export const byteAlphabet: Normalizer = {
  normalize: toByteAlphabet,
  normalizeString: (text) => toByteAlphabet(AlignedText.of(text)).toString(),
};

const cleanText = mapCharacters((code) => {
  if (code === 9 || code === 10 || code === 13) return 32;
  if (code >= 32 && code < 127) return code;
  const bits = classOf(code);
  if (code === 0 || code === 0xfffd || (bits & CONTROL) !== 0) return NOTHING;
  return (bits & SPACE) !== 0 ? 32 : code;
});

function isCjk(code: number): boolean {
  return (
    code >= 0x3400 &&
    (code <= 0x4dbf ||
      (code >= 0x4e00 && code <= 0x9fff) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0x20000 && code <= 0x2a6df) ||
      (code >= 0x2a700 && code <= 0x2b81f) ||
      (code >= 0x2b920 && code <= 0x2ceaf) ||
      (code >= 0x2f800 && code <= 0x2fa1f))
  );
}

const spaceAroundCjk = mapCharacters((code) => (isCjk(code) ? [32, code, 32] : code));

const dropNonSpacing = mapCharacters((code) => ((classOf(code) & NONSPACING_MARK) === 0 ? code : NOTHING));

export interface BertNormalizerOptions {
  readonly cleanText: boolean;
  readonly handleChineseChars: boolean;
  /** null: as lowercase says. */
  readonly stripAccents: boolean | null;
  readonly lowercase: boolean;
}

/** BertNormalizer: clean-up, spaces around Chinese characters, accents out, lower case. */
export function bertNormalizer(options: BertNormalizerOptions): Normalizer {
  const steps: Normalizer[] = [];
  if (options.cleanText) steps.push(cleanText);
  if (options.handleChineseChars) steps.push(spaceAroundCjk);
  if (options.stripAccents ?? options.lowercase) steps.push(normalForm('NFD'), dropNonSpacing);
  if (options.lowercase) steps.push(lowercase);
  return withAsciiShortcut(sequence(steps), options);
}

/** Printable ASCII is changed by nothing but lower-casing, and no other step looks at neighbours across it. */
function withAsciiShortcut(normalizer: Normalizer, options: BertNormalizerOptions): Normalizer {
  return {
    normalize: normalizer.normalize,
    normalizeString(text) {
      const normalized = text.replaceAll(/[^ -~]+/g, (run) => normalizer.normalizeString(run));
      return options.lowercase ? normalized.toLowerCase() : normalized;
    },
  };
}
