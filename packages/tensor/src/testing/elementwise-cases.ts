/** The map command: every function on ordinary and special values, and broadcasting of every kind. */
import { type MapFunction, mapArity, mapFunctions } from '../opcodes.ts';
import { map } from '../operations/elementwise.ts';
import { scaleAndAdd, toFloat } from '../operations/index.ts';
import type { Tensor } from '../tensor.ts';
import type { Bench } from './bench.ts';
import { type ContractCase, type Program, sameBits } from './subject.ts';

const { POSITIVE_INFINITY: infinity, NaN: notANumber } = Number;

/** Where functions change their formula, overflow, or leave the normal range. */
const edges: readonly number[] = [
  ...[0, -0, 1e-45, -1e-45, 1e-39, -1e-39, 1.1754944e-38, 1e-30, 1e-20, 1e-10, -1e-10, 1e-5, -1e-5, 0.3, 0.5, -0.5],
  ...[
    0.6249999,
    0.625,
    Math.SQRT1_2 - 1e-7,
    Math.SQRT1_2,
    0.9999999,
    1,
    -1,
    1.0000001,
    Math.SQRT2,
    1.5,
    2.5,
    -2.5,
    3.5,
    10.9,
    11,
  ],
  ...[-17, -17.1, 20, 20.1, -20, 44.4, 79.9, 80, 87.3, -87.34, 88.3, 88.72, 88.73, -88.8, 100, -100, -103.9, -104],
  ...[-105, 1e3, -1e3, 4194303.5, -4194303.5, 4194304.5, 8388607, 16777216, 1e9, -1e9, 1e15, 1e20, -1e20, 3.4e38],
  ...[-3.4e38, infinity, -infinity, notANumber],
];

/** Parameters p and q that the functions below need; others ignore them. */
const parameters: Partial<Record<MapFunction, readonly (readonly [number, number])[]>> = {
  softplus: [
    [1, 20],
    [2, 20],
    [0.5, 1e30],
  ],
  leakyRelu: [[0.01, 0]],
  clamp: [[-0.5, 2]],
  affine: [[1.7, -0.3]],
  power: [
    [2, 0],
    [0.5, 0],
    [-1.3, 0],
    [0, 0],
    [30, 0],
  ],
};

const everyFunction: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  const values = Float32Array.of(...edges, ...bench.random.floats(400, 8), ...bench.random.floats(100, 200));
  const shuffled = (): Float32Array => values.map(() => values[bench.random.integer(0, values.length)]!);
  for (const name of Object.keys(mapFunctions) as MapFunction[]) {
    const inputs = [values, shuffled(), shuffled()].slice(0, mapArity(mapFunctions[name]));
    for (const [p, q] of parameters[name] ?? [[0, 0]])
      results[`${name} ${p} ${q}`] = map(
        bench.recorder,
        name,
        inputs.map((input) => bench.recorder.upload(input)),
        { p, q },
      );
  }
  return results;
};

/** Shapes of operands that broadcast together. */
const shapes: readonly (readonly (readonly number[])[])[] = [
  [[], []],
  [[1], [7]],
  [
    [5, 1],
    [1, 9],
  ],
  [
    [2, 3, 4],
    [1, 4],
  ],
  [[3, 1, 5], [4, 1], [1]],
  [[17, 33], [33], [17, 1]],
  [[300, 3], [3]],
  [[2, 1, 3, 1, 2, 1], [1, 4, 1, 2, 1, 5], [1]],
  [[2, 700], [700]],
  [[1024], []],
  [[5000], [5000], [5000]],
  [
    [0, 4],
    [1, 4],
  ],
];

function broadcasts(bench: Bench): Record<string, Tensor> {
  const results: Record<string, Tensor> = {};
  for (const operands of shapes) {
    const names: readonly MapFunction[] = operands.length === 2 ? ['subtract', 'divide'] : ['select', 'multiplyAdd'];
    for (const name of names)
      results[`${name} ${operands.map((shape) => `[${shape}]`)}`] = map(
        bench.recorder,
        name,
        operands.map((shape) => bench.floats(shape)),
      );
  }
  const x = bench.tensor(3, 100);
  scaleAndAdd(bench.recorder, x, 0.7, bench.floats([3, 100]));
  results['in place'] = x;
  return results;
}

function conversions({ recorder }: Bench): Record<string, Tensor> {
  const count = 4500;
  const words = Int32Array.from({ length: count }, (_, i) => (i - 2250) * 12345677);
  return {
    i8: toFloat(recorder, recorder.upload(Int8Array.from({ length: count }, (_, i) => i))),
    u8: toFloat(recorder, recorder.upload(Uint8Array.from({ length: count }, (_, i) => i))),
    i32: toFloat(recorder, recorder.upload(words)),
  };
}

export const elementwiseCases: readonly ContractCase[] = [
  sameBits('map: every function', everyFunction),
  sameBits('map: broadcasting', broadcasts),
  sameBits('convert', conversions),
];
