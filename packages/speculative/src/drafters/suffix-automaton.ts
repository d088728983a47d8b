/**
 * A suffix automaton that grows with the text (Blumer et al., 1985; as a drafter: SAM-Decoding, Hu et al. 2411.10666).
 * Each state stands for the substrings that end at the same places. Adding a token and finding the longest suffix that was
 * there before both take constant time on average. Per state it knows the earliest end and how often it occurs.
 */

/** Longest walk up the suffix links when occurrences are counted: a repetitive text would make it quadratic. */
const COUNTED_LINKS = 64;

const grown = (array: Int32Array): Int32Array => {
  const result = new Int32Array(array.length * 2);
  result.set(array);
  return result;
};

/** A place in the automaton: a state, and how many tokens of the text before it match. */
export interface SuffixMatch {
  readonly state: number;
  readonly length: number;
}

export class SuffixAutomaton {
  #tokens: Int32Array = new Int32Array(64);
  #length = 0;
  // states
  #states = 1;
  #link: Int32Array = new Int32Array(128).fill(-1, 0, 1);
  #longest: Int32Array = new Int32Array(128);
  #earliestEnd: Int32Array = new Int32Array(128);
  #occurrences: Int32Array = new Int32Array(128);
  #firstEdge: Int32Array = new Int32Array(128).fill(-1);
  // transitions: linked lists by state, and a hash table of (state, token)
  #edges = 0;
  #edgeState: Int32Array = new Int32Array(256);
  #edgeToken: Int32Array = new Int32Array(256);
  #edgeTarget: Int32Array = new Int32Array(256);
  #nextEdge: Int32Array = new Int32Array(256);
  #table: Int32Array = new Int32Array(1024);
  #last = 0;
  #match: SuffixMatch = { state: 0, length: 0 };

  /** Tokens added. */
  get length(): number {
    return this.#length;
  }

  /** States, the empty one included. */
  get states(): number {
    return this.#states;
  }

  /** The longest suffix of the text that also ends earlier. */
  get match(): SuffixMatch {
    return this.#match;
  }

  /** The tokens added, as a view. */
  get tokens(): Int32Array {
    return this.#tokens.subarray(0, this.#length);
  }

  /** 1-based end of the earliest occurrence of a state's substrings. */
  earliestEnd(state: number): number {
    return this.#earliestEnd[state];
  }

  /** How often a state's substrings occur; walks longer than 64 links are not counted to the end. */
  occurrences(state: number): number {
    return this.#occurrences[state];
  }

  /** The state of the longest proper suffix with more occurrences; −1 for the empty one. */
  link(state: number): number {
    return this.#link[state];
  }

  /** Length of a state's longest substring. */
  longest(state: number): number {
    return this.#longest[state];
  }

  /** First transition of a state, −1 without one. */
  firstEdge(state: number): number {
    return this.#firstEdge[state];
  }

  nextEdge(edge: number): number {
    return this.#nextEdge[edge];
  }

  edgeToken(edge: number): number {
    return this.#edgeToken[edge];
  }

  edgeTarget(edge: number): number {
    return this.#edgeTarget[edge];
  }

