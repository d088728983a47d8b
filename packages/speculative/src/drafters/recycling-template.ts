/** Token Recycling's static tree "2.2.2": 80 nodes, six levels, ranks as counts of children. */

import { type TreeTemplate, treeTemplate } from '../tree/static-tree.ts';

/** Children by node; nodes that are not listed are leaves. */
const CHILD_COUNTS: readonly (readonly [path: readonly number[], counts: readonly number[]])[] = [
  [[], [8]],
  [[0], [8, 4, 3, 2, 1, 1, 1, 1]], // children of [0] … [7]
  [
    [0, 0],
    [8, 3, 2, 1, 1, 1, 1, 1],
  ], // of [0, 0] … [0, 7]
  [
    [1, 0],
    [2, 1],
  ],
  [[2, 0], [1]],
  [[3, 0], [1]],
  [[4, 0], [1]],
  [[5, 0], [1]],
  [
    [0, 0, 0],
    [5, 2, 1, 1, 1],
  ],
  [[0, 1, 0], [1]],
  [[0, 2, 0], [1]],
  [[1, 0, 0], [1]],
  [[2, 0, 0], [1]],
  [[3, 0, 0], [1]],
  [
    [0, 0, 0, 0],
    [3, 1, 1],
  ],
  [[0, 0, 1, 0], [1]],
  [[0, 1, 0, 0], [1]],
  [[1, 0, 0, 0], [1]],
  [[0, 0, 0, 0, 0], [2]],
  [[0, 0, 0, 1, 0], [1]],
];

/** The paths of template 2.2.2. */
export const recyclingPaths = (): number[][] =>
  CHILD_COUNTS.flatMap(([first, counts]) =>
    counts.flatMap((count, sibling) => {
      const node = first.length === 0 ? [] : [...first.slice(0, -1), first[first.length - 1] + sibling];
      return Array.from({ length: count }, (_, rank) => [...node, rank]);
    }),
  );

/** Template 2.2.2. */
export const recyclingTemplate = (): TreeTemplate => treeTemplate(recyclingPaths());
