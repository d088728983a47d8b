/** Reductions along any axes, running sums, orderings, softmax and norms. */
import {
  argmax,
  argmin,
  cumulativeSum,
  gatedRmsNorm,
  groupNorm,
  largest,
  layerNorm,
  logSoftmax,
  logSumExp,
  maskedSoftmax,
  rmsNorm,
  smallest,
  softmax,
  sort,
  sum,
  topK,
  variance,
} from '../operations/index.ts';
import type { Tensor } from '../tensor.ts';
import type { Bench } from './bench.ts';
import { type ContractCase, type Program, sameBits } from './subject.ts';

const { POSITIVE_INFINITY: infinity, NaN: notANumber } = Number;

const reductions: Program = (bench) => {
  const { recorder } = bench;
  const results: Record<string, Tensor> = {};
  for (const shape of [[1], [17], [3, 5], [40, 3], [1000, 7], [33, 130], [2, 19, 70], [3, 4, 5, 6]]) {
    const x = bench.floats(shape);
    const choices = [[0], [shape.length - 1], shape.map((_, axis) => axis), [0, shape.length - 1]];
    for (const axes of choices.filter((axes) => new Set(axes).size === axes.length)) {
      const name = `[${shape}] over ${axes}`;
      results[`sum ${name}`] = sum(recorder, x, { axes });
      results[`largest ${name}`] = largest(recorder, x, { axes });
      results[`smallest ${name}`] = smallest(recorder, x, { axes, keepDimensions: true });
      results[`variance ${name}`] = variance(recorder, x, { axes });
      results[`log-sum-exp ${name}`] = logSumExp(recorder, x, { axes });
    }
    results[`running ${shape}`] = cumulativeSum(recorder, x, 0);
    results[`running back ${shape}`] = cumulativeSum(recorder, x, -1, { reverse: true });
  }
  results.nothing = sum(recorder, bench.floats([3, 0]), { axes: [1] });
  return results;
};

/** Rows with ties, NaN, infinities and zeros of both signs. */
function mixedRows(bench: Bench, rows: number, columns: number): Tensor {
  const specials = [0, -0, 1, 1, -1, notANumber, infinity, -infinity, 2.5, -7];
  return bench.tensor(
    rows,
    columns,
    Float32Array.from({ length: rows * columns }, () => specials[bench.random.integer(0, specials.length)]!),
  );
}

const orderings: Program = (bench) => {
  const { recorder } = bench;
  const results: Record<string, Tensor> = {};
  for (const columns of [1, 2, 7, 64, 333])
    for (const [kind, x] of [
      ['random', bench.floats([3, columns])],
      ['mixed', mixedRows(bench, 3, columns)],
    ] as const) {
      for (const descending of [false, true]) {
        const sorted = sort(recorder, x, { descending });
        results[`sort ${kind} ${columns} ${descending}: values`] = sorted.values;
        results[`sort ${kind} ${columns} ${descending}: indices`] = sorted.indices;
      }
      for (const axis of [0, 1]) {
        results[`argmax ${kind} ${columns} ${axis}`] = argmax(recorder, x, axis);
        results[`argmin ${kind} ${columns} ${axis}`] = argmin(recorder, x, axis);
      }
      results[`largest ${kind} ${columns}`] = largest(recorder, x, { axes: [0] });
      results[`smallest ${kind} ${columns}`] = smallest(recorder, x, { axes: [1] });
    }
  for (const count of [1, 64, 65, 200]) {
    const top = topK(recorder, bench.floats([2, 2, 200]), count);
    results[`top ${count}: values`] = top.values;
    results[`top ${count}: indices`] = top.indices;
  }
  return results;
};

const rowFunctions: Program = (bench) => {
  const { recorder } = bench;
  const results: Record<string, Tensor> = {};
  for (const columns of [1, 5, 16, 31, 100, 513]) {
    const x = bench.floats([5, columns], 20);
    const [weight, bias] = [bench.floats([columns]), bench.floats([columns])];
    results[`softmax ${columns}`] = softmax(recorder, x);
    results[`softmax down ${columns}`] = softmax(recorder, x, 0);
    results[`log softmax ${columns}`] = logSoftmax(recorder, x);
    results[`masked ${columns}`] = maskedSoftmax(recorder, x, mixedRows(bench, 5, columns), 0.5);
    results[`layer norm ${columns}`] = layerNorm(recorder, x, { weight, bias });
    results[`layer norm without parameters ${columns}`] = layerNorm(recorder, x, { epsilon: 1e-6 });
    results[`rms norm ${columns}`] = rmsNorm(recorder, x, { weight, onePlusWeight: true });
  }
  results['mixed softmax'] = softmax(recorder, mixedRows(bench, 60, 4));
  results['mixed log softmax'] = logSoftmax(recorder, mixedRows(bench, 60, 3));
  results['nothing kept'] = softmax(recorder, bench.tensor(2, 20, new Float32Array(40).fill(-infinity)));
  results['gated norm'] = gatedRmsNorm(recorder, bench.floats([3, 24]), bench.floats([3, 24]), bench.floats([24]), {
    groupSize: 8,
  });
  results['group norm'] = groupNorm(recorder, bench.floats([2, 6, 5, 3]), 3, {
    weight: bench.floats([6]),
    bias: bench.floats([6]),
  });
  return results;
};

export const reductionCases: readonly ContractCase[] = [
  sameBits('reductions', reductions),
  sameBits('orderings', orderings),
  sameBits('softmax and norms', rowFunctions),
];
