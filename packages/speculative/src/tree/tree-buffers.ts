/**
 * What a target needs to know of a tree: who sees whom, at which position, and the paths from the root to the leaves.
 *
 *   allow[i][j] = (j = i) or allow[parent(i)][j],   position(i) = contextLength + depth(i)
 */

import { treeDepths } from './draft-tree.ts';

export interface TreeBuffers {
  /** Depth of each row; the root has 0. [rows] */
  readonly depth: Int32Array;
  /** 1 where row i sees row j. [rows × rows] */
  readonly allow: Uint8Array;
  /** 1 where row i sees slot j: every committed one, and those that `allow` says. [rows × (contextLength + rows)] */
  readonly mask: Uint8Array;
  /** Position of each row. [rows] */
  readonly positions: Int32Array;
}

/** Depths, masks and positions of a tree behind `contextLength` committed rows. */
export const treeBuffers = (parent: ArrayLike<number>, contextLength: number): TreeBuffers => {
  const rows = parent.length;
  const depth = treeDepths(parent);
  const allow = new Uint8Array(rows * rows);
  const mask = new Uint8Array(rows * (contextLength + rows));
  for (let row = 0; row < rows; row++) {
    if (row > 0) allow.copyWithin(row * rows, parent[row] * rows, (parent[row] + 1) * rows);
    allow[row * rows + row] = 1;
    const start = row * (contextLength + rows);
    mask.fill(1, start, start + contextLength);
    mask.set(allow.subarray(row * rows, (row + 1) * rows), start + contextLength);
  }
  return { depth, allow, mask, positions: depth.map((level) => contextLength + level) };
};

/** The order of the paths to the leaves: by leaf row, by leaf row descending, or sorted as lists of rows. */
export type LeafOrder = 'node' | 'node-descending' | 'sorted';

/** Paths from the root to each leaf, as rows. */
export const leafPaths = (parent: ArrayLike<number>, order: LeafOrder): number[][] => {
  const isParent = new Uint8Array(parent.length);
  for (let row = 1; row < parent.length; row++) isParent[parent[row]] = 1;
  const paths: number[][] = [];
  for (let row = 0; row < parent.length; row++) {
    if (isParent[row] === 1) continue;
    const path: number[] = [];
    for (let node = row; node >= 0; node = parent[node]) path.push(node);
    paths.push(path.reverse());
  }
  if (order === 'node-descending') paths.reverse();
  if (order === 'sorted') paths.sort(compareLists);
  return paths;
};

/** Lexicographic order of lists; where one is the beginning of the other, the longer one comes first. */
export const compareLists = (a: readonly number[], b: readonly number[]): number => {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return b.length - a.length;
};

/** Rows of the state that stay after a path was accepted: the committed ones, then the path's. */
export const keptRows = (contextLength: number, path: ArrayLike<number>): Int32Array =>
  Int32Array.from({ length: contextLength + path.length }, (_, row) =>
    row < contextLength ? row : contextLength + path[row - contextLength],
  );

/**
 * Moves the rows of an accepted path behind the committed ones, in place: ascending rows make that safe.
 *
 * @param rows [at least contextLength + largest row of the path + 1, width]
 * @returns rows that are left
 */
export const compactRows = (
  rows: Float32Array,
  width: number,
  contextLength: number,
  path: ArrayLike<number>,
): number => {
  const kept = keptRows(contextLength, path);
  for (let to = contextLength; to < kept.length; to++) {
    rows.copyWithin(to * width, kept[to] * width, (kept[to] + 1) * width);
  }
  return kept.length;
};
