/** Goals beside figures: what was aimed at, and whether the figure reaches it. */

/** A bound on a figure. */
export interface Goal {
  readonly bound: 'at least' | 'at most';
  readonly value: number;
}

export const atLeast = (value: number): Goal => ({ bound: 'at least', value });
export const atMost = (value: number): Goal => ({ bound: 'at most', value });

/** Whether a figure reaches its goal. */
export const reaches = (value: number, { bound, value: limit }: Goal): boolean =>
  bound === 'at least' ? value >= limit : value <= limit;

/** The goal as a table cell, such as `≥ 2.5× met` or `≤ 1× missed`. */
export const goalCell = (value: number, goal: Goal, show: (limit: number) => string): string =>
  `${goal.bound === 'at least' ? '≥' : '≤'} ${show(goal.value)} ${reaches(value, goal) ? 'met' : 'missed'}`;
