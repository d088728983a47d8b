/** Layouts that the speculative cases share: padded lists, trials along the first axis, trees and their draws. */
import type { DraftTree, SampledGroup, TargetRow, Verdict, VerifierDraws } from '@gallop/speculative';
import type { CaseContext, TensorValue } from '../registry.ts';

export const numbers = (value: TensorValue): number[] => Array.from(value.data as ArrayLike<number>, Number);
export const integers = (context: CaseContext, name: string): Int32Array =>
  Int32Array.from(numbers(context.tensor(name)));
export const floats = (context: CaseContext, name: string): Float32Array =>
  Float32Array.from(numbers(context.tensor(name)));
export const one = (context: CaseContext, name: string): number => Number(context.tensor(name).data[0]);

/** A matrix as rows. */
export const rowsOf = (value: TensorValue): number[][] => {
  const [rows, columns] = [value.shape[0], value.shape.slice(1).reduce((a, b) => a * b, 1)];
  const all = numbers(value);
  return Array.from({ length: rows }, (_, row) => all.slice(row * columns, (row + 1) * columns));
};

/** The entries of a padded list. */
export const unpadded = (row: readonly number[]): number[] => row.filter((value) => value >= 0);

/** Lists as a matrix, padded with −1 to `columns` or the longest one. */
export const padded = (
  lists: readonly ArrayLike<number>[],
  columns: number = Math.max(0, ...lists.map((list) => list.length)),
): { data: Int32Array; shape: number[] } => {
  const data = new Int32Array(lists.length * columns).fill(-1);
  for (const [row, list] of lists.entries()) data.set(Array.from(list), row * columns);
  return { data, shape: [lists.length, columns] };
};

export const matrix = (data: Int32Array | Uint8Array | Float32Array | Float64Array, columns: number): unknown => ({
  data,
  shape: [data.length / columns, columns],
});

/** Rows of one trial of a [trials, rows, columns] tensor. */
export const trialRows = (value: TensorValue, trial: number): Float32Array[] => {
  const [, rows, columns] = value.shape;
  const start = trial * rows * columns;
  return Array.from({ length: rows }, (_, row) =>
    Float32Array.from(
      value.data.slice(start + row * columns, start + (row + 1) * columns) as ArrayLike<number>,
      Number,
    ),
  );
};

/** A tree whose children were all drawn from the rows of `draft`, or are deterministic without it. */
export const treeOf = (
  tokens: ArrayLike<number>,
  parent: ArrayLike<number>,
  draft?: (row: number) => Float32Array | Float64Array,
  replacement: boolean = true,
): DraftTree => {
  const sampled = new Map<number, SampledGroup>();
  for (let row = 1; row < parent.length && draft !== undefined; row++) {
    const count = (sampled.get(parent[row])?.count ?? 0) + 1;
    sampled.set(parent[row], { probabilities: draft(parent[row]), replacement, count });
  }
  return { tokens: Int32Array.from(tokens), parent: Int32Array.from(parent), ...(draft && { sampled }) };
};

export const chainParents = (length: number): number[] => Array.from({ length }, (_, row) => row - 1);

export interface Trial {
  readonly tree: DraftTree;
  readonly target: TargetRow;
  readonly draws: VerifierDraws;
}

/** Results of trials under the names of the cases. `width` is the number of columns of `path`. */
export const verdictOutputs = (verdicts: readonly Verdict[], width?: number): Record<string, unknown> => ({
  acceptedLength: Int32Array.from(verdicts, ({ path }) => path.length - 1),
  nextToken: Int32Array.from(verdicts, ({ next }) => next),
  ...(width !== undefined && {
    path: padded(
      verdicts.map(({ path }) => path),
      width,
    ),
  }),
  ...(verdicts[0]?.nextDistribution && {
    nextDistribution: matrix(
      Float64Array.from(verdicts.flatMap((verdict) => [...verdict.nextDistribution!])),
      verdicts[0].nextDistribution.length,
    ),
  }),
});
