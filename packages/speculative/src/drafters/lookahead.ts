/**
 * Lookahead decoding (Fu et al., 2402.02057): a window of Jacobi trajectories runs beside the text; its diagonals become
 * n-grams, and n-grams that begin with the last token are verified. All in one tree: level 0 hangs as a chain under the
 * root, each further level under the one above it, the guesses under the root again.
 *
 *   rows: root, W − 1 tokens of level 0, N − 2 levels of W tokens (all auxiliary), then guesses of N − 1 tokens
 */

import type { DraftContext, Drafter, DraftObservation } from '../loop/drafter.ts';
import type { DraftTree } from '../tree/draft-tree.ts';
import { buildTrie } from '../tree/trie.ts';
import { checkLookaheadShape, type LookaheadShape, NgramPool } from './lookahead-pool.ts';

/** Parents of the rows of one step; level ℓ of column c lies under level ℓ − 1 of column c. */
export const lookaheadParents = (
  level: number,
  window: number,
  guesses: number,
  levels: number = level - 1,
): Int32Array => {
  const parents = [-1];
  for (let column = 1; column < window; column++) parents.push(column - 1);
  for (let depth = 1; depth < levels; depth++) {
    for (let column = 0; column < window; column++) {
      parents.push(depth === 1 ? column : window + (depth - 2) * window + column);
    }
  }
  for (let guess = 0; guess < guesses; guess++) {
    for (let i = 0; i < level - 1; i++) parents.push(i === 0 ? 0 : parents.length - 1);
  }
  return Int32Array.from(parents);
};

export interface LookaheadOptions extends LookaheadShape {
  /** Fill the pool with the n-grams of the prompt first. Default true. */
  readonly poolFromPrompt?: boolean;
}

/** A drafter by lookahead decoding. It needs a budget of W + (N − 2) · W + G · (N − 1) rows for whole steps. */
export const lookaheadDrafter = (options: LookaheadOptions = {}): Drafter => {
  checkLookaheadShape(options);
  return new LookaheadDrafter(options);
};

class LookaheadDrafter implements Drafter {
  readonly name = 'lookahead';
  readonly topK = 1;
  readonly #level: number;
  readonly #window: number;
  readonly #poolFromPrompt: boolean;
  readonly #pool: NgramPool;
  /** Levels of the window: level 0 has W − 1 tokens (more while it fills), each other one more than level 0. */
  #levels: number[][] = [];
  #seen = 0;
  #windowRows = 0;

  constructor({ level = 5, window = 7, guessSetSize = 7, poolFromPrompt = true }: LookaheadOptions) {
    this.#level = level;
    this.#window = window;
    this.#poolFromPrompt = poolFromPrompt;
    this.#pool = new NgramPool({ level, guessSetSize });
  }

  propose({ tokens, budget, uniform }: DraftContext): DraftTree | undefined {
    this.#windowRows = 0;
    if (this.#levels.length === 0 || tokens.length < this.#seen) this.#begin(tokens, uniform);
    this.#seen = tokens.length;
    const root = tokens[tokens.length - 1];
    const columns = this.#levels[0].length + 1;
    const windowTokens = this.#levels.flat();
    if (windowTokens.length > budget) return undefined;
    this.#windowRows = windowTokens.length + 1;
    const warm = this.#levels.length === this.#level - 1;
    const newestFirst = warm ? [...this.#pool.get(root)].reverse() : [];
    // N-grams that begin alike share rows.
    const guesses = buildTrie(root, newestFirst, undefined, budget - windowTokens.length);
    const window = lookaheadParents(this.#level, columns, 0, this.#levels.length);
    const shift = this.#windowRows - 1;
    const guessParents = guesses.parent.subarray(1).map((parent) => (parent === 0 ? 0 : parent + shift));
    const parent = Int32Array.of(...window, ...guessParents);
    return {
      tokens: Int32Array.of(root, ...windowTokens, ...guesses.tokens.subarray(1)),
      parent,
      auxiliary: Uint8Array.from(parent, (_, row) => (row > 0 && row < this.#windowRows ? 1 : 0)),
    };
  }

  observe({ tree, topTokens, topK }: DraftObservation): void {
    if (this.#windowRows === 0 || tree.tokens.length < this.#windowRows) return;
    const columns = this.#levels[0].length + 1;
    const first = this.#windowRows - columns; // of the last level; level 0 is the root and its chain
    const found = Array.from({ length: columns }, (_, column) => topTokens[(first + column) * topK]);
    this.#windowRows = 0;
    if (this.#levels.length < this.#level - 1) {
      // Filling the window: the text moved on by a column.
      this.#levels = [...this.#levels.map((level) => level.slice(1)), found.slice(1)];
      return;
    }
    const [level0, ...levels] = this.#levels;
    this.#pool.insertColumns(tree.tokens[0], level0, levels, found);
    this.#levels = [levels[0].slice(1), ...levels.slice(1), found];
  }

  reset(scope: 'request' | 'all'): void {
    this.#levels = [];
    this.#seen = 0;
    if (scope === 'all') this.#pool.clear();
  }

  bytes(): number {
    return this.#pool.bytes() + this.#levels.reduce((sum, level) => sum + level.length * 4, 0);
  }

  /** Level 0 starts as random tokens of the prompt. */
  #begin(tokens: Int32Array, uniform: (index: number) => number): void {
    if (this.#poolFromPrompt) this.#pool.fill(tokens);
    this.#levels = [
      Array.from({ length: this.#window + this.#level - 3 }, (_, i) => tokens[Math.floor(uniform(i) * tokens.length)]),
    ];
  }
}
