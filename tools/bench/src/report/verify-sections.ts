/** The costs of passes for people: one table per model and context, a row per backend and instruction set. */

import { figure } from './figures.ts';
import { atMost, type Goal, reaches } from './goal.ts';
import type { LineChart } from './line-chart.ts';
import type { Section } from './report.ts';

/** Milliseconds of passes over some rows. */
export interface PassCost {
  readonly rows: number;
  /** Passes measured. */
  readonly count: number;
  readonly minimum: number;
  /** Below it lies a tenth of the passes. */
  readonly low: number;
  readonly median: number;
}

export interface VerifyResult {
  readonly model: string;
  readonly backend: string;
  readonly variant: string;
  readonly context: number;
  /** The first is about one row. */
  readonly passes: readonly PassCost[];
}

/** Goals on c(M)/c(1) by variant and M. */
const GOALS: Readonly<Record<string, Readonly<Record<number, Goal>>>> = {
  avx512vnni: { 4: atMost(1.2), 8: atMost(1.4), 16: atMost(2.2) },
  relaxed: { 4: atMost(1.8) },
  simd: { 4: atMost(1.8) },
};

/** c(M)/c(1) by the fastest passes. */
export const costRatio = (pass: PassCost, one: PassCost): number => pass.minimum / one.minimum;

const nameOf = ({ backend, variant }: VerifyResult): string => `${backend} ${variant}`;

const goalMark = (ratio: number, goal: Goal | undefined): string =>
  goal === undefined ? ratio.toFixed(2) : `${ratio.toFixed(2)} ${reaches(ratio, goal) ? '✓' : '✗'}`;

/** The goals of the variants that are shown. */
const goalNotes = (results: readonly VerifyResult[]): readonly string[] =>
  results.flatMap((result) => {
    const goals = Object.entries(GOALS[result.variant] ?? {}).map(([rows, { value }]) => `c(${rows}) ≤ ${value}`);
    return goals.length === 0 ? [] : [`goals for ${nameOf(result)}: ${goals.join(', ')}`];
  });

export const verifySection = (
  model: string,
  context: number,
  rowCounts: readonly number[],
  results: readonly VerifyResult[],
): Section => {
  const shown = results.filter((result) => result.context === context);
  const rows = shown.map((result) => {
    const [one, ...others] = result.passes;
    const ratios = others.map((pass) => goalMark(costRatio(pass, one), GOALS[result.variant]?.[pass.rows]));
    return [nameOf(result), figure(one.minimum), ...ratios];
  });
  const columns = ['', 'c(1), ms', ...rowCounts.slice(1).map((count) => `M = ${count}`)];
  return { title: `${model}, context ${context}`, table: { columns, rows }, notes: goalNotes(shown) };
};

/** The same as lines, for one model at its longest context. */
export const verifyChart = (results: readonly VerifyResult[]): LineChart => {
  const [{ model }] = results;
  const context = Math.max(...results.map((result) => result.context));
  const shown = results.filter((result) => result.model === model && result.context === context);
  return {
    title: `Cost of a pass over M rows, ${model}, context ${context}`,
    across: 'rows M',
    up: 'c(M) / c(1)',
    lines: shown.map((result) => ({
      name: nameOf(result),
      points: result.passes.map((pass) => [pass.rows, costRatio(pass, result.passes[0])] as const),
    })),
  };
};
