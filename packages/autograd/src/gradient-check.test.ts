/**
 * Gradients against finite differences: for every operation with a gradient, the change of a weighted sum of its results
 * along a random direction, divided by the step, equals the gradient along that direction.
 */
import { createReferenceBackend, type Recorder, type Tensor } from '@gallop/tensor';
import * as operations from '@gallop/tensor/operations';
import { expect, test } from 'vitest';
import { Tape } from './tape.ts';

/** Numbers of [−1, 1), repeatable. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

type Compute = (t: Recorder, inputs: readonly Tensor[]) => Tensor;

interface Check {
  readonly shapes: readonly (readonly number[])[];
  readonly compute: Compute;
  /** How inputs are made of numbers of [−1, 1). Default: as they are. */
  readonly from?: (x: number) => number;
}

const positive = (x: number): number => Math.abs(x) + 0.3;
/** Numbers at least 0.05 apart, so that no step crosses a kink. */
function spaced(): () => number {
  let i = 0;
  return () => ((i++ * 97) % 241) / 20;
}
const unary = (compute: (t: Recorder, x: Tensor) => Tensor, from?: (x: number) => number): Check => ({
  shapes: [[3, 7]],
  compute: (t, [x]) => compute(t, x!),
  ...(from && { from }),
});
const binary = (compute: (t: Recorder, a: Tensor, b: Tensor) => Tensor, from?: (x: number) => number): Check => ({
  shapes: [
    [2, 3, 5],
    [3, 1],
  ],
  compute: (t, [a, b]) => compute(t, a!, b!),
  ...(from && { from }),
});
const ids = { values: Int32Array.of(2, 0, 2, 1), shape: [2, 2] };
const spatial = (compute: (t: Recorder, x: Tensor, weight: Tensor) => Tensor, weight: readonly number[]): Check => ({
  shapes: [[2, 4, 6, 5], weight],
  compute: (t, [x, kernel]) => compute(t, x!, kernel!),
});

