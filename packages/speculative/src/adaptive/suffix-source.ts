/**
 * The running text as a source: what followed the longest suffix that was there before, and shorter ones. The class says how
 * long the match is and which share of its occurrences went on like this.
 */

import { FollowingAutomaton } from '../drafters/suffix.ts';
import type { SuffixMatch } from '../drafters/suffix-automaton.ts';
import { type CandidateList, type CandidateSource, MAXIMUM_CANDIDATES } from './candidate-source.ts';

/** Upper bounds of the match lengths of a class. */
const LENGTHS = [1, 2, 3, 5, 8, 15];
/** Lower bounds of the shares of a class. */
const SHARES = [0.9, 0.5, 0.2];
/** Successors read off one state. */
const EDGES = 64;

const lengthClass = (length: number): number => {
  const index = LENGTHS.findIndex((bound) => length <= bound);
  return index < 0 ? LENGTHS.length : index;
};
const shareClass = (share: number): number => {
  const index = SHARES.findIndex((bound) => share >= bound);
  return index < 0 ? SHARES.length : index;
};

const priorOf = (index: number): number => {
  const share = index % (SHARES.length + 1);
  const length = Math.floor(index / (SHARES.length + 1));
  return [0.12, 0.3, 0.45, 0.6, 0.75, 0.85, 0.92][length] * [1, 0.6, 0.3, 0.1][share];
};

export class SuffixSource implements CandidateSource {
  readonly name = 'suffix';
  readonly priors: Float64Array = Float64Array.from({ length: (LENGTHS.length + 1) * (SHARES.length + 1) }, (_, i) =>
    priorOf(i),
  );
  readonly #text = new FollowingAutomaton();
  #matches: SuffixMatch[] = [];

  begin(tokens: Int32Array): void {
    this.#text.follow(tokens);
    const { automaton } = this.#text;
    this.#matches.length = 0;
    this.#matches[0] = automaton.advance(automaton.match, tokens[tokens.length - 1]);
  }

  enter(parent: number, node: number, token: number): void {
    this.#matches[node] = this.#text.automaton.advance(this.#matches[parent], token);
  }

  candidates(node: number, into: CandidateList): void {
    const { automaton } = this.#text;
    into.count = 0;
    let { state, length } = this.#matches[node];
    while (state > 0 && into.count < MAXIMUM_CANDIDATES) {
      const total = automaton.occurrences(state);
      let read = 0;
      for (let edge = automaton.firstEdge(state); edge >= 0 && read < EDGES; edge = automaton.nextEdge(edge), read++) {
        const share = automaton.occurrences(automaton.edgeTarget(edge)) / Math.max(1, total);
        add(into, automaton.edgeToken(edge), lengthClass(length) * (SHARES.length + 1) + shareClass(share));
      }
      state = automaton.link(state);
      length = state > 0 ? automaton.longest(state) : 0;
    }
  }

  reset(): void {
    this.#text.reset();
  }

  bytes(): number {
    return this.#text.automaton.bytes();
  }
}

/** Keeps the first, longest match of a token. */
const add = (into: CandidateList, token: number, index: number): void => {
  for (let i = 0; i < into.count; i++) if (into.tokens[i] === token) return;
  if (into.count === MAXIMUM_CANDIDATES) return;
  into.tokens[into.count] = token;
  into.classes[into.count++] = index;
};
