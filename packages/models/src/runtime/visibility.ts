/**
 * From an attention pattern to what the kernels read: per row a span of slots seen without gaps, and a list of further
 * slots in order. Slots below `base` are committed; row i of the call lies in slot base + i.
 */
import { type AttentionPattern, GallopError } from '@gallop/core';

export interface RowVisibility {
  /** Per row [first slot, end slot, first entry of extras, number of extras]. */
  readonly spans: Int32Array;
  readonly extras: Int32Array;
  /** Largest number of keys a row sees. */
  readonly places: number;
}

/** Rows of the call that a row sees, ascending, itself included. */
function seenRows(pattern: AttentionPattern, row: number, rows: number): number[] {
  if (pattern.kind === 'bitmask') {
    const seen: number[] = [];
    for (let other = 0; other <= row; other++) if (other === row || pattern.rows[row * rows + other]) seen.push(other);
    return seen;
  }
  if (pattern.kind === 'tree') {
    const path: number[] = [];
    for (let node = row; node >= 0; node = pattern.parents[node]!) path.push(node);
    return path.reverse();
  }
  throw new GallopError('invalid-state', `${pattern.kind} rows are spans`);
}

/**
 * @param slotPositions position of each slot, committed and new
 * @param window rows see keys whose position is less than `window` behind their own
 */
export function rowVisibility(
  pattern: AttentionPattern,
  base: number,
  rows: number,
  slotPositions: Int32Array,
  window: number = Infinity,
): RowVisibility {
  const spans = new Int32Array(rows * 4);
  const extras: number[] = [];
  const committedAscend = ascends(base, (slot) => slotPositions[slot]!);
  let places = 0;
  for (let row = 0; row < rows; row++) {
    const sight = rowSight(pattern, base, row, rows);
    const limit = slotPositions[base + row]! - window;
    const seen = limit < 0 ? sight : withinWindow(sight, slotPositions, limit, committedAscend ? base : 0);
    spans.set([seen.start, seen.end, extras.length, seen.further.length], row * 4);
    for (const slot of seen.further) extras.push(slot); // too many to pass as arguments
    places = Math.max(places, seen.end + seen.further.length);
  }
  return { spans, extras: Int32Array.from(extras), places };
}

/**
 * What a row sees, in order: slots [start, end), then `further` ones. A key's place decides where it enters every sum:
 * slots of the span stand at their own number, further ones from `end` on; places before `start` are not seen.
 */
interface Sight {
  readonly start: number;
  readonly end: number;
  readonly further: readonly number[];
}

function rowSight(pattern: AttentionPattern, base: number, row: number, rows: number): Sight {
  if (pattern.kind === 'causal') return { start: 0, end: base + row + 1, further: [] };
  if (pattern.kind === 'full') return { start: 0, end: base + rows, further: [] };
  const seen = seenRows(pattern, row, rows);
  const gap = seen.findIndex((other, index) => other !== index);
  const leading = gap < 0 ? seen.length : gap;
  return { start: 0, end: base + leading, further: seen.slice(leading).map((other) => base + other) };
}

/**
 * Leaves out slots whose position is not above `limit`.
 * @param ascending positions of so many leading slots are known to ascend
 */
function withinWindow(sight: Sight, slotPositions: Int32Array, limit: number, ascending: number): Sight {
  const { end, further } = sight;
  const count = end + further.length;
  const slotAt = (place: number): number => (place < end ? place : further[place - end]!);
  const positionAt = (place: number): number => slotPositions[slotAt(place)]!;
  if (ascends(count, positionAt, ascending)) return { start: firstAbove(limit, count, positionAt), end, further };
  const seen = Array.from({ length: count }, (_, place) => place).filter((place) => positionAt(place) > limit);
  return gathered(seen.map(slotAt), seen[0]!);
}

/** Keys at places `start`, `start` + 1, …: those that lie in the slot of their place make up the span. */
function gathered(slots: readonly number[], start: number): Sight {
  const gap = slots.findIndex((slot, index) => slot !== start + index);
  const inPlace = gap < 0 ? slots.length : gap;
  return { start, end: start + inPlace, further: slots.slice(inPlace) };
}

/** Whether values 0…count − 1 ascend (or stay), when those before `known` do. */
function ascends(count: number, valueAt: (index: number) => number, known = 0): boolean {
  for (let index = Math.max(1, known); index < count; index++) if (valueAt(index) < valueAt(index - 1)) return false;
  return true;
}

/** Index of the first of `count` ascending values above `limit`. */
function firstAbove(limit: number, count: number, valueAt: (index: number) => number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueAt(middle) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
