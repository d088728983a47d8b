/**
 * Token Recycling as a source: successors that the target last saw after this token, or after this pair of tokens. The class
 * says rank and margin: how far behind the best one a successor was.
 */

import type { DraftObservation } from '../loop/drafter.ts';
import type { CandidateList, CandidateSource } from './candidate-source.ts';
import { pairKey, type SuccessorTable } from './successor-table.ts';

/** Bounds of the margin classes in nats. */
const MARGINS = [0.35, 1, 2, 4];
/** Ranks 0, 1, 2, 3–4, 5 and above. */
const rankClass = (rank: number): number => (rank < 3 ? rank : rank < 5 ? 3 : 4);
const RANK_CLASSES = 5;

const marginClass = (margin: number): number => {
  let index = 0;
  while (index < MARGINS.length && margin >= MARGINS[index]) index++;
  return index;
};

/** Rank 0 is judged by its lead over rank 1. */
const classOf = (table: SuccessorTable, row: number, rank: number): number => {
  const margin = table.margin(row, rank === 0 && table.topK > 1 ? 1 : rank);
  return rankClass(rank) * (MARGINS.length + 1) + marginClass(margin);
};

/** Cold guesses: the better the rank and the clearer the lead, the likelier. */
const priorOf = (index: number): number => {
  const margin = index % (MARGINS.length + 1);
  const rank = Math.floor(index / (MARGINS.length + 1));
  if (rank === 0) return [0.22, 0.28, 0.36, 0.5, 0.7][margin];
  return [0.14, 0.09, 0.05, 0.02, 0.005][margin] / rank;
};

export class RecyclingSource implements CandidateSource {
  readonly name: string;
  readonly priors: Float64Array = Float64Array.from({ length: RANK_CLASSES * (MARGINS.length + 1) }, (_, i) =>
    priorOf(i),
  );
  readonly topK: number;
  readonly #table: SuccessorTable;
  readonly #pairs: boolean;
  #tokens: Int32Array = new Int32Array();
  #keys: Int32Array = new Int32Array();
  #before = -1;

  /** @param pairs whether a context is the last two tokens instead of one */
  constructor(table: SuccessorTable, pairs: boolean) {
    this.name = pairs ? 'pairs' : 'recycling';
    this.topK = table.topK;
    this.#table = table;
    this.#pairs = pairs;
  }

  begin(tokens: Int32Array, nodes: number): void {
    if (this.#tokens.length <= nodes) {
      this.#tokens = new Int32Array(nodes + 1);
      this.#keys = new Int32Array(nodes + 1);
    }
    this.#before = tokens.length > 1 ? tokens[tokens.length - 2] : -1;
    this.#tokens[0] = tokens[tokens.length - 1];
    this.#keys[0] = this.#key(this.#before, this.#tokens[0]);
  }

  enter(parent: number, node: number, token: number): void {
    this.#tokens[node] = token;
    this.#keys[node] = this.#key(this.#tokens[parent], token);
  }

  candidates(node: number, into: CandidateList): void {
    into.count = 0;
    const row = this.#table.find(this.#keys[node]);
    if (row < 0) return;
    for (let rank = 0; rank < this.#table.topK; rank++) {
      into.tokens[rank] = this.#table.token(row, rank);
      into.classes[rank] = classOf(this.#table, row, rank);
    }
    into.count = this.#table.topK;
  }

  observe({ tree, topTokens, topLogits, topK }: DraftObservation): void {
    for (let row = 0; row < tree.tokens.length; row++) {
      const before = row === 0 ? this.#before : tree.tokens[tree.parent[row]];
      this.#table.set(this.#key(before, tree.tokens[row]), topTokens, topLogits, row * topK);
    }
  }

  reset(): void {
    this.#before = -1;
  }

  bytes(): number {
    return this.#table.bytes();
  }

  #key(before: number, token: number): number {
    return this.#pairs ? pairKey(before, token) : token;
  }
}
