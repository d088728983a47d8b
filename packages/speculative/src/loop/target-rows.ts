/**
 * The target's answer to one pass, row by row: best tokens, warped distributions, chosen tokens. Greedy choice reads back
 * a few ids a row; everything else needs whole rows of logits.
 */

import {
  chooseByUniform,
  chooseGreedy,
  type ForwardResult,
  GallopError,
  keepsBestToken,
  type SamplingOptions,
  softmax,
  warpLogits,
} from '@gallop/core';
import type { DraftObservation } from './drafter.ts';
import type { TokenText } from './token-text.ts';

/** True when each row's best token is all that is asked of the target. */
export const needsBestTokenOnly = (sampling: SamplingOptions): boolean =>
  sampling.temperature === 0 && keepsBestToken(sampling);

export class TargetRows {
  readonly #text: TokenText;
  readonly #sampling: SamplingOptions;
  readonly #row: Float32Array;
  #result: ForwardResult = {};
  #topK = 1;

  constructor(text: TokenText, sampling: SamplingOptions, vocabSize: number) {
    this.#text = text;
    this.#sampling = sampling;
    this.#row = new Float32Array(vocabSize);
  }

  /**
   * Takes the result of a pass that asked for `rows` rows: for the `topK` best tokens of each or, at 0, for whole rows.
   *
   * @throws GallopError `invalid-state` when the model returned something else
   */
  take(result: ForwardResult, rows: number, topK: number): void {
    const [received, expected] =
      topK > 0 ? [result.topTokens?.length, rows * topK] : [result.logits?.length, rows * this.#row.length];
    if (received !== expected) {
      throw new GallopError(
        'invalid-state',
        `Expected ${expected} numbers for the ${rows} rows that forward() was asked for; received ${received ?? 'none'}; the model breaks its contract.`,
      );
    }
    this.#result = result;
    this.#topK = topK;
  }

  /** Whole logits of the k-th wanted row, as the model gave them: a view. */
  logits(index: number): Float32Array {
    const size = this.#row.length;
    return this.#result.logits!.subarray(index * size, (index + 1) * size);
  }

  /** The token that plain decoding chooses after the text plus `path`. */
  choose(index: number, path: readonly number[], uniform: (position: number) => number): number {
    if (this.#topK > 0) return this.#result.topTokens![index * this.#topK];
    const position = this.#text.length + path.length;
    const row = this.#warped(index, path);
    return this.#sampling.temperature === 0 ? chooseGreedy(row) : chooseByUniform(row, uniform(position));
  }

  /** The warped distribution after the text plus `path`. [vocabSize] */
  distribution(index: number, path: readonly number[]): Float64Array {
    return softmax(this.#warped(index, path));
  }

  /** The k best tokens of the first `rows` rows, and their logits. [rows × k] */
  bestTokens(rows: number, k: number): Pick<DraftObservation, 'topTokens' | 'topLogits' | 'topK'> {
    if (k === 0) return { topTokens: new Int32Array(), topK: 0 };
    if (this.#topK > 0) {
      const { topTokens, topLogits } = this.#result;
      return { topTokens: topTokens!, topK: this.#topK, ...(topLogits && { topLogits }) };
    }
    const topTokens = new Int32Array(rows * k);
    const topLogits = new Float32Array(rows * k);
    for (let row = 0; row < rows; row++) {
      const logits = this.logits(row);
      selectBest(logits, k, topTokens, row * k);
      for (let i = row * k; i < (row + 1) * k; i++) topLogits[i] = logits[topTokens[i]];
    }
    return { topTokens, topLogits, topK: k };
  }

  #warped(index: number, path: readonly number[]): Float32Array {
    this.#row.set(this.logits(index));
    warpLogits(this.#row, this.#text.with(path), this.#sampling);
    return this.#row;
  }
}

/** Writes the ids of the k largest values, best first, lower ids first among equals. */
export const selectBest = (values: Float32Array, k: number, into: Int32Array, from: number): void => {
  let count = 0;
  let least = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < values.length; id++) {
    const value = values[id];
    if (count === k && !(value > least)) continue;
    let place = count < k ? count++ : k - 1;
    while (place > 0 && value > values[into[from + place - 1]]) {
      into[from + place] = into[from + place - 1];
      place--;
    }
    into[from + place] = id;
    if (count === k) least = values[into[from + k - 1]];
  }
};
