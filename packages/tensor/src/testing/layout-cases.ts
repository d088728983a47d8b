/** Copies, gather and scatter in any layout; indices that commands compute, also ones that lie outside. */
import {
  assign,
  broadcastTo,
  concatenate,
  embedding,
  full,
  gather,
  indexAdd,
  indexSelect,
  pad,
  permute,
  repeatInterleave,
  reshape,
  scatter,
  scatterAdd,
  slice,
  split,
} from '../operations/index.ts';
import { countOf } from '../operations/shapes.ts';
import type { Tensor } from '../tensor.ts';
import type { Bench } from './bench.ts';
import { type ContractCase, type Program, sameBits } from './subject.ts';

const copies: Program = (bench) => {
  const { recorder } = bench;
  const results: Record<string, Tensor> = {};
  const cube = bench.floats([5, 7, 33]);
  for (const order of [
    [0, 2, 1],
    [2, 1, 0],
    [1, 0, 2],
    [2, 0, 1],
  ])
    results[`permute ${order}`] = permute(recorder, cube, order);
  results['permute 5 axes'] = permute(recorder, bench.floats([2, 3, 4, 5, 6]), [4, 1, 3, 0, 2]);
  results['large transposition'] = permute(recorder, bench.floats([2, 70, 45]), [0, 2, 1]);
  results.broadcast = broadcastTo(recorder, bench.floats([3, 1, 5]), [2, 3, 4, 5]);
  results['repeat interleave'] = repeatInterleave(recorder, cube, 1, 3);
  results.slice = slice(recorder, cube, { starts: [1, 0, 2], ends: [5, 7, 32], steps: [2, 3, 4] });
  results['empty slice'] = slice(recorder, cube, { starts: [3, 0, 0], ends: [3, 7, 33] });
  results.pad = pad(recorder, bench.floats([4, 6]), [1, 2], [0, 3], -1.5);
  const parts = [1, 0, 4, 2].map((size) => bench.floats([3, size, 5]));
  results.concatenate = concatenate(recorder, parts, 1);
  results['concatenate integers'] = concatenate(recorder, [bench.integers([1, 2]), bench.integers([3, 4, 5])], 1);
  split(recorder, cube, 2, [1, 0, 20, 12]).forEach((part, i) => {
    results[`part ${i}`] = part;
  });
  results.full = full(recorder, [3, 1000], 2.5);
  const target = bench.tensor(6, 4);
  assign(recorder, target, bench.floats([24]));
  results.assign = target;
  return results;
};

/** An i32 tensor of random indices, as if a command had computed it: some negative, some too large. */
function wildIndices(bench: Bench, shape: readonly number[], size: number): Tensor {
  const values = Array.from({ length: countOf(shape) }, () => bench.random.integer(-2, size + 3));
  values[0] = -(2 ** 31);
  values[1] = 2 ** 31 - 1;
  return bench.integers(values, shape);
}

const indexing: Program = (bench) => {
  const { recorder } = bench;
  const table = bench.floats([40, 300]);
  const cube = bench.floats([5, 7, 33]);
  const ids = { values: Int32Array.from({ length: 6 }, (_, i) => (i * 7) % 40), shape: [2, 3] };
  const results: Record<string, Tensor> = {
    embedding: embedding(recorder, table, ids),
    'scalar index': indexSelect(recorder, table, 1, { values: Int32Array.of(299), shape: [] }),
    'index add': indexAdd(recorder, table, 0, wildIndices(bench, [4, 9], 40), bench.floats([4, 9, 300])),
  };
  for (const axis of [0, 1, 2]) {
    const size = cube.shape[axis]!;
    const shape = cube.shape.map((length, i) => (i === axis ? 6 : length - 1));
    const indices = wildIndices(bench, shape, size);
    const base = bench.floats(cube.shape);
    const source = bench.floats(shape);
    results[`gather ${axis}`] = gather(recorder, cube, axis, indices);
    results[`select ${axis}`] = indexSelect(recorder, cube, axis, wildIndices(bench, [11], size));
    results[`scatter ${axis}`] = scatter(recorder, base, axis, indices, source);
    results[`scatter add ${axis}`] = scatterAdd(recorder, base, axis, indices, source);
  }
  results['one axis'] = scatterAdd(recorder, bench.floats([50]), 0, wildIndices(bench, [500], 50), bench.floats([500]));
  results['from nothing'] = gather(recorder, bench.floats([0, 3]), 0, bench.integers([0, 1, 2], [1, 3]));
  results.reshaped = reshape(recorder, cube, [-1, 11]);
  return results;
};

export const layoutCases: readonly ContractCase[] = [
  sameBits('copy: every layout', copies),
  sameBits('gather and scatter', indexing),
];
