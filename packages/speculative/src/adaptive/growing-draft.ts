/**
 * A draft that grows best first: the most probable candidate of all nodes becomes the next node, so that the first M nodes
 * are the best M for any M. Candidates of a node are merged over the sources; what is said about a token jointly decides its
 * probability.
 */

import { type CandidateList, type CandidateSource, MAXIMUM_CANDIDATES } from './candidate-source.ts';
import type { JointConfidence } from './confidence.ts';

export class GrowingDraft {
  readonly #sources: readonly CandidateSource[];
  readonly #confidence: JointConfidence;
  readonly #list: CandidateList = {
    tokens: new Int32Array(MAXIMUM_CANDIDATES),
    classes: new Int32Array(MAXIMUM_CANDIDATES),
    count: 0,
  };
  // candidates
  #tokens: number[] = [];
  #joints: number[] = [];
  #parents: number[] = [];
  #paths: number[] = [];
  #heap: number[] = [];
  #lastRoom = 0;
  /** First candidate of each node, then the number of candidates. */
  #starts: number[] = [];
  // nodes
  #chosen: number[] = [];
  #nodeTokens: number[] = [];

  constructor(sources: readonly CandidateSource[], confidence: JointConfidence) {
    this.#sources = sources;
    this.#confidence = confidence;
  }

  /** Nodes, the root not counted. */
  get size(): number {
    return this.#chosen.length;
  }

  /** Begins under the last token. */
  begin(tokens: Int32Array, nodes: number): void {
    this.#tokens.length = this.#joints.length = this.#parents.length = this.#paths.length = 0;
    this.#heap.length = this.#chosen.length = this.#starts.length = 0;
    this.#nodeTokens = [tokens[tokens.length - 1]];
    this.#lastRoom = nodes;
    for (const source of this.#sources) source.begin(tokens, nodes);
    this.#expand(0, 1);
  }

  /** Probability of the next node's path, or 0 when there is none. */
  peek(): number {
    return this.#heap.length === 0 || this.size >= this.#lastRoom ? 0 : this.#paths[this.#heap[0]];
  }

  /** Adds the most probable candidate as a node. */
  grow(): void {
    const candidate = this.#pop();
    const node = this.#chosen.push(candidate);
    const token = this.#tokens[candidate];
    this.#nodeTokens.push(token);
    for (const source of this.#sources) source.enter(this.#parents[candidate], node, token);
    this.#expand(node, this.#paths[candidate]);
  }

  token(node: number): number {
    return this.#nodeTokens[node];
  }

  parent(node: number): number {
    return node === 0 ? -1 : this.#parents[this.#chosen[node - 1]];
  }

  /** Probability that a node is accepted. */
  path(node: number): number {
    return node === 0 ? 1 : this.#paths[this.#chosen[node - 1]];
  }

  /** The source that a node is owed to: of those that proposed it, the last in the list of sources. */
  source(node: number): number {
    if (node === 0) return 0;
    const joint = this.#joints[this.#chosen[node - 1]];
    let source = this.#sources.length - 1;
    while (source > 0 && this.#confidence.classOf(joint, source) < 0) source--;
    return source;
  }

  /** Learns what followed a node: its candidates came true or did not. */
  learn(node: number, next: number): void {
    if (node >= this.#starts.length) return;
    const end = node + 1 < this.#starts.length ? this.#starts[node + 1] : this.#tokens.length;
    for (let candidate = this.#starts[node]; candidate < end; candidate++) {
      this.#confidence.add(this.#joints[candidate], this.#tokens[candidate] === next);
    }
  }

  #expand(node: number, path: number): void {
    const first = this.#tokens.length;
    this.#starts[node] = first;
    for (const [index, source] of this.#sources.entries()) {
      source.candidates(node, this.#list);
      for (let i = 0; i < this.#list.count; i++)
        this.#say(first, node, this.#list.tokens[i], index, this.#list.classes[i]);
    }
    for (let candidate = first; candidate < this.#tokens.length; candidate++) {
      this.#paths[candidate] = path * this.#confidence.probability(this.#joints[candidate]);
      this.#push(candidate);
    }
  }

  #say(first: number, node: number, token: number, source: number, index: number): void {
    let candidate = first;
    while (candidate < this.#tokens.length && this.#tokens[candidate] !== token) candidate++;
    if (candidate === this.#tokens.length) {
      this.#tokens.push(token);
      this.#joints.push(0);
      this.#parents.push(node);
    }
    this.#joints[candidate] = this.#confidence.extend(this.#joints[candidate], source, index);
  }

  #push(candidate: number): void {
    const heap = this.#heap;
    let at = heap.push(candidate) - 1;
    while (at > 0 && this.#paths[heap[(at - 1) >> 1]] < this.#paths[candidate]) {
      heap[at] = heap[(at - 1) >> 1];
      at = (at - 1) >> 1;
    }
    heap[at] = candidate;
  }

  #pop(): number {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#paths[heap[child + 1]] > this.#paths[heap[child]]) child++;
      if (this.#paths[heap[child]] <= this.#paths[last]) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
