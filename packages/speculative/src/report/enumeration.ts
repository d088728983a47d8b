/**
 * The arithmetic of an exhaustive losslessness test. A verifier is run on every cell of its sample space; what it emits,
 * weighted with the cell's exact probability and filled up by the target, must be distributed like the target's own text.
 */

import { requireArgument } from '@gallop/core';

/** One cell: what was emitted, with which probability. */
export interface EnumeratedCell {
  readonly emitted: readonly number[];
  readonly weight: number;
}

export interface Enumeration {
  /** Distinct emissions, sorted, with their probabilities. */
  readonly sequences: readonly (readonly number[])[];
  readonly probability: Float64Array;
  /** Distribution of the first `length` tokens, row-major over vocabulary^length. */
  readonly completed: Float64Array;
  /** The same of the target alone. */
  readonly target: Float64Array;
  readonly expectedTokens: number;
}

/**
 * Adds cells up for a first-order target.
 *
 * @param table target distribution after each token [vocabulary][vocabulary]
 * @param root the token before the text
 */
export const enumerateEmissions = (
  cells: readonly EnumeratedCell[],
  table: readonly ArrayLike<number>[],
  root: number,
  length: number,
): Enumeration => {
  const vocabulary = table.length;
  requireArgument(vocabulary ** length <= 2 ** 24, () => {
    return `Expected at most 2^24 outcomes; received ${vocabulary}^${length}; enumerate a smaller case.`;
  });
  const bySequence = new Map<string, { readonly emitted: readonly number[]; weight: number }>();
  const completed = new Float64Array(vocabulary ** length);
  let expectedTokens = 0;
  for (const { emitted, weight } of cells) {
    const known = bySequence.get(emitted.join());
    if (known) known.weight += weight;
    else bySequence.set(emitted.join(), { emitted, weight });
    expectedTokens += weight * emitted.length;
    complete(completed, table, root, emitted.slice(0, length), weight, length);
  }
  const sorted = [...bySequence.values()].sort((a, b) => compareEmissions(a.emitted, b.emitted));
  const target = new Float64Array(completed.length);
  complete(target, table, root, [], 1, length);
  return {
    sequences: sorted.map(({ emitted }) => emitted),
    probability: Float64Array.from(sorted, ({ weight }) => weight),
    completed,
    target,
    expectedTokens,
  };
};

const compareEmissions = (a: readonly number[], b: readonly number[]): number => {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
};

/** Adds the target's completions of a beginning. */
const complete = (
  into: Float64Array,
  table: readonly ArrayLike<number>[],
  root: number,
  beginning: readonly number[],
  weight: number,
  length: number,
): void => {
  const vocabulary = table.length;
  if (beginning.length === length) {
    into[beginning.reduce((index, token) => index * vocabulary + token, 0)] += weight;
    return;
  }
  const row = table[beginning[beginning.length - 1] ?? root];
  for (let token = 0; token < vocabulary; token++) {
    if (row[token] > 0) complete(into, table, root, [...beginning, token], weight * row[token], length);
  }
};
