/**
 * The BPE loop: join the neighbouring pair with the lowest rank, the leftmost of equal ones, until no pair has a rank.
 * Short runs look for the minimum by scanning; long ones keep candidates in a binary heap, O(n log n), so that a word of a
 * megabyte takes no longer per character than any other text.
 */
import type { Symbols } from './symbols.ts';

/** Tells which neighbours may join. */
export interface PairRanks {
  /** Sets ranks[at] and products[at] of `symbols` for the pair (at, symbols.next[at]); rank -1 where it may not join. */
  rankPair(symbols: Symbols, at: number): void;
}

/** Longest run for which scanning beats the heap. */
const SHORT = 40;
/** Heap keys are rank · 2^PLACE_BITS + place: exact in a double up to 2^53. */
const PLACES = 2 ** 27;

/** Joins pairs in place and closes the gaps; afterwards indices 0 … count - 1 hold the result. */
export function mergePairs(symbols: Symbols, pairs: PairRanks): void {
  const count = symbols.count;
  if (count < 2) return;
  for (let at = 0; at < count; at++) {
    symbols.next[at] = at + 1 < count ? at + 1 : -1;
    symbols.previous[at] = at - 1;
  }
  symbols.ranks[count - 1] = -1;
  for (let at = 0; at + 1 < count; at++) pairs.rankPair(symbols, at);
  if (count <= SHORT) mergeByScanning(symbols, pairs);
  else mergeByHeap(symbols, pairs);
  compact(symbols);
}

function join(symbols: Symbols, pairs: PairRanks, at: number): void {
  const { next, previous, ranks } = symbols;
  const gone = next[at];
  const after = next[gone];
  symbols.ids[at] = symbols.products[at];
  symbols.ends[at] = symbols.ends[gone];
  next[at] = after;
  ranks[gone] = -1;
  if (after >= 0) {
    previous[after] = at;
    pairs.rankPair(symbols, at);
  } else ranks[at] = -1;
  if (previous[at] >= 0) pairs.rankPair(symbols, previous[at]);
}

function mergeByScanning(symbols: Symbols, pairs: PairRanks): void {
  const { next, ranks } = symbols;
  for (;;) {
    let best = -1;
    let bestRank = 0x7fffffff;
    for (let at = 0; at >= 0; at = next[at]) {
      const rank = ranks[at];
      if (rank >= 0 && rank < bestRank) {
        best = at;
        bestRank = rank;
      }
    }
    if (best < 0) return;
    join(symbols, pairs, best);
  }
}

function mergeByHeap(symbols: Symbols, pairs: PairRanks): void {
  const { ranks, previous } = symbols;
  const heap = new KeyHeap(symbols.count);
  for (let at = 0; at < symbols.count; at++) if (ranks[at] >= 0) heap.append(ranks[at] * PLACES + at);
  heap.order();
  while (heap.size > 0) {
    const key = heap.pop();
    const at = key % PLACES;
    // A key outlives the pair it was made for: it counts only while the pair at its place has the same rank.
    if (ranks[at] !== (key - at) / PLACES) continue;
    join(symbols, pairs, at);
    if (ranks[at] >= 0) heap.push(ranks[at] * PLACES + at);
    const before = previous[at];
    if (before >= 0 && ranks[before] >= 0) heap.push(ranks[before] * PLACES + before);
  }
}

function compact(symbols: Symbols): void {
  const { ids, starts, ends, next } = symbols;
  let count = 0;
  for (let at = 0; at >= 0; at = next[at]) {
    ids[count] = ids[at];
    starts[count] = starts[at];
    ends[count] = ends[at];
    count++;
  }
  symbols.count = count;
}

/** A binary min-heap of numbers. */
class KeyHeap {
  size = 0;
  #keys: Float64Array;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity + 16);
  }

  /** Adds a key without keeping the order. */
  append(key: number): void {
    this.#keys[this.size++] = key;
  }

  /** Restores the order after `append`. */
  order(): void {
    for (let at = (this.size >> 1) - 1; at >= 0; at--) this.#sink(at, this.#keys[at]);
  }

  push(key: number): void {
    if (this.size === this.#keys.length) {
      const larger = new Float64Array(this.size * 2);
      larger.set(this.#keys);
      this.#keys = larger;
    }
    const keys = this.#keys;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent] <= key) break;
      keys[at] = keys[parent];
      at = parent;
    }
    keys[at] = key;
  }

  pop(): number {
    const top = this.#keys[0];
    const last = this.#keys[--this.size];
    if (this.size > 0) this.#sink(0, last);
    return top;
  }

  #sink(at: number, key: number): void {
    const keys = this.#keys;
    const size = this.size;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && keys[child + 1] < keys[child]) child++;
      if (keys[child] >= key) break;
      keys[at] = keys[child];
      at = child;
    }
    keys[at] = key;
  }
}
