/** Layers made of several commands or of a scan: convolutions, attention, state-space models; and errors. */
import { GallopError } from '@gallop/core';
import { expect } from 'vitest';
import { scanGradient } from '../operations/gradients.ts';
import {
  add,
  attendSegment,
  averagePool2d,
  causalDepthwiseConvolution,
  conv2d,
  conv2dTransposed,
  denseAttention,
  embedding,
  headScan,
  interpolate,
  largest,
  matmul,
  maxPool2d,
  mergeSegments,
  permute,
  reshape,
  rotate,
  selectiveScan,
  softmax,
} from '../operations/index.ts';
import { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { type ContractCase, type Program, sameBits } from './subject.ts';

const images: Program = (bench) => {
  const { recorder } = bench;
  const results: Record<string, Tensor> = {};
  const x = bench.floats([2, 4, 9, 11]);
  for (const options of [{}, { stride: [2, 3], padding: [1, 2] }, { dilation: 2, padding: 4, groups: 2 }] as const) {
    const weight = bench.floats([6, 'groups' in options ? 2 : 4, 3, 3]);
    const bias = bench.floats([6]);
    results[`convolution ${JSON.stringify(options)}`] = conv2d(recorder, x, weight, { ...options, bias });
  }
  results.transposed = conv2dTransposed(recorder, x, bench.floats([4, 3, 3, 2]), {
    stride: [2, 3],
    padding: 1,
    outputPadding: [1, 2],
    groups: 2,
  });
  results['largest pool'] = maxPool2d(recorder, x, 3, { stride: 2, padding: 1 });
  results['mean pool'] = averagePool2d(recorder, x, 3, { stride: 2, padding: 1, countPadding: false });
  results.resampled = interpolate(recorder, x, [5, 20], { mode: 'bicubic', antialias: true });
  return results;
};

const sequences: Program = (bench) => {
  const { recorder } = bench;
  const results: Record<string, Tensor> = {};
  for (const timeAxis of [-1, -2] as const) {
    const shape = timeAxis === -1 ? [2, 5, 9] : [2, 9, 5];
    const { output, state } = causalDepthwiseConvolution(recorder, bench.floats(shape), bench.floats([5, 4]), {
      bias: bench.floats([5]),
      activation: 'silu',
      timeAxis,
    });
    Object.assign(results, { [`causal ${timeAxis}`]: output, [`causal state ${timeAxis}`]: state });
  }
  for (const states of [1, 4, 16, 37]) {
    const inputs = {
      input: bench.floats([2, 3, 6]),
      timeStep: bench.floats([2, 3, 6]),
      stateDecay: bench.floats([3, states], -1),
      inputMatrix: bench.floats([2, states, 6]),
      outputMatrix: bench.floats([2, states, 6]),
      gate: bench.floats([2, 3, 6]),
    };
    const { output, state } = selectiveScan(recorder, inputs);
    Object.assign(results, { [`scan ${states}`]: output, [`scan state ${states}`]: state });
    const heads = headScan(
      recorder,
      {
        input: bench.floats([1, 5, 4, 3]),
        timeStep: bench.floats([1, 5, 4]),
        stateDecay: bench.floats([4], -1),
        inputMatrix: bench.floats([1, 5, 2, states]),
        outputMatrix: bench.floats([1, 5, 2, states]),
        skip: bench.floats([4]),
        state: bench.floats([1, 4, 3, states]),
      },
      { timeStepLimits: [0.1, 2] },
    );
    Object.assign(results, { [`heads ${states}`]: heads.output, [`heads state ${states}`]: heads.state });
  }
  return results;
};

const scanGradients: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const [states, channelsFirst] of [
    [3, true],
    [20, false],
  ] as const) {
    const [heads, inner, length] = [4, channelsFirst ? 1 : 3, 5];
    const x = bench.floats(channelsFirst ? [2, heads, inner, length] : [2, length, heads, inner]);
    const inputs = {
      x,
      timeStep: bench.floats(channelsFirst ? [2, heads, length] : [2, length, heads]),
      decay: bench.floats(channelsFirst ? [heads, states] : [heads], -1),
      inputMatrix: bench.floats([2, length, 2, states]),
      outputMatrix: bench.floats([2, length, 2, states]),
      state: bench.floats([2, heads, inner, states]),
    };
    const gradients = scanGradient(bench.recorder, inputs, channelsFirst, bench.floats(x.shape), undefined);
    gradients.forEach((gradient, i) => {
      results[`${states} states: ${i}`] = gradient;
    });
  }
  return results;
};

