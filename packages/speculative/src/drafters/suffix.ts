/**
 * Drafts from the running text by suffix automaton: the longest suffix that was there before, root included, and what
 * followed it. Lossless under any exact verifier.
 */

import { requireArgument } from '@gallop/core';
import type { DraftContext, Drafter } from '../loop/drafter.ts';
import { chainTree, type DraftTree } from '../tree/draft-tree.ts';
import { SuffixAutomaton } from './suffix-automaton.ts';

export interface SuffixOptions {
  /** Tokens proposed at most. Default 10. */
  readonly numPredicted?: number;
  /** Shortest suffix that is trusted. Default 2. */
  readonly minimumMatch?: number;
}

/** An automaton of a text that only grows, or starts anew when it does not. */
export class FollowingAutomaton {
  automaton: SuffixAutomaton = new SuffixAutomaton();

  /** Brings the automaton to `tokens` without the last one. A text that does not continue the last one starts anew. */
  follow(tokens: Int32Array): void {
    const known = this.automaton.tokens;
    const end = tokens.length - 1;
    const continues = known.length <= end && known.every((token, i) => i < known.length - 32 || token === tokens[i]);
    if (!continues) this.automaton = new SuffixAutomaton();
    for (let i = this.automaton.length; i < end; i++) this.automaton.add(tokens[i]);
  }

  reset(): void {
    this.automaton = new SuffixAutomaton();
  }
}

/** A drafter of chains found by suffix automaton. */
export const suffixDrafter = ({ numPredicted = 10, minimumMatch = 2 }: SuffixOptions = {}): Drafter => {
  requireArgument(
    [numPredicted, minimumMatch].every((value) => Number.isSafeInteger(value) && value >= 1),
    () => {
      return `Expected numPredicted and minimumMatch to be whole numbers from 1; received ${numPredicted} and ${minimumMatch}; correct them.`;
    },
  );
  const text = new FollowingAutomaton();
  const propose = ({ tokens, budget }: DraftContext): DraftTree | undefined => {
    text.follow(tokens);
    const { automaton } = text;
    const root = tokens[tokens.length - 1];
    if (budget < 1 || automaton.advance(automaton.match, root).length < minimumMatch) return undefined;
    const { draft } = automaton.draft(root, Math.min(numPredicted, budget) + 1);
    return draft.length === 0 ? undefined : chainTree(root, draft);
  };
  return {
    name: 'suffix',
    propose,
    reset: () => text.reset(),
    bytes: () => text.automaton.bytes(),
  };
};
