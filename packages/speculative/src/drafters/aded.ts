/**
 * ADED (Liu et al., 2407.12021): a tri-gram table that learns from the running text, searched anew at every step.
 * Lossless under any exact verifier (the published sampling rule is not one and is left out).
 */

import { requireArgument } from '@gallop/core';
import type { DraftContext, Drafter } from '../loop/drafter.ts';
import type { DraftTree } from '../tree/draft-tree.ts';
import { buildTrie } from '../tree/trie.ts';
import { type SearchOptions, searchTrigrams } from './trigram-search.ts';
import type { BumpOptions, TrigramTable } from './trigram-table.ts';

/** Nodes of a draft at most, the root not counted. */
const MAXIMUM_NODES = 64;

/**
 * Drops paths until their distinct tokens, summed, are at most `choices`.
 *
 * @param mode `paper`: the path with most distinct tokens goes first, the earlier of equals; `visits`: the last path goes
 */
export const cutPaths = <Path extends ArrayLike<number>>(
  paths: readonly Path[],
  choices: number,
  mode: 'paper' | 'visits' = 'paper',
): Path[] => {
  const counts = paths.map((path) => new Set(Array.from(path)).size);
  let sum = counts.reduce((total, count) => total + count, 0);
  const order = [...paths.keys()];
  if (mode === 'paper') order.sort((a, b) => counts[b] - counts[a] || a - b);
  else order.reverse();
  const dropped = new Set<number>();
  for (const index of order) {
    if (sum <= choices) break;
    sum -= counts[index];
    dropped.add(index);
  }
  return paths.filter((_, index) => !dropped.has(index));
};

/** The trie of the paths, breadth first, at most 64 nodes besides the root. */
export const draftTrie = (root: number, paths: readonly ArrayLike<number>[]): DraftTree => {
  const { tokens, parent } = buildTrie(root, paths, undefined, MAXIMUM_NODES);
  return { tokens, parent };
};

export interface AdedOptions extends BumpOptions, SearchOptions {
  /** May be empty: it then learns from the running text only. */
  readonly table: TrigramTable;
  /** Bound of `cutPaths`. Default 64. */
  readonly choices?: number;
  /** Default `paper`. */
  readonly cut?: 'paper' | 'visits';
}

/** One step: bumps the end of the text, searches, cuts, merges. Undefined when the last two tokens have no successor. */
export const proposeByTrigrams = (
  text: ArrayLike<number>,
  uniform: () => number,
  options: AdedOptions,
): DraftTree | undefined => {
  const { table, choices = 64, cut = 'paper' } = options;
  table.bump(text, options);
  const root = text[text.length - 1];
  const before = text[text.length - 2];
  if (text.length < 2 || table.row(before, root) === undefined) return undefined;
  const { drafts } = searchTrigrams(table, [before, root], uniform, options);
  return draftTrie(root, cutPaths(drafts, choices, cut));
};

/** A drafter by ADED. Draws of the search come from the step's own draws, so that drafts can be repeated. */
export const adedDrafter = (options: AdedOptions): Drafter => {
  const { choices = 64, iterations = 150 } = options;
  requireArgument(
    [choices, iterations].every((value) => Number.isSafeInteger(value) && value >= 1),
    () => {
      return `Expected choices and iterations to be whole numbers from 1; received ${choices} and ${iterations}; correct them.`;
    },
  );
  const propose = ({ tokens, budget, uniform }: DraftContext): DraftTree | undefined => {
    let draws = 0;
    const tree = proposeByTrigrams(tokens, () => uniform(draws++), options);
    if (tree === undefined || tree.tokens.length - 1 <= budget) return tree;
    // Rows are breadth first: the first ones form a tree.
    return { tokens: tree.tokens.slice(0, budget + 1), parent: tree.parent.slice(0, budget + 1) };
  };
  return {
    name: 'aded',
    propose,
    reset: (scope) => {
      if (scope === 'all') options.table.clear();
    },
    bytes: () => options.table.bytes(),
  };
};
