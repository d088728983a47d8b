/**
 * The contract of normalizers. Each says the same thing twice: `normalize` carries the offsets along, `normalizeString` is
 * the quick way for callers that want token ids only. A property test holds the two together.
 */
import type { AlignedText } from '../text/aligned-text.ts';

/** Rewrites text before it is cut into pieces. */
export interface Normalizer {
  normalize(text: AlignedText): AlignedText;
  normalizeString(text: string): string;
}

/** Normalizers one after the other. */
export function sequence(normalizers: readonly Normalizer[]): Normalizer {
  return {
    normalize: (text) => normalizers.reduce((value, normalizer) => normalizer.normalize(value), text),
    normalizeString: (text) => normalizers.reduce((value, normalizer) => normalizer.normalizeString(value), text),
  };
}
