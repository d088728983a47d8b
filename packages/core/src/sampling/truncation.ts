/**
 * Processors that remove improbable tokens: each sets logits to −Infinity in place and always leaves at least one token
 * (the best one, except for typical sampling).
 * Every one takes a fresh softmax of the row it is given. Definitions as in transformers' `generation/logits_process.py`
 * (top-p: Holtzman et al. 2020; typical: Meister et al. 2022; epsilon and eta: Hewitt et al. 2022; min-p: Nguyen et al.
 * 2024).
 */

import { entropy, softmax } from './distribution.ts';

const REMOVED = Number.NEGATIVE_INFINITY;

/** Removes logits strictly below the k-th largest; ties with it stay; k beyond the row keeps all. */
export const keepTopK = (logits: Float32Array, k: number): void => {
  if (k >= logits.length) return;
  const threshold = kthLargest(logits, k);
  for (let i = 0; i < logits.length; i++) if (logits[i] < threshold) logits[i] = REMOVED;
};

/** The k-th largest value, by a heap of the k largest seen (smallest on top). 1 ≤ k ≤ length. */
const kthLargest = (values: Float32Array, k: number): number => {
  const heap = values.slice(0, k);
  for (let i = (k >> 1) - 1; i >= 0; i--) siftDown(heap, i);
  for (let i = k; i < values.length; i++) {
    if (values[i] > heap[0]) {
      heap[0] = values[i];
      siftDown(heap, 0);
    }
  }
  return heap[0];
};

const siftDown = (heap: Float32Array, at: number): void => {
  for (;;) {
    let smallest = at;
    for (let child = 2 * at + 1; child <= 2 * at + 2 && child < heap.length; child++) {
      if (heap[child] < heap[smallest]) smallest = child;
    }
    if (smallest === at) return;
    const value = heap[at];
    heap[at] = heap[smallest];
    heap[smallest] = value;
    at = smallest;
  }
};

/**
 * In ascending order of probability, removes tokens while their cumulative probability is at most 1 − p.
 *
 * Tokens with a probability of at most (1 − p) / vocabSize sum to at most 1 − p, so they are removed without being
 * sorted; in a real vocabulary that leaves few to sort. Half of that bound is used, clear of rounding.
 */
export const keepTopP = (logits: Float32Array, p: number): void => {
  const probabilities = softmax(logits);
  const removable = 1 - p;
  const certain = removable / (2 * logits.length);
  const rest: number[] = [];
  let cumulative = 0;
  for (let i = 0; i < logits.length; i++) {
    if (probabilities[i] > certain) {
      rest.push(i);
    } else {
      cumulative += probabilities[i];
      logits[i] = REMOVED;
    }
  }
  const ascending = Uint32Array.from(rest).sort((a, b) => probabilities[a] - probabilities[b]);
  for (let i = 0; i < ascending.length - 1; i++) {
    cumulative += probabilities[ascending[i]];
    if (cumulative > removable) return;
    logits[ascending[i]] = REMOVED;
  }
};

/** Removes tokens less probable than `fraction` of the most probable one. */
export const keepMinP = (logits: Float32Array, fraction: number): void => {
  const probabilities = softmax(logits);
  removeBelow(logits, probabilities, fraction * largest(probabilities));
};

/**
 * Orders tokens by how far their surprise −ln p is from the entropy and keeps the shortest prefix with a cumulative
 * probability of at least `mass`, plus everything as near as its last token.
 */
export const keepTypical = (logits: Float32Array, mass: number): void => {
  const probabilities = softmax(logits);
  const expected = entropy(probabilities);
  const distance = probabilities.map((probability) => Math.abs(-Math.log(probability) - expected));
  const order = new Uint32Array(logits.length).map((_, i) => i).sort((a, b) => compare(distance[a], distance[b]));
  let cumulative = 0;
  let last = 0;
  while (last < order.length - 1 && (cumulative += probabilities[order[last]]) < mass) last++;
  const farthest = distance[order[last]];
  for (let i = 0; i < logits.length; i++) if (distance[i] > farthest) logits[i] = REMOVED;
};

/** Removes tokens less probable than ε, except the most probable. */
export const cutEpsilon = (logits: Float32Array, epsilon: number): void => {
  removeBelow(logits, softmax(logits), epsilon);
};

/** Removes tokens less probable than min(ε, √ε · exp(−entropy)), except the most probable. */
export const cutEta = (logits: Float32Array, epsilon: number): void => {
  const probabilities = softmax(logits);
  removeBelow(logits, probabilities, Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy(probabilities))));
};

const removeBelow = (logits: Float32Array, probabilities: Float64Array, threshold: number): void => {
  const best = largest(probabilities);
  for (let i = 0; i < logits.length; i++) {
    if (probabilities[i] < threshold && probabilities[i] < best) logits[i] = REMOVED;
  }
};

const largest = (values: Float64Array): number => {
  let best = values[0];
  for (let i = 1; i < values.length; i++) if (values[i] > best) best = values[i];
  return best;
};

/** Ascending order that also holds for infinities, whose difference is not a number. */
const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
