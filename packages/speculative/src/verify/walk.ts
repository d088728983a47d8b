/**
 * Sample-and-walk, the exact rule for drafts whose tokens do not depend on the target's draws: choose the token after the
 * current node as plain decoding would; go down while a child carries it. One draw a position, so the text is plain
 * sampling's, token for token; with the best token as choice it is greedy decoding's.
 */

import { type ChildLists, childLists, type DraftTree } from '../tree/draft-tree.ts';
import type { Verdict } from './verdict.ts';

/**
 * Walks down a draft.
 *
 * @param tokenAfter the token that plain decoding chooses after `row`, given `path` (the rows before and including it)
 */
export const verifyByWalk = (
  tree: Pick<DraftTree, 'tokens' | 'parent' | 'auxiliary'>,
  tokenAfter: (row: number, path: readonly number[]) => number,
  lists: ChildLists = childLists(tree),
): Verdict => {
  const path = [0];
  for (;;) {
    const row = path[path.length - 1];
    const next = tokenAfter(row, path);
    let child = lists.firstChild[row];
    while (child >= 0 && tree.tokens[child] !== next) child = lists.nextSibling[child];
    if (child < 0) return { path: Int32Array.from(path), next };
    path.push(child);
  }
};

/** Greedy verification: the walk with the best token of each row. Ties go to the lowest id. */
export const verifyGreedy = (
  tree: Pick<DraftTree, 'tokens' | 'parent' | 'auxiliary'>,
  best: ArrayLike<number>,
): Verdict => verifyByWalk(tree, (row) => best[row]);
