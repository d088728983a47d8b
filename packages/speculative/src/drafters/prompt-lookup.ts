/**
 * Prompt lookup (Saxena, apoorvumang/prompt-lookup-decoding): the last few tokens were there before, so what followed
 * them then may follow now. Lossless under any exact verifier.
 *
 * `transformers`: n from min(maximum, length − 1) down to 1; the leftmost earlier match with at least one token behind it;
 * up to the end of the text. `spec-bench`: n from the maximum down; the first match whose whole continuation lies inside
 * the text.
 */

import { requireArgument } from '@gallop/core';
import type { DraftContext, Drafter } from '../loop/drafter.ts';
import { chainTree, type DraftTree } from '../tree/draft-tree.ts';

export interface PromptLookupOptions {
  /** Longest suffix looked up. Default 3. */
  readonly maxNgram?: number;
  /** Tokens proposed at most. Default 10. */
  readonly numPredicted?: number;
  /** Default `transformers`. */
  readonly mode?: 'transformers' | 'spec-bench';
  /** The draft ends before any of these. `transformers` only. Default none. */
  readonly endTokens?: ReadonlySet<number>;
  /** Longest text, the draft included. `transformers` only. Default unlimited. */
  readonly maxLength?: number;
}

/**
 * The tokens that followed an earlier occurrence of the end of `tokens`; empty without one.
 *
 * @throws GallopError `invalid-argument` for counts that are not whole numbers from 1, and in `spec-bench` mode for a text
 *   shorter than `maxNgram`
 */
export const promptLookup = (tokens: Int32Array, options: PromptLookupOptions = {}): Int32Array => {
  const { maxNgram = 3, numPredicted = 10, mode = 'transformers' } = options;
  requireArgument(
    [maxNgram, numPredicted].every((value) => Number.isSafeInteger(value) && value >= 1),
    () => {
      return `Expected maxNgram and numPredicted to be whole numbers from 1; received ${maxNgram} and ${numPredicted}; correct them.`;
    },
  );
  return mode === 'spec-bench'
    ? lookUpWhole(tokens, maxNgram, numPredicted)
    : lookUpAny(tokens, maxNgram, numPredicted, options);
};

const matches = (tokens: Int32Array, start: number, size: number): boolean => {
  const suffix = tokens.length - size;
  for (let i = 0; i < size; i++) if (tokens[start + i] !== tokens[suffix + i]) return false;
  return true;
};

const lookUpAny = (
  tokens: Int32Array,
  maxNgram: number,
  numPredicted: number,
  { endTokens, maxLength = Number.POSITIVE_INFINITY }: PromptLookupOptions,
): Int32Array => {
  const { length } = tokens;
  if (length + 1 === maxLength) return new Int32Array();
  for (let size = Math.min(maxNgram, length - 1); size >= 1; size--) {
    for (let start = 0; start + size < length; start++) {
      const from = start + size;
      const to = Math.min(from + numPredicted, length, maxLength);
      if (from >= to || !matches(tokens, start, size)) continue;
      const found = tokens.subarray(from, to);
      const end = endTokens === undefined ? -1 : found.findIndex((token) => endTokens.has(token));
      return found.slice(0, end < 0 ? found.length : end);
    }
  }
  return new Int32Array();
};

const lookUpWhole = (tokens: Int32Array, maxNgram: number, numPredicted: number): Int32Array => {
  const { length } = tokens;
  requireArgument(maxNgram <= length, () => {
    return `Expected a text of at least maxNgram = ${maxNgram} tokens; received ${length}; lower maxNgram.`;
  });
  for (let size = maxNgram; size >= 1; size--) {
    for (let start = 0; start + size <= length; start++) {
      const from = start + size;
      if (from + numPredicted > length || from >= length - size || !matches(tokens, start, size)) continue;
      return tokens.slice(from, from + numPredicted);
    }
  }
  return new Int32Array();
};

/** A drafter of chains found by prompt lookup. */
export const promptLookupDrafter = (options: PromptLookupOptions = {}): Drafter => {
  const { maxNgram = 3 } = options;
  const propose = ({ tokens, budget }: DraftContext): DraftTree | undefined => {
    if (budget < 1 || (options.mode === 'spec-bench' && tokens.length < maxNgram)) return undefined;
    const draft = promptLookup(tokens, options);
    return draft.length === 0 ? undefined : chainTree(tokens[tokens.length - 1], draft.subarray(0, budget));
  };
  return { name: 'lookup', propose };
};
