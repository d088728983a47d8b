/**
 * Softmax attention, row by row and head by head. A row sees the cache slots [start, end), then a list of extra slots;
 * a key's place in that order (slots at their own number, extras from `end` on) decides where it enters every sum:
 *
 *     s_j = (Σ_d q_d k_jd) · scale [+ bias by distance]      p_j = exp(s_j − max s)
 *     o = (Σ_j p_j v_j) · (1 / Σ_j p_j)       with Σ p in 16 lanes by place
 *
 * A row whose `start` lies beyond `end` does not see the first extras either.
 */
import { activationRow, quantizeRow } from './activations.ts';
import type { AddressSpace } from './address-space.ts';
import { add, divide, exponential, foldLanes, multiply, round, softcapped, subtract } from './arithmetic.ts';
import { PagedCache } from './paged-cache.ts';

interface Key {
  readonly place: number;
  readonly slot: number;
}

function visibleKeys(memory: AddressSpace, spans: number, extras: number, row: number): Key[] {
  const [start, end, firstExtra, extraCount] = memory.integers(spans + row * 16, 4);
  const keys: Key[] = [];
  for (let slot = start; slot < end; slot++) keys.push({ place: slot, slot });
  memory.integers(extras + firstExtra * 4, extraCount).forEach((slot, i) => {
    if (end + i >= start) keys.push({ place: end + i, slot });
  });
  return keys;
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => add(sum, multiply(value, b[i])), 0);
}

function attend(
  cache: PagedCache,
  keyHead: number,
  q: Float32Array,
  keys: readonly Key[],
  scale: number,
  cap: number,
  bias: ((slot: number) => number) | undefined,
): Float32Array {
  const scores = keys.map(({ slot }) => {
    const product = multiply(dot(q, cache.key(keyHead, slot)), scale);
    const score = bias ? add(product, bias(slot)) : product;
    return cap > 0 ? softcapped(score, cap) : score;
  });
  const largest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const lanes = new Float32Array(16);
  const out = new Float32Array(q.length);
  keys.forEach(({ place, slot }, j) => {
    const p = exponential(subtract(scores[j], largest));
    lanes[place % 16] = add(lanes[place % 16], p);
    cache.value(keyHead, slot).forEach((value, d) => {
      out[d] = add(out[d], multiply(p, value));
    });
  });
  const inverse = divide(1, foldLanes(lanes));
  return out.map((value) => multiply(value, inverse));
}

export function attention(
  memory: AddressSpace,
  pages: number,
  pageSlots: number,
  keyOffset: number,
  valueOffset: number,
  heads: number,
  headSize: number,
  half: number,
  q: number,
  out: number,
  spans: number,
  extras: number,
  rows: number,
  queryHeads: number,
  scale: number,
  softcap: number,
  quantized: number,
  _places: number,
  bias: number,
  biasColumns: number,
  biasZero: number,
  keyPositions: number,
  queryPositions: number,
): void {
  const cache = new PagedCache(memory, pages, pageSlots, keyOffset, valueOffset, heads, headSize, half);
  const columns = queryHeads * headSize;
  for (let row = 0; row < rows; row++) {
    const keys = visibleKeys(memory, spans, extras, row);
    const queries = memory.floats(q + row * columns * 4, columns);
    const result = new Float32Array(columns);
    for (let head = 0; head < queryHeads; head++) {
      const keyHead = Math.floor(head / (queryHeads / heads));
      const query = queries.subarray(head * headSize, (head + 1) * headSize);
      const biasOf = (slot: number): number => {
        const distance = memory.integers(queryPositions, rows)[row] - memory.integers(keyPositions + slot * 4, 1)[0];
        const column = Math.min(Math.max(distance + biasZero, 0), biasColumns - 1);
        return memory.floats(bias + (head * biasColumns + column) * 4, 1)[0];
      };
      const mixed = attend(cache, keyHead, query, keys, round(scale), round(softcap), bias ? biasOf : undefined);
      result.set(mixed, head * headSize);
    }
    if (quantized) quantizeRow(activationRow(memory, out, row, columns), result);
    else memory.floats(out + row * columns * 4, columns).set(result);
  }
}
