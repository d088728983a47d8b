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
  let places = 0;
  for (let row = 0; row < rows; row++) {
    let end = base;
    const first = extras.length;
    if (pattern.kind === 'causal') end = base + row + 1;
    else if (pattern.kind === 'full') end = base + rows;
    else
      for (const seen of seenRows(pattern, row, rows)) {
        if (extras.length === first && base + seen === end) end++;
        else extras.push(base + seen);
      }
    const count = extras.length - first;
    const start = firstInWindow(slotPositions, slotPositions[base + row]! - window, end, extras, first);
    spans.set([start, end, first, count], row * 4);
    places = Math.max(places, end + count);
  }
  return { spans, extras: Int32Array.from(extras), places };
}

/** The first place whose position is above `limit`. Positions ascend along what a row sees. */
function firstInWindow(
  slotPositions: Int32Array,
  limit: number,
  end: number,
  extras: readonly number[],
  firstExtra: number,
): number {
  if (limit < 0) return 0;
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (slotPositions[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  if (low < end) return low;
  for (let extra = firstExtra; extra < extras.length; extra++)
    if (slotPositions[extras[extra]!]! > limit) return end + extra - firstExtra;
  return low;
}
