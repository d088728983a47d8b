/** Spans and extras against the plain definition: what a row sees, and at which place each key stands. */
import type { AttentionPattern } from '@gallop/core';
import { expect, test } from 'vitest';
import { Draws } from '../testing/draws.ts';
import { rowVisibility } from './visibility.ts';

/** Slots a row sees by place, as the kernels read spans and extras. */
function places(spans: Int32Array, extras: Int32Array, row: number): Map<number, number> {
  const [start, end, first, count] = spans.subarray(row * 4, row * 4 + 4);
  const seen = new Map<number, number>();
  for (let slot = start; slot < end; slot++) seen.set(slot, slot);
  for (let i = 0; i < count; i++) if (end + i >= start) seen.set(end + i, extras[first + i]);
  return seen;
}

/** Slots that the pattern lets a row see, in order. */
function sight(pattern: AttentionPattern, base: number, row: number, rows: number): number[] {
  const committed = Array.from({ length: base }, (_, slot) => slot);
  const call = Array.from({ length: rows }, (_, other) => other).filter((other) => {
    if (pattern.kind === 'causal') return other <= row;
    if (pattern.kind === 'full') return true;
    if (pattern.kind === 'bitmask') return other === row || pattern.rows[row * rows + other] === 1;
    let node = row;
    while (node > other) node = pattern.parents[node];
    return node === other;
  });
  return [...committed, ...call.map((other) => base + other)];
}

function randomPattern(draws: Draws, rows: number): AttentionPattern {
  const kind = draws.pick(['causal', 'full', 'tree', 'bitmask'] as const);
  if (kind === 'tree') return { kind, parents: Int32Array.from({ length: rows }, (_, row) => draws.integer(-1, row)) };
  if (kind !== 'bitmask') return { kind };
  const mask = Uint8Array.from({ length: rows * rows }, (_, i) =>
    i % rows <= Math.floor(i / rows) && draws.chance(0.5) ? 1 : 0,
  );
  return { kind, rows: mask };
}

test('every row sees what its pattern and window allow, at places without gaps', () => {
  for (let seed = 0; seed < 3000; seed++) {
    const draws = new Draws(seed);
    const [base, rows] = [draws.integer(0, 12), draws.integer(1, 9)];
    const pattern = randomPattern(draws, rows);
    const isOrdered = draws.chance(0.5);
    const positions = Int32Array.from({ length: base + rows + 3 }, (_, slot) =>
      isOrdered ? slot * 2 : draws.integer(0, 20),
    );
    const window = draws.pick([1, 2, 5, 9, Number.POSITIVE_INFINITY]);
    const { spans, extras, places: most } = rowVisibility(pattern, base, rows, positions, window);
    for (let row = 0; row < rows; row++) {
      const whole = sight(pattern, base, row, rows);
      const limit = positions[base + row] - window;
      const seen = whole.filter((slot) => positions[slot] > limit);
      const start = whole.indexOf(seen[0]);
      expect([...places(spans, extras, row)], `seed ${seed}, row ${row}`).toEqual(
        seen.map((slot, index) => [start + index, slot]),
      );
      expect(start + seen.length).toBeLessThanOrEqual(most);
    }
  }
});

test('a key stands at the same place in a tree as in the chain that the tree becomes', () => {
  const positions = Int32Array.of(0, 1, 2, 3, 4, 3, 4, 5);
  const tree = rowVisibility({ kind: 'tree', parents: Int32Array.of(-1, 0, -1, 2, 3) }, 3, 5, positions, 3);
  const chain = rowVisibility({ kind: 'causal' }, 3, 3, Int32Array.of(0, 1, 2, 3, 4, 5), 3);
  const placesOf = (row: number, of: typeof tree): number[] => [...places(of.spans, of.extras, row).keys()];
  expect(placesOf(4, tree)).toEqual(placesOf(2, chain));
  expect([...places(tree.spans, tree.extras, 4).values()]).toEqual([5, 6, 7]);
});
