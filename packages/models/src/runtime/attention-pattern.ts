/**
 * Attention patterns as every kind of session needs them: whether a pattern fits its rows, how deep each row lies, and
 * which rows may be kept after a call.
 */
import { type AttentionPattern, requireArgument } from '@gallop/core';

/** Row i sees rows 0…i of the call. */
export const causal: AttentionPattern = { kind: 'causal' };

/** @throws GallopError `invalid-argument` for parents or masks that do not fit the rows */
export function checkPattern(pattern: AttentionPattern, rows: number): void {
  if (pattern.kind === 'tree') {
    requireArgument(
      pattern.parents.length === rows,
      () => `a tree needs one parent per row (${rows}); received ${pattern.parents.length}`,
    );
    pattern.parents.forEach((parent, row) => {
      requireArgument(
        parent >= -1 && parent < row,
        () => `the parent of row ${row} must be −1 or an earlier row; received ${parent}`,
      );
    });
  }
  if (pattern.kind === 'bitmask')
    requireArgument(
      pattern.rows.length === rows * rows &&
        pattern.rows.every((seen, i) => seen === 0 || i % rows <= Math.floor(i / rows)),
      () =>
        `a bitmask needs ${rows} × ${rows} entries with none above the diagonal; received ${pattern.rows.length} entries`,
    );
}

/** Depth of each row below the committed state: its index in a chain, its level in a tree. */
export function rowDepths(pattern: AttentionPattern, rows: number): Int32Array {
  const depths = Int32Array.from({ length: rows }, (_, row) => row);
  if (pattern.kind === 'tree')
    for (let row = 0; row < rows; row++)
      depths[row] = pattern.parents[row]! < 0 ? 0 : depths[pattern.parents[row]!]! + 1;
  return depths;
}

/**
 * Rows to keep ascend, and a kept row's parents are kept too: whatever comes after was computed with them in view.
 * @param rows rows of the call that are to be kept
 * @param count how many rows the call had
 * @throws GallopError `invalid-argument`
 */
export function checkKeptRows(pattern: AttentionPattern, rows: Int32Array, count: number): void {
  rows.forEach((row, index) => {
    requireArgument(
      row >= 0 && row < count && (index === 0 || row > rows[index - 1]!),
      () => `rows to commit must ascend within 0…${count - 1}; received ${row} at index ${index}`,
    );
    if (pattern.kind === 'tree') {
      const parent = pattern.parents[row]!;
      requireArgument(
        parent === (index === 0 ? -1 : rows[index - 1]!),
        () => `committed rows must form a path from the committed state; the parent of row ${row} is ${parent}`,
      );
    } else if (pattern.kind === 'causal')
      requireArgument(
        row === index,
        () => `of a causal call only leading rows can be committed; received row ${row} at index ${index}`,
      );
  });
}
