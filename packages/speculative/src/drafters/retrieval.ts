/**
 * REST (He et al., 2311.08252): continuations of the longest suffix of the text that occurs in a corpus, merged into a
 * trie of the most frequent prefixes. The corpus lies in a suffix array. Lossless under any exact verifier.
 */

import { requireArgument } from '@gallop/core';
import type { DraftContext, Drafter } from '../loop/drafter.ts';
import type { DraftTree } from '../tree/draft-tree.ts';
import { buildTrie, orderByScore, type Trie } from '../tree/trie.ts';

export interface RetrievalOptions {
  /** Longest suffix looked up. Default 16. */
  readonly maximumSuffix?: number;
  /** Shortest suffix looked up. Default 2. */
  readonly minimumSuffix?: number;
  /** Occurrences read at most, in the order of the corpus. Default 5000. */
  readonly maximumOccurrences?: number;
  /** Tokens read after an occurrence. Default 10. */
  readonly continuationLength?: number;
  /** Prefixes kept. Default 64. */
  readonly choices?: number;
}

/** What a look-up found. */
export interface Retrieval {
  /** Tokens of the suffix that occurs; 0 when none does. */
  readonly suffixLength: number;
  /** Where it starts in the corpus, ascending. */
  readonly occurrences: Int32Array;
  /** Most frequent prefixes of the continuations: by count, then length, then tokens. */
  readonly prefixes: readonly { readonly tokens: readonly number[]; readonly count: number }[];
}

/** A corpus of tokens with an index of all its suffixes; immutable. */
export class TokenCorpus {
  readonly tokens: Int32Array;
  readonly #suffixes: Int32Array;

  constructor(tokens: Int32Array) {
    this.tokens = tokens;
    this.#suffixes = suffixArray(tokens);
  }

  /** Start positions of a sequence, ascending. */
  find(sequence: ArrayLike<number>): Int32Array {
    const first = this.#bound(sequence, false);
    return this.#suffixes.slice(first, this.#bound(sequence, true)).sort();
  }

  bytes(): number {
    return this.tokens.byteLength + this.#suffixes.byteLength;
  }

  /** First suffix whose beginning is ≥ (or, `after`, >) the sequence. */
  #bound(sequence: ArrayLike<number>, after: boolean): number {
    let low = 0;
    let high = this.#suffixes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = this.#compare(this.#suffixes[middle], sequence);
      if (order < 0 || (after && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compare(start: number, sequence: ArrayLike<number>): number {
    for (let i = 0; i < sequence.length; i++) {
      if (start + i >= this.tokens.length) return -1;
      const difference = this.tokens[start + i] - sequence[i];
      if (difference !== 0) return difference;
    }
    return 0;
  }
}

/** Suffixes in order, by prefix doubling with counting sorts: O(n log n) passes, no comparisons of long texts. */
const suffixArray = (tokens: Int32Array): Int32Array => {
  const size = tokens.length;
  const order = Int32Array.from({ length: size }, (_, i) => i).sort((a, b) => tokens[a] - tokens[b] || a - b);
  let rank = new Int32Array(size);
  for (let i = 1; i < size; i++) {
    rank[order[i]] = rank[order[i - 1]] + (tokens[order[i]] === tokens[order[i - 1]] ? 0 : 1);
  }
  for (let step = 1; step < size && rank[order[size - 1]] < size - 1; step *= 2) {
    rank = sortByPairs(order, rank, step);
  }
  return order;
};

const sortByPairs = (order: Int32Array, rank: Int32Array, step: number): Int32Array<ArrayBuffer> => {
  const size = order.length;
  const second = (i: number): number => (i + step < size ? rank[i + step] : -1);
  // By second key: suffixes without one first, then those whose second half is in order already.
  const bySecond = new Int32Array(size);
  let place = 0;
  for (let i = size - step; i < size; i++) bySecond[place++] = i;
  for (let i = 0; i < size; i++) if (order[i] >= step) bySecond[place++] = order[i] - step;
  const starts = new Int32Array(size + 1);
  for (let i = 0; i < size; i++) starts[rank[i] + 1]++;
  for (let i = 0; i < size; i++) starts[i + 1] += starts[i];
  for (let i = 0; i < size; i++) order[starts[rank[bySecond[i]]]++] = bySecond[i];
  const next = new Int32Array(size);
  for (let i = 1; i < size; i++) {
    const [a, b] = [order[i - 1], order[i]];
    next[b] = next[a] + (rank[a] === rank[b] && second(a) === second(b) ? 0 : 1);
  }
  return next;
};

const byFrequency = (trie: Trie): number[] => orderByScore(trie, trie.counts);

/**
 * Looks up the end of `context` in a corpus.
 *
 * @throws GallopError `invalid-argument` for counts that are not whole numbers from 1
 */
export const retrieve = (corpus: TokenCorpus, context: Int32Array, options: RetrievalOptions = {}): Retrieval => {
  const { maximumSuffix = 16, minimumSuffix = 2, maximumOccurrences = 5000 } = options;
  const { continuationLength = 10, choices = 64 } = options;
  const counts = { maximumSuffix, minimumSuffix, maximumOccurrences, continuationLength, choices };
  for (const [name, value] of Object.entries(counts)) {
    requireArgument(Number.isSafeInteger(value) && value >= 1, () => {
      return `Expected ${name} to be a whole number from 1; received ${value}; correct it.`;
    });
  }
  for (let size = Math.min(maximumSuffix, context.length); size >= minimumSuffix; size--) {
    const occurrences = corpus.find(context.subarray(context.length - size)).slice(0, maximumOccurrences);
    if (occurrences.length === 0) continue;
    const continuations = Array.from(occurrences, (start) =>
      corpus.tokens.subarray(start + size, start + size + continuationLength),
    );
    const trie = buildTrie(-1, continuations);
    const prefixes = byFrequency(trie)
      .slice(0, choices)
      .map((row) => ({ tokens: tokensTo(trie, row), count: trie.counts[row] }));
    return { suffixLength: size, occurrences, prefixes };
  }
  return { suffixLength: 0, occurrences: new Int32Array(), prefixes: [] };
};

const tokensTo = ({ tokens, parent }: Trie, row: number): number[] => {
  const path: number[] = [];
  for (let node = row; node > 0; node = parent[node]) path.push(tokens[node]);
  return path.reverse();
};

/** A drafter of trees found in a corpus of tokens of the same vocabulary. */
export const retrievalDrafter = (corpus: TokenCorpus, options: RetrievalOptions = {}): Drafter => {
  const propose = ({ tokens, budget }: DraftContext): DraftTree | undefined => {
    const choices = Math.min(options.choices ?? 64, budget);
    if (choices < 1) return undefined;
    const { prefixes } = retrieve(corpus, tokens, { ...options, choices });
    if (prefixes.length === 0) return undefined;
    // Every beginning of a kept prefix is at least as frequent and shorter, so it is kept too.
    const trie = buildTrie(
      tokens[tokens.length - 1],
      prefixes.map((prefix) => prefix.tokens),
    );
    return { tokens: trie.tokens, parent: trie.parent };
  };
  return { name: 'retrieval', propose, bytes: () => corpus.bytes() };
};