  /** The longest suffix of (match, token) that occurs in the text. */
  advance(match: SuffixMatch, token: number): SuffixMatch {
    let { state, length } = match;
    let edge = this.#find(state, token);
    while (edge < 0 && state !== 0) {
      state = this.#link[state];
      length = this.#longest[state];
      edge = this.#find(state, token);
    }
    return edge < 0 ? { state: 0, length: 0 } : { state: this.#edgeTarget[edge], length: length + 1 };
  }

  /** Adds a token to the text. */
  add(token: number): void {
    this.#match = this.advance(this.#match, token);
    if (this.#length === this.#tokens.length) this.#tokens = grown(this.#tokens);
    this.#tokens[this.#length++] = token;
    this.#extend(token);
  }

  /**
   * What followed the earliest occurrence of the longest suffix of the text plus `pending`. When fewer than `predicted`
   * tokens follow it, the suffix is shortened along the links until enough do, but not to nothing.
   *
   * @returns up to predicted − 1 tokens, and the 1-based end of the occurrence (0: no match, then the text's beginning)
   */
  draft(pending: number, predicted: number): { readonly endPosition: number; readonly draft: Int32Array } {
    let { state } = this.advance(this.#match, pending);
    while (state !== 0 && this.#length - this.#earliestEnd[state] < predicted && this.#link[state] !== 0) {
      state = this.#link[state];
    }
    const endPosition = state === 0 ? 0 : this.#earliestEnd[state];
    return { endPosition, draft: this.tokens.slice(endPosition, endPosition + predicted - 1) };
  }

  /** Bytes of all tables. */
  bytes(): number {
    const states = [this.#link, this.#longest, this.#earliestEnd, this.#occurrences, this.#firstEdge];
    const edges = [this.#edgeState, this.#edgeToken, this.#edgeTarget, this.#nextEdge, this.#table];
    return [this.#tokens, ...states, ...edges].reduce((sum, array) => sum + array.byteLength, 0);
  }

  #extend(token: number): void {
    const current = this.#addState(this.#longest[this.#last] + 1, this.#length);
    this.#occurrences[current] = 1;
    let state = this.#last;
    while (state >= 0 && this.#find(state, token) < 0) {
      this.#addEdge(state, token, current);
      state = this.#link[state];
    }
    this.#link[current] = state < 0 ? 0 : this.#splitTarget(state, token);
    this.#last = current;
    let above = this.#link[current];
    for (let steps = 0; above > 0 && steps < COUNTED_LINKS; steps++) {
      this.#occurrences[above]++;
      above = this.#link[above];
    }
  }

  /** The state behind (state, token), cloned when it also stands for longer substrings. */
  #splitTarget(from: number, token: number): number {
    const target = this.#edgeTarget[this.#find(from, token)];
    if (this.#longest[from] + 1 === this.#longest[target]) return target;
    const clone = this.#addState(this.#longest[from] + 1, this.#earliestEnd[target]);
    this.#occurrences[clone] = this.#occurrences[target];
    this.#link[clone] = this.#link[target];
    for (let edge = this.#firstEdge[target]; edge >= 0; edge = this.#nextEdge[edge]) {
      this.#addEdge(clone, this.#edgeToken[edge], this.#edgeTarget[edge]);
    }
    for (let state = from; state >= 0; state = this.#link[state]) {
      const edge = this.#find(state, token);
      if (edge < 0 || this.#edgeTarget[edge] !== target) break;
      this.#edgeTarget[edge] = clone;
    }
    this.#link[target] = clone;
    return clone;
  }

  #addState(longest: number, earliestEnd: number): number {
    if (this.#states === this.#link.length) {
      this.#link = grown(this.#link);
      this.#longest = grown(this.#longest);
      this.#earliestEnd = grown(this.#earliestEnd);
      this.#occurrences = grown(this.#occurrences);
      this.#firstEdge = grown(this.#firstEdge);
    }
    this.#longest[this.#states] = longest;
    this.#earliestEnd[this.#states] = earliestEnd;
    this.#firstEdge[this.#states] = -1;
    return this.#states++;
  }

  #addEdge(state: number, token: number, target: number): void {
    if (this.#edges === this.#edgeState.length) {
      this.#edgeState = grown(this.#edgeState);
      this.#edgeToken = grown(this.#edgeToken);
      this.#edgeTarget = grown(this.#edgeTarget);
      this.#nextEdge = grown(this.#nextEdge);
    }
    const edge = this.#edges++;
    this.#edgeState[edge] = state;
    this.#edgeToken[edge] = token;
    this.#edgeTarget[edge] = target;
    this.#nextEdge[edge] = this.#firstEdge[state];
    this.#firstEdge[state] = edge;
    if (this.#edges * 2 > this.#table.length) this.#rehash();
    else this.#place(edge);
  }

  #rehash(): void {
    this.#table = new Int32Array(this.#table.length * 2);
    for (let edge = 0; edge < this.#edges; edge++) this.#place(edge);
  }

  #slot(state: number, token: number): number {
    return (Math.imul(state, 0x9e3779b1) ^ Math.imul(token, 0x85ebca6b)) & (this.#table.length - 1);
  }

  #place(edge: number): void {
    let slot = this.#slot(this.#edgeState[edge], this.#edgeToken[edge]);
    while (this.#table[slot] !== 0) slot = (slot + 1) & (this.#table.length - 1);
    this.#table[slot] = edge + 1;
  }

  #find(state: number, token: number): number {
    let slot = this.#slot(state, token);
    for (let entry = this.#table[slot]; entry !== 0; entry = this.#table[slot]) {
      const edge = entry - 1;
      if (this.#edgeState[edge] === state && this.#edgeToken[edge] === token) return edge;
      slot = (slot + 1) & (this.#table.length - 1);
    }
    return -1;
  }
}