const attending: Program = (bench) => {
  const { recorder } = bench;
  const query = bench.floats([2, 4, 5, 12]);
  const [key, value] = [bench.floats([2, 2, 9, 12]), bench.floats([2, 2, 9, 20])];
  const segments = [3, 1, 7].map((length) =>
    attendSegment(recorder, bench.floats([2, 5, 8]), bench.floats([2, length, 8]), bench.floats([2, length, 8]), 0.3),
  );
  const merged = mergeSegments(recorder, segments);
  return {
    plain: denseAttention(recorder, query, key, value),
    everything: denseAttention(recorder, query, key, value, {
      scale: 0.3,
      softcap: 5,
      bias: bench.floats([1, 4, 5, 9]),
      mask: recorder.upload(
        Float32Array.from({ length: 18 }, (_, i) => i % 4),
        [2, 1, 1, 9],
      ),
      causal: true,
      window: 4,
      sinks: bench.floats([4]),
    }),
    merged: merged.output,
    'merged sum': merged.logSumExp,
    rotated: rotate(recorder, query, bench.floats([5, 8]), 'adjacent'),
  };
};

/** What an operation must refuse, on whatever backend. */
function refusals(t: Recorder): Record<string, () => unknown> {
  const x = t.upload(new Float32Array(6), [2, 3]);
  return {
    'shapes that do not broadcast': () => add(t, x, t.upload(new Float32Array(4), [4])),
    'indices as numbers': () => add(t, x, t.upload(Int32Array.of(1, 2, 3))),
    'unequal inner sizes': () => matmul(t, x, x),
    'a vector in a product': () => matmul(t, x, t.upload(new Float32Array(3), [3])),
    'an axis beyond the last': () => softmax(t, x, 2),
    'an order with an axis twice': () => permute(t, x, [0, 0]),
    'another number of elements': () => reshape(t, x, [4, 2]),
    'two unknown sizes': () => reshape(t, x, [-1, -1]),
    'a negative size': () => t.empty([2, -1]),
    'a size beyond all memory': () => t.empty([2 ** 30, 2 ** 30]),
    'nine axes': () => t.empty(new Array(9).fill(1)),
    'fewer values than the shape': () => t.upload(new Float32Array(5), [2, 3]),
    'an index beyond the table': () => embedding(t, x, Int32Array.of(0, 2)),
    'a negative index': () => embedding(t, x, Int32Array.of(-1)),
    'the largest of nothing': () => largest(t, t.upload(new Float32Array(0), [2, 0]), { axes: [1] }),
    'a kernel larger than the image': () =>
      conv2d(t, t.upload(new Float32Array(4), [1, 1, 2, 2]), t.upload(new Float32Array(9), [1, 1, 3, 3])),
    'an image beyond all memory': () =>
      interpolate(t, t.upload(new Float32Array(1), [1, 1, 1, 1]), 1e12, { mode: 'nearest' }),
    'a stride of zero': () =>
      conv2d(t, t.upload(new Float32Array(4), [1, 1, 2, 2]), t.upload(new Float32Array(1), [1, 1, 1, 1]), {
        stride: 0,
      }),
    'query heads that key heads do not divide': () =>
      denseAttention(
        t,
        t.upload(new Float32Array(3), [1, 3, 1, 1]),
        t.upload(new Float32Array(2), [1, 2, 1, 1]),
        t.upload(new Float32Array(2), [1, 2, 1, 1]),
      ),
  };
}

const refusesWrongArguments: ContractCase = {
  name: 'operations: wrong arguments',
  check: async (subject) => {
    const backend = await subject.create({ threads: 1 });
    const recorder = new Recorder(backend);
    try {
      for (const [what, action] of Object.entries(refusals(recorder)))
        expect(action, what).toThrow(
          expect.toSatisfy((error) => GallopError.isInstance(error, 'invalid-argument')) as Error,
        );
      recorder.flush();
    } finally {
      recorder.dispose();
      backend.dispose();
    }
  },
};

export const layerCases: readonly ContractCase[] = [
  sameBits('convolutions, pools and resampling', images),
  sameBits('state-space layers', sequences),
  sameBits('gradient of a scan', scanGradients),
  sameBits('dense attention', attending),
  refusesWrongArguments,
];
