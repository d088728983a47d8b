/**
 * Spec-Bench's report (Xia et al., 2401.07851), as its script computes it: macro means of tokens a second over items, the
 * ratio of these means as speed-up, micro means of the tokens committed a step.
 */

import { GallopError } from '@gallop/core';

const MT_BENCH = ['writing', 'roleplay', 'reasoning', 'math', 'coding', 'extraction', 'stem', 'humanities'];
const SINGLE = ['translation', 'summarization', 'qa', 'math_reasoning', 'rag'];

/** An item of a method's run; lists have one entry a turn, `acceptLengths` one a step over all turns. */
export interface MethodItem {
  readonly category: string;
  readonly newTokens: readonly number[];
  /** Seconds. */
  readonly wallTime: readonly number[];
  readonly acceptLengths: readonly number[];
}

/** An item of the plain run. */
export interface BaselineItem {
  readonly category: string;
  /** Tokens of each answer. */
  readonly answerTokens: readonly number[];
  readonly wallTime: readonly number[];
}

export interface GroupReport {
  readonly tokensPerSecond: number;
  readonly baselineTokensPerSecond: number;
  readonly speedup: number;
  readonly meanAccepted: number;
}

export interface SpecBenchReport {
  /** By group, those with items only: mt_bench, translation, summarization, qa, math_reasoning, rag, overall. */
  readonly groups: Readonly<Record<string, GroupReport>>;
  /** All tokens in all time, method over baseline. */
  readonly totalRatio: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

/** The group of a category. Throws `invalid-argument` for one that Spec-Bench does not have. */
export const groupOf = (category: string): string => {
  if (MT_BENCH.includes(category)) return 'mt_bench';
  if (SINGLE.includes(category)) return category;
  throw new GallopError(
    'invalid-argument',
    `Expected a category of Spec-Bench (${[...MT_BENCH, ...SINGLE].join(', ')}); received "${category}"; correct the item.`,
  );
};

/** @throws GallopError `invalid-argument` for unknown categories */
export const specBenchReport = (items: readonly MethodItem[], baseline: readonly BaselineItem[]): SpecBenchReport => {
  const groups: Record<string, GroupReport> = {};
  for (const name of ['mt_bench', ...SINGLE, 'overall']) {
    const within = ({ category }: { readonly category: string }): boolean =>
      name === 'overall' || groupOf(category) === name;
    const mine = items.filter(within);
    const plain = baseline.filter(within);
    if (mine.length === 0 || plain.length === 0) continue;
    const tokensPerSecond = mean(mine.map(({ newTokens, wallTime }) => sum(newTokens) / sum(wallTime)));
    const baselineTokensPerSecond = mean(plain.map(({ answerTokens, wallTime }) => sum(answerTokens) / sum(wallTime)));
    groups[name] = {
      tokensPerSecond,
      baselineTokensPerSecond,
      speedup: tokensPerSecond / baselineTokensPerSecond,
      meanAccepted: mean(mine.flatMap(({ acceptLengths }) => acceptLengths)),
    };
  }
  const rate = (tokens: readonly number[], times: readonly number[]): number => sum(tokens) / sum(times);
  const method = rate(
    items.flatMap((item) => item.newTokens),
    items.flatMap((item) => item.wallTime),
  );
  const plain = rate(
    baseline.flatMap((item) => item.answerTokens),
    baseline.flatMap((item) => item.wallTime),
  );
  return { groups, totalRatio: method / plain };
};

/** A metric over several runs: mean and sample deviation; steps of all runs are pooled. */
export const multiRunReport = (
  values: readonly number[],
  acceptLengths: readonly (readonly number[])[],
): { readonly mean: number; readonly standardDeviation: number; readonly meanAccepted: number } => {
  const center = mean(values);
  const squares = sum(values.map((value) => (value - center) ** 2));
  return {
    mean: center,
    standardDeviation: Math.sqrt(squares / (values.length - 1)),
    meanAccepted: mean(acceptLengths.flat()),
  };
};

export interface DepthReport {
  /** Steps that reached depth d with a draft for depth d + 1. */
  readonly proposed: Int32Array;
  /** Those that accepted it. */
  readonly accepted: Int32Array;
  /** Their ratio; 0 where nothing was proposed. */
  readonly rate: Float64Array;
}

/**
 * Acceptance by depth.
 *
 * @param acceptLengths tokens that each step committed, the bonus included
 * @param draftedDepth levels that each step had drafted
 */
export const acceptanceByDepth = (
  acceptLengths: ArrayLike<number>,
  draftedDepth: ArrayLike<number>,
  maximumDepth: number,
): DepthReport => {
  const proposed = new Int32Array(maximumDepth);
  const accepted = new Int32Array(maximumDepth);
  for (let step = 0; step < acceptLengths.length; step++) {
    for (let depth = 0; depth < Math.min(draftedDepth[step], maximumDepth); depth++) {
      if (acceptLengths[step] - 1 >= depth) proposed[depth]++;
      if (acceptLengths[step] - 1 > depth) accepted[depth]++;
    }
  }
  return {
    proposed,
    accepted,
    rate: Float64Array.from(accepted, (count, d) => (proposed[d] ? count / proposed[d] : 0)),
  };
};

/**
 * What independent acceptance α of γ drafts yields when a draft costs c target passes (2211.17192):
 * tokens E = (1 − α^(γ+1)) / (1 − α), speed-up E / (γc + 1), growth of arithmetic (γc + γ + 1) / E.
 */
export const expectedSpeed = (
  acceptance: number,
  drafts: number,
  costRatio: number,
): { readonly expectedTokens: number; readonly speedup: number; readonly operations: number } => {
  const expectedTokens = acceptance === 1 ? drafts + 1 : (1 - acceptance ** (drafts + 1)) / (1 - acceptance);
  return {
    expectedTokens,
    speedup: expectedTokens / (drafts * costRatio + 1),
    operations: (drafts * costRatio + drafts + 1) / expectedTokens,
  };
};
