/**
 * Trees of a fixed shape. A choices list names each node by ranks: [0, 2] is the third candidate after the best first
 * token. Medusa keeps one candidate list a depth, EAGLE-1 one a parent; Token Recycling reads candidates off a table.
 */

import { requireArgument } from '@gallop/core';
import { treeDepths } from './draft-tree.ts';

/** A fixed shape. Row 0 is the root, row i + 1 the i-th path. */
export interface TreeTemplate {
  /** Rank paths, by length, then by their values. */
  readonly paths: readonly (readonly number[])[];
  readonly parent: Int32Array;
  /** Rank of each row among its parent's candidates; −1 for the root. */
  readonly rank: Int32Array;
  readonly depth: Int32Array;
  /** First row of each level below the root, then the number of rows. */
  readonly levelStarts: Int32Array;
}

const byLengthThenValues = (a: readonly number[], b: readonly number[]): number => {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
};

/**
 * The shape of a choices list.
 *
 * @throws GallopError `invalid-argument` for empty or repeated paths, ranks that are no counts, and paths without parent
 */
export const treeTemplate = (choices: readonly (readonly number[])[]): TreeTemplate => {
  const paths = [...choices].sort(byLengthThenValues);
  const rowOf = new Map<string, number>([['', 0]]);
  const parent = new Int32Array(paths.length + 1).fill(-1);
  const rank = new Int32Array(paths.length + 1).fill(-1);
  for (const [index, path] of paths.entries()) {
    const above = rowOf.get(path.slice(0, -1).join());
    const name = path.join();
    requireArgument(path.length > 0 && path.every((value) => Number.isInteger(value) && value >= 0), () => {
      return `Expected rank paths of whole numbers from 0; received [${name}]; correct the template.`;
    });
    requireArgument(above !== undefined && !rowOf.has(name), () => {
      return `Expected each rank path once and after its beginning; received [${name}]; correct the template.`;
    });
    rowOf.set(name, index + 1);
    parent[index + 1] = above;
    rank[index + 1] = path[path.length - 1];
  }
  const depth = treeDepths(parent);
  const levelStarts: number[] = [];
  for (let row = 1; row < depth.length; row++) if (depth[row] !== depth[row - 1]) levelStarts.push(row);
  return { paths, parent, rank, depth, levelStarts: Int32Array.from([...levelStarts, parent.length]) };
};

/**
 * Where each row finds its token in `[root, list 0, list 1, …]` with `topK` candidates a list.
 *
 * @param lists `depth`: one list a depth (Medusa); `parent`: one a parent, in order of first appearance (EAGLE-1)
 */
export const candidateIndices = (template: TreeTemplate, topK: number, lists: 'depth' | 'parent'): Int32Array => {
  const { parent, rank, depth } = template;
  const listOfParent = new Map<number, number>();
  const indices = new Int32Array(parent.length);
  for (let row = 1; row < parent.length; row++) {
    if (!listOfParent.has(parent[row])) listOfParent.set(parent[row], listOfParent.size);
    const list = lists === 'depth' ? depth[row] - 1 : listOfParent.get(parent[row])!;
    indices[row] = rank[row] + topK * list + 1;
  }
  return indices;
};
