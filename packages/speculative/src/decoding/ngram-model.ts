/** Counts of n-grams of orders 2 to 6, as superposed decoding interpolates them. */

import { requireArgument } from '@gallop/core';

/** Longest context counted. */
const MAXIMUM_CONTEXT = 5;

interface Row {
  readonly counts: Map<number, number>;
  total: number;
}

/** n-gram counts over documents: every position but a document's first, after each context of 1 to 5 tokens. */
export class NgramModel {
  readonly #rows = new Map<string, Row>();

  constructor(documents: readonly ArrayLike<number>[] = []) {
    for (const text of documents) this.add(text);
  }

  /** Counts a document. */
  add(text: ArrayLike<number>): void {
    for (let i = 1; i < text.length; i++) {
      let context = '';
      for (let length = 1; length <= Math.min(MAXIMUM_CONTEXT, i); length++) {
        context = `${text[i - length]},${context}`;
        const row = this.#rows.get(context) ?? { counts: new Map<number, number>(), total: 0 };
        this.#rows.set(context, row);
        row.counts.set(text[i], (row.counts.get(text[i]) ?? 0) + 1);
        row.total++;
      }
    }
  }

  /** count(context → next) / count(context); −1 for a context that was never seen. */
  probability(context: readonly number[], next: number): number {
    const row = this.#rows.get(context.map((token) => `${token},`).join(''));
    return row === undefined ? -1 : (row.counts.get(next) ?? 0) / row.total;
  }

  /**
   * Σ wᵢ · probability over the contexts of i tokens before `position` that fit and were seen.
   *
   * @param weights of contexts of 1, 2, … tokens
   */
  interpolate(sequence: ArrayLike<number>, position: number, next: number, weights: readonly number[]): number {
    requireArgument(weights.length <= MAXIMUM_CONTEXT, () => {
      return `Expected at most ${MAXIMUM_CONTEXT} weights; received ${weights.length}; leave the longer contexts out.`;
    });
    let sum = 0;
    let context = '';
    for (let length = 1; length <= Math.min(weights.length, position); length++) {
      context = `${sequence[position - length]},${context}`;
      const row = this.#rows.get(context);
      if (row !== undefined) sum += weights[length - 1] * ((row.counts.get(next) ?? 0) / row.total);
    }
    return sum;
  }
}
