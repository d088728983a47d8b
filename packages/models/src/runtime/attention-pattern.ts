/**
 * Attention patterns as every kind of session needs them: whether a pattern fits its rows, how deep each row lies, and
 * which rows may be kept after a call.
 */
import { type AttentionPattern, requireArgument } from '@gallop/core';

/** Row i sees rows 0…i of the call. */
export const causal: AttentionPattern = { kind: 'causal' };

/** @throws GallopError `invalid-argument` for parents or masks that do not fit the rows */
export function checkPattern(pattern: AttentionPattern, rows: number): void {
  if (pattern.kind === 'tree') checkParents(pattern.parents, rows);
  else if (pattern.kind === 'bitmask') checkBitmask(pattern.rows, rows);
  else
    requireArgument(
      pattern.kind === 'causal' || pattern.kind === 'full',
      () => `attention.kind must be causal, full, tree or bitmask; received ${(pattern as { kind: unknown }).kind}`,
    );
}

function checkParents(parents: Int32Array, rows: number): void {
  requireArgument(
    parents instanceof Int32Array && parents.length === rows,
    () => `a tree needs an Int32Array of one parent per row (${rows}); received ${parents?.length}`,
  );
  parents.forEach((parent, row) => {
    requireArgument(
      parent >= -1 && parent < row,
      () => `the parent of row ${row} must be −1 or an earlier row; received ${parent}`,
    );
  });
}

function checkBitmask(mask: Uint8Array, rows: number): void {
  requireArgument(
    mask instanceof Uint8Array && mask.length === rows * rows,
    () => `a bitmask needs a Uint8Array of ${rows} × ${rows} entries; received ${mask?.length}`,
  );
  for (let row = 0; row < rows; row++)
    requireArgument(
      mask.subarray(row * rows + row + 1, (row + 1) * rows).every((seen) => seen === 0),
      () => `a bitmask must be 0 above its diagonal; row ${row} sees a later row`,
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
  requireArgument(rows instanceof Int32Array, () => `rows to commit must be an Int32Array; received ${typeof rows}`);
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
