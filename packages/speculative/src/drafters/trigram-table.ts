/**
 * ADED's memory (Liu et al., 2407.12021): weights of tri-grams, (a, b) → c. A corpus gives probabilities; the running text
 * bumps what it contains. Rows are not distributions once they were bumped. The number of rows is bounded: the one that
 * was touched longest ago gives way.
 */

import { requireArgument } from '@gallop/core';

/** Ids must be below this: two of them form one exact number. */
const ID_LIMIT = 2 ** 26;

export interface BumpOptions {
  /** Tokens at the end of the text whose tri-grams are bumped. Default 16. */
  readonly window?: number;
  /** Default 0.04. */
  readonly increment?: number;
  /** Default 3. */
  readonly cap?: number;
}

/** Successors of a pair of tokens, by weight descending, then id. */
export interface TrigramRow {
  readonly tokens: readonly number[];
  /** f32 values. */
  readonly weights: readonly number[];
}

interface MutableRow {
  tokens: number[];
  weights: number[];
}

/** Tri-gram weights. */
export class TrigramTable {
  readonly #rows = new Map<number, MutableRow>();
  readonly #maximumRows: number;

  /** @param maximumRows rows kept; default 2¹⁶ */
  constructor(maximumRows: number = 2 ** 16) {
    requireArgument(Number.isSafeInteger(maximumRows) && maximumRows >= 1, () => {
      return `Expected maximumRows to be a whole number from 1; received ${maximumRows}; correct it.`;
    });
    this.#maximumRows = maximumRows;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The row of a pair, or undefined. */
  row(a: number, b: number): TrigramRow | undefined {
    return this.#rows.get(a * ID_LIMIT + b);
  }

  /** The weight of a tri-gram; 0 when it is unknown. */
  weight(a: number, b: number, c: number): number {
    const row = this.row(a, b);
    const at = row?.tokens.indexOf(c) ?? -1;
    return at < 0 ? 0 : row!.weights[at];
  }

  /** Sets a weight, rounded to f32. */
  set(a: number, b: number, c: number, weight: number): void {
    requireArgument(
      [a, b, c].every((id) => Number.isInteger(id) && id >= 0 && id < ID_LIMIT),
      () => {
        return `Expected ids from 0 to 2^26 - 1; received ${a}, ${b} and ${c}; use a model with a smaller vocabulary.`;
      },
    );
    const key = a * ID_LIMIT + b;
    const row = this.#rows.get(key) ?? { tokens: [], weights: [] };
    // Moving the row to the end of the map makes the first one the least recently touched.
    this.#rows.delete(key);
    this.#rows.set(key, row);
    place(row, c, Math.fround(weight));
    if (this.#rows.size > this.#maximumRows) this.#rows.delete(this.#rows.keys().next().value!);
  }

  /** Raises the tri-grams at the end of a text: w ← min(w + increment, cap), in f32. */
  bump(text: ArrayLike<number>, { window = 16, increment = 0.04, cap = 3 }: BumpOptions = {}): void {
    for (let i = Math.max(0, text.length - window); i + 2 < text.length; i++) {
      const raised = Math.fround(this.weight(text[i], text[i + 1], text[i + 2]) + Math.fround(increment));
      this.set(text[i], text[i + 1], text[i + 2], Math.min(raised, Math.fround(cap)));
    }
  }

  /** All tri-grams as (a, b, c, weight), sorted by a, b, c. */
  entries(): [a: number, b: number, c: number, weight: number][] {
    const result: [number, number, number, number][] = [];
    for (const [key, { tokens, weights }] of this.#rows) {
      const a = Math.floor(key / ID_LIMIT);
      tokens.forEach((c, i) => {
        result.push([a, key % ID_LIMIT, c, weights[i]]);
      });
    }
    return result.sort((x, y) => x[0] - y[0] || x[1] - y[1] || x[2] - y[2]);
  }

  clear(): void {
    this.#rows.clear();
  }

  /** Bytes of keys, ids and weights. */
  bytes(): number {
    let bytes = 0;
    for (const { tokens } of this.#rows.values()) bytes += 8 + 8 * tokens.length;
    return bytes;
  }
}

/** Puts a successor where its weight belongs. */
const place = ({ tokens, weights }: MutableRow, token: number, weight: number): void => {
  const known = tokens.indexOf(token);
  if (known >= 0) {
    tokens.splice(known, 1);
    weights.splice(known, 1);
  }
  let at = 0;
  while (at < tokens.length && (weights[at] > weight || (weights[at] === weight && tokens[at] < token))) at++;
  tokens.splice(at, 0, token);
  weights.splice(at, 0, weight);
};

/**
 * Counts the tri-grams of documents: row probabilities, of which the most probable successors are kept as they are.
 *
 * @param keptSuccessors default 12
 */
export const buildTrigramTable = (
  documents: readonly ArrayLike<number>[],
  keptSuccessors: number = 12,
  maximumRows?: number,
): TrigramTable => {
  const counts = new Map<number, Map<number, number>>();
  for (const text of documents) {
    for (let i = 0; i + 2 < text.length; i++) {
      const key = text[i] * ID_LIMIT + text[i + 1];
      const row = counts.get(key) ?? new Map<number, number>();
      counts.set(key, row.set(text[i + 2], (row.get(text[i + 2]) ?? 0) + 1));
    }
  }
  const table = new TrigramTable(maximumRows);
  for (const [key, row] of counts) {
    const total = [...row.values()].reduce((sum, count) => sum + count, 0);
    const best = [...row].sort((x, y) => y[1] - x[1] || x[0] - y[0]).slice(0, keptSuccessors);
    for (const [c, count] of best) table.set(Math.floor(key / ID_LIMIT), key % ID_LIMIT, c, count / total);
  }
  return table;
};
