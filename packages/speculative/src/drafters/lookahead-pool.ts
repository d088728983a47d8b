/**
 * The n-gram pool of lookahead decoding (Fu et al., 2402.02057): for each token, up to `guessSetSize` continuations of
 * length N − 1 that were seen after it, the newest last.
 */

import { requireArgument } from '@gallop/core';

export interface LookaheadShape {
  /** N: n-grams have this many tokens. Default 5. */
  readonly level?: number;
  /** W: columns of the window. Default 7. */
  readonly window?: number;
  /** G: n-grams kept for a token and verified a step. Default 7. */
  readonly guessSetSize?: number;
}

/** @throws GallopError `invalid-argument` for N below 3, W or G below 1 (G may be 0 where nothing is verified) */
export const checkLookaheadShape = ({ level = 5, window = 7, guessSetSize = 7 }: LookaheadShape): void => {
  requireArgument(Number.isSafeInteger(level) && level >= 3, () => {
    return `Expected n-grams of at least 3 tokens; received level ${level}; raise it.`;
  });
  requireArgument(
    [window, guessSetSize].every((value) => Number.isSafeInteger(value) && value >= 1),
    () => {
      return `Expected window and guessSetSize to be whole numbers from 1; received ${window} and ${guessSetSize}; correct them.`;
    },
  );
};

export class NgramPool {
  readonly #size: number;
  readonly #guesses: number;
  readonly #rows = new Map<number, number[][]>();

  /** @throws GallopError `invalid-argument` as `checkLookaheadShape` */
  constructor({ level = 5, guessSetSize = 7 }: Pick<LookaheadShape, 'level' | 'guessSetSize'> = {}) {
    checkLookaheadShape({ level, guessSetSize });
    this.#size = level - 1;
    this.#guesses = guessSetSize;
  }

  /** Tokens with n-grams, ascending. */
  get keys(): readonly number[] {
    return [...this.#rows.keys()].sort((a, b) => a - b);
  }

  /** Continuations of a token, oldest first. */
  get(token: number): readonly (readonly number[])[] {
    return this.#rows.get(token) ?? [];
  }

  /** Notes a continuation: a known one becomes the newest; a full row drops its oldest. */
  insert(token: number, continuation: readonly number[]): void {
    const row = this.#rows.get(token) ?? [];
    this.#rows.set(token, row);
    const known = row.findIndex((other) => other.every((value, i) => value === continuation[i]));
    if (known >= 0) row.splice(known, 1);
    else if (row.length === this.#guesses) row.shift();
    row.push([...continuation]);
  }

  /** Notes every window of N tokens, left to right. */
  fill(tokens: ArrayLike<number>): void {
    const all = Array.from(tokens);
    for (let i = 0; i + this.#size < all.length; i++) this.insert(all[i], all.slice(i + 1, i + 1 + this.#size));
  }

  /**
   * Notes what a step found: column c is (levels 1 … N − 2, new token) after its predecessor on level 0, column 0 after
   * the last token.
   *
   * @param level0 [W − 1]
   * @param levels [N − 2][W]
   * @param newTokens [W]
   */
  insertColumns(
    lastToken: number,
    level0: ArrayLike<number>,
    levels: readonly ArrayLike<number>[],
    newTokens: ArrayLike<number>,
  ): void {
    for (let column = 0; column < newTokens.length; column++) {
      const before = column === 0 ? lastToken : level0[column - 1];
      this.insert(before, [...levels.map((level) => level[column]), newTokens[column]]);
    }
  }

  clear(): void {
    this.#rows.clear();
  }

  /** Bytes of the n-grams. */
  bytes(): number {
    let count = 0;
    for (const row of this.#rows.values()) count += row.length * this.#size + 1;
    return count * 4;
  }
}