const checks: Readonly<Record<string, Check>> = {
  exp: unary(operations.exp),
  log: unary(operations.log, positive),
  squareRoot: unary(operations.squareRoot, positive),
  reciprocalSquareRoot: unary(operations.reciprocalSquareRoot, positive),
  reciprocal: unary(operations.reciprocal, positive),
  square: unary(operations.square),
  sine: unary(operations.sine),
  cosine: unary(operations.cosine),
  tanh: unary(operations.tanh),
  sigmoid: unary(operations.sigmoid),
  silu: unary(operations.silu),
  erf: unary(operations.erf),
  elu: unary(operations.elu),
  squaredRelu: unary(operations.squaredRelu),
  gelu: unary((t, x) => operations.gelu(t, x)),
  'gelu, tanh': unary((t, x) => operations.gelu(t, x, 'tanh')),
  'gelu, quick': unary((t, x) => operations.gelu(t, x, 'quick')),
  softplus: unary((t, x) => operations.softplus(t, x, { beta: 2 })),
  power: unary((t, x) => operations.power(t, x, 1.7), positive),
  add: binary(operations.add),
  subtract: binary(operations.subtract),
  multiply: binary(operations.multiply),
  divide: binary(operations.divide, positive),
  maximum: binary(operations.maximum, spaced()),
  minimum: binary(operations.minimum, spaced()),
  'the same tensor twice': unary((t, x) => operations.multiply(t, x, x)),
  sum: unary((t, x) => operations.sum(t, x, { axes: [0] })),
  mean: unary((t, x) => operations.mean(t, x)),
  variance: unary((t, x) => operations.variance(t, x, { axes: [1] })),
  'log-sum-exp': unary((t, x) => operations.logSumExp(t, x, { axes: [0] })),
  'running sum': unary((t, x) => operations.cumulativeSum(t, x, 1, { reverse: true })),
  largest: unary((t, x) => operations.largest(t, x, { axes: [1] })),
  'top k': unary((t, x) => operations.topK(t, x, 3).values),
  sort: unary((t, x) => operations.sort(t, x).values),
  softmax: unary((t, x) => operations.softmax(t, x, 0)),
  'log softmax': unary((t, x) => operations.logSoftmax(t, x)),
  'rms norm': unary((t, x) => operations.rmsNorm(t, x)),
  'layer norm': {
    shapes: [[4, 6], [6], [6]],
    compute: (t, [x, weight, bias]) => operations.layerNorm(t, x!, { weight: weight!, bias: bias! }),
  },
  'group norm': {
    shapes: [[2, 4, 3], [4]],
    compute: (t, [x, weight]) => operations.groupNorm(t, x!, 2, { weight: weight! }),
  },
  permute: unary((t, x) => operations.permute(t, x, [1, 0])),
  slice: unary((t, x) => operations.slice(t, x, { starts: [1, 0], steps: [1, 3] })),
  pad: unary((t, x) => operations.pad(t, x, [1, 2], [0, 3], 4)),
  'repeat interleave': unary((t, x) => operations.repeatInterleave(t, x, 0, 2)),
  concatenate: {
    shapes: [
      [2, 3],
      [2, 0],
      [2, 4],
    ],
    compute: (t, parts) => operations.concatenate(t, parts, 1),
  },
  embedding: { shapes: [[3, 5]], compute: (t, [table]) => operations.embedding(t, table!, ids) },
  gather: { shapes: [[3, 4]], compute: (t, [x]) => operations.gather(t, x!, 0, ids) },
  'scatter add': {
    shapes: [
      [3, 2],
      [2, 2],
    ],
    compute: (t, [base, source]) => operations.scatterAdd(t, base!, 0, ids, source!),
  },
  scatter: {
    shapes: [
      [4, 2],
      [2, 2],
    ],
    compute: (t, [base, source]) =>
      operations.scatter(t, base!, 0, { values: Int32Array.of(3, 0, 1, 2), shape: [2, 2] }, source!),
  },
  'index add': {
    shapes: [
      [3, 5],
      [2, 2, 5],
    ],
    compute: (t, [base, source]) => operations.indexAdd(t, base!, 0, ids, source!),
  },
  ...Object.fromEntries(
    [false, true].flatMap((transposeLeft) =>
      [false, true].map((transposeRight) => [
        `product ${transposeLeft} ${transposeRight}`,
        {
          shapes: [transposeLeft ? [2, 1, 4, 3] : [2, 1, 3, 4], transposeRight ? [3, 5, 4] : [3, 4, 5]],
          compute: (t, [a, b]) => operations.matmul(t, a!, b!, { transposeLeft, transposeRight }),
        } satisfies Check,
      ]),
    ),
  ),
  convolution: spatial(
    (t, x, weight) => operations.conv2d(t, x, weight, { stride: [2, 1], padding: 1, groups: 2 }),
    [6, 2, 3, 3],
  ),
  'dilated convolution': spatial((t, x, weight) => operations.conv2d(t, x, weight, { dilation: 2 }), [3, 4, 2, 2]),
  'transposed convolution': spatial(
    (t, x, weight) => operations.conv2dTransposed(t, x, weight, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
    [4, 3, 3, 3],
  ),
  'patch embedding': spatial((t, x, weight) => operations.patchEmbedding(t, x, weight), [3, 4, 2, 2]),
  'largest pool': {
    ...spatial((t, x) => operations.maxPool2d(t, x, 3, { stride: 2, padding: 1 }), [1]),
    from: spaced(),
  },
  'mean pool': spatial(
    (t, x) => operations.averagePool2d(t, x, 3, { stride: 2, padding: 1, countPadding: false }),
    [1],
  ),
  resampling: spatial((t, x) => operations.interpolate(t, x, [4, 9], { mode: 'bicubic' }), [1]),
  'causal convolution': {
    shapes: [[2, 3, 6], [3, 4], [3], [2, 3, 3]],
    compute: (t, [x, weight, bias, state]) =>
      operations.causalDepthwiseConvolution(t, x!, weight!, { bias: bias!, state: state!, activation: 'silu' }).output,
  },
  rotation: {
    shapes: [[2, 3, 8]],
    compute: (t, [x]) => {
      const table = operations.rotaryTable(
        t,
        t.upload(Int32Array.of(0, 5, 9)),
        t.upload(Float32Array.of(1, 0.2), [2]),
        0.9,
      );
      return operations.rotate(t, x!, table, 'adjacent');
    },
  },
  attention: {
    shapes: [[1, 4, 3, 5], [1, 2, 6, 5], [1, 2, 6, 4], [4], [1, 4, 3, 6]],
    compute: (t, [query, key, value, sinks, bias]) =>
      operations.denseAttention(t, query!, key!, value!, {
        softcap: 3,
        causal: true,
        window: 3,
        sinks: sinks!,
        bias: bias!,
      }),
  },
  'selective scan': {
    shapes: [
      [2, 3, 5],
      [2, 3, 5],
      [3, 4],
      [2, 4, 5],
      [2, 4, 5],
      [2, 3, 4],
    ],
    compute: (t, [input, timeStep, stateDecay, inputMatrix, outputMatrix, state]) =>
      operations.selectiveScan(t, {
        input: input!,
        timeStep: timeStep!,
        stateDecay: stateDecay!,
        inputMatrix: inputMatrix!,
        outputMatrix: outputMatrix!,
        state: state!,
      }).output,
  },
  'last state of a head scan': {
    shapes: [[1, 5, 4, 2], [1, 5, 4], [4], [1, 5, 2, 3], [1, 5, 2, 3]],
    compute: (t, [input, timeStep, stateDecay, inputMatrix, outputMatrix]) =>
      operations.headScan(t, {
        input: input!,
        timeStep: timeStep!,
        stateDecay: stateDecay!,
        inputMatrix: inputMatrix!,
        outputMatrix: outputMatrix!,
      }).state,
  },
  'cross-entropy': {
    shapes: [[4, 6]],
    compute: (t, [logits]) =>
      operations.crossEntropy(t, logits!, Int32Array.of(1, -100, 5, 0), { labelSmoothing: 0.1 }),
  },
};

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

test.each(Object.entries(checks))('%s', (_name, { shapes, compute, from = (x) => x }) => {
  const t = new Tape(createReferenceBackend());
  const next = numbers(shapes.flat().reduce((a, b) => a * 31 + b, 7));
  const values = shapes.map((shape) => Float32Array.from({ length: count(shape) }, () => from(next())));
  const directions = values.map((value) => value.map(() => next()));
  let weights = new Float32Array();
  const weighted = (step: number): number =>
    t.scope(() => {
      const inputs = values.map((value, i) =>
        t.upload(
          value.map((x, j) => x + step * directions[i]![j]!),
          shapes[i]!,
        ),
      );
      const output = compute(t, inputs);
      t.flush();
      return output.floats().reduce((sum, y, i) => sum + y * weights[i]!, 0);
    });
  const slope = t.record(() => {
    const inputs = values.map((value, i) => t.upload(value, shapes[i]!));
    const output = compute(t, inputs);
    weights = Float32Array.from({ length: output.size }, () => next());
    const gradients = t.gradients([{ output, gradient: t.upload(weights, output.shape) }], inputs);
    t.flush();
    expect(gradients.map(({ shape }) => shape)).toEqual(shapes);
    return gradients.reduce(
      (sum, gradient, i) => sum + gradient.floats().reduce((part, g, j) => part + g * directions[i]![j]!, 0),
      0,
    );
  });
  // A central difference at two steps, extrapolated: float32 results allow about four digits.
  const difference = (h: number): number => (weighted(h) - weighted(-h)) / (2 * h);
  const expected = (4 * difference(0.004) - difference(0.008)) / 3;
  expect(Math.abs(slope - expected) / (1 + Math.abs(expected))).toBeLessThan(4e-3);
});
