/**
 * What a caller may ask of sampling, and the check that it makes sense. Every processor is off by default; those that
 * are on run in one fixed order (see `warp.ts`).
 */

import { requireArgument } from '../errors.ts';

/** Processors of a row of logits. An absent field leaves the row alone. */
export interface WarpOptions {
  /** Added to the logits of these tokens; −Infinity forbids a token. */
  readonly logitBias?: ReadonlyMap<number, number>;
  /** Divides positive and multiplies negative logits of every token in the history; > 0, 1 = off. */
  readonly repetitionPenalty?: number;
  /** Subtracted once from every token in the history; 0 = off. */
  readonly presencePenalty?: number;
  /** Subtracted from a token once for each time it is in the history; 0 = off. */
  readonly frequencyPenalty?: number;
  /** Forbids tokens that would complete an n-gram already in the history; ≥ 1, absent = off. */
  readonly noRepeatNgramSize?: number;
  /** Divides the logits; ≥ 0. 0 means greedy: the best token after the penalties. 1 = off. */
  readonly temperature?: number;
  /** Keeps the k best (ties with the k-th too); ≥ 1, absent = off. */
  readonly topK?: number;
  /** Keeps the smallest set of best tokens with at least this probability; (0, 1], 1 = off. */
  readonly topP?: number;
  /** Removes tokens less probable than this fraction of the best one; [0, 1], 0 = off. */
  readonly minP?: number;
  /** Keeps the tokens whose surprise is nearest to the entropy, up to this probability; (0, 1], absent = off. */
  readonly typicalP?: number;
  /** Removes tokens less probable than this; [0, 1), 0 = off. */
  readonly epsilonCutoff?: number;
  /** Removes tokens less probable than min(ε, √ε · exp(−entropy)); [0, 1), 0 = off. */
  readonly etaCutoff?: number;
}

/** How to choose tokens. */
export interface SamplingOptions extends WarpOptions {
  /** Names the random numbers; equal seeds give equal tokens. 0 … 2⁵³ − 1, or a bigint below 2⁶⁴. Default 0. */
  readonly seed?: number | bigint;
  /** Tells sequences that share a seed apart. Default 0. */
  readonly stream?: number;
}

interface Range {
  readonly field: keyof WarpOptions;
  readonly says: string;
  readonly accepts: (value: number) => boolean;
}

const wholeFromOne = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;
const halfOpenShare = (value: number): boolean => value > 0 && value <= 1;
const cutoff = (value: number): boolean => value >= 0 && value < 1;

const RANGES: readonly Range[] = [
  { field: 'repetitionPenalty', says: 'a finite number above 0', accepts: (v) => v > 0 && Number.isFinite(v) },
  { field: 'presencePenalty', says: 'a finite number', accepts: Number.isFinite },
  { field: 'frequencyPenalty', says: 'a finite number', accepts: Number.isFinite },
  { field: 'noRepeatNgramSize', says: 'a whole number from 1', accepts: wholeFromOne },
  { field: 'temperature', says: 'a finite number from 0', accepts: (v) => v >= 0 && Number.isFinite(v) },
  { field: 'topK', says: 'a whole number from 1', accepts: wholeFromOne },
  { field: 'topP', says: 'a number above 0 and at most 1', accepts: halfOpenShare },
  { field: 'minP', says: 'a number from 0 to 1', accepts: (v) => v >= 0 && v <= 1 },
  { field: 'typicalP', says: 'a number above 0 and at most 1', accepts: halfOpenShare },
  { field: 'epsilonCutoff', says: 'a number from 0, below 1', accepts: cutoff },
  { field: 'etaCutoff', says: 'a number from 0, below 1', accepts: cutoff },
];

/**
 * Checks the fields of `options` that concern a row of `vocabSize` logits.
 *
 * @throws GallopError `invalid-argument` naming the first field outside its range
 */
export const checkWarpOptions = (options: WarpOptions, vocabSize: number): void => {
  for (const { field, says, accepts } of RANGES) {
    const value = options[field];
    requireArgument(value === undefined || (typeof value === 'number' && accepts(value)), () => {
      return `Expected ${field} to be ${says}; received ${String(value)}; correct it or leave it out.`;
    });
  }
  for (const [token, bias] of options.logitBias ?? []) {
    requireArgument(Number.isInteger(token) && token >= 0 && token < vocabSize, () => {
      return `Expected the tokens of logitBias to be ids below ${vocabSize}; received ${token}; remove it.`;
    });
    requireArgument(bias < Number.POSITIVE_INFINITY, () => {
      return `Expected the biases of logitBias to be finite numbers or -Infinity; received ${bias} for token ${token}; correct it.`;
    });
  }
};
