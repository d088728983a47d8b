/** Operations that are composed of others, one by one: their commands must agree in every combination that they make. */
import {
  absolute,
  adaptiveAveragePool2d,
  batchNormInference,
  binaryCrossEntropyLogits,
  conv1d,
  crossEntropy,
  gelu,
  gruCell,
  headStateUpdate,
  interpolate,
  klDivergence,
  l2Normalise,
  linear,
  lstmCell,
  meanSquaredError,
  multiAxisRotaryTable,
  patchEmbedding,
  pixelShuffle,
  pixelUnshuffle,
  rotaryTable,
  rotate,
  selectiveStateUpdate,
  smoothL1,
  softCrossEntropy,
  softmax,
  squaredRelu,
} from '../operations/index.ts';
import type { Tensor } from '../tensor.ts';
import { type ContractCase, type Program, sameBits } from './subject.ts';

const vision: Program = (bench) => {
  const { recorder: t } = bench;
  const x = bench.floats([2, 8, 7, 9]);
  const results: Record<string, Tensor> = {
    'one axis': conv1d(t, bench.floats([2, 4, 11]), bench.floats([6, 2, 3]), {
      stride: 2,
      padding: 2,
      dilation: 2,
      groups: 2,
    }),
    patches: patchEmbedding(t, bench.floats([2, 3, 8, 12]), bench.floats([10, 3, 4, 4]), bench.floats([10])),
    'adaptive pool': adaptiveAveragePool2d(t, x, [3, 4]),
    shuffle: pixelShuffle(t, x, 2),
    unshuffle: pixelUnshuffle(t, bench.floats([1, 2, 6, 9]), 3),
    'batch norm': batchNormInference(
      t,
      x,
      { mean: bench.floats([8]), variance: absolute(t, bench.floats([8])) },
      { weight: bench.floats([8]), bias: bench.floats([8]) },
    ),
  };
  for (const mode of ['nearest', 'bilinear', 'bicubic', 'area'] as const)
    results[mode] = interpolate(t, x, [5, 13], { mode });
  results.corners = interpolate(t, x, [13, 1], { mode: 'bilinear', alignCorners: true });
  return results;
};

const recurrent: Program = (bench) => {
  const { recorder: t } = bench;
  const weights = (gates: number) => ({
    inputWeight: bench.floats([gates * 5, 3]),
    hiddenWeight: bench.floats([gates * 5, 5]),
    inputBias: bench.floats([gates * 5]),
    hiddenBias: bench.floats([gates * 5]),
  });
  const [input, hidden] = [bench.floats([4, 3]), bench.floats([4, 5])];
  const lstm = lstmCell(t, input, hidden, bench.floats([4, 5]), weights(4));
  const step = selectiveStateUpdate(t, {
    input: bench.floats([2, 3]),
    timeStep: bench.floats([2, 3]),
    stateDecay: bench.floats([3, 6], -1),
    inputMatrix: bench.floats([2, 6]),
    outputMatrix: bench.floats([2, 6]),
    timeStepBias: bench.floats([3]),
    skip: bench.floats([3]),
    gate: bench.floats([2, 3]),
    state: bench.floats([2, 3, 6]),
  });
  const headStep = headStateUpdate(t, {
    input: bench.floats([2, 4, 3]),
    timeStep: bench.floats([2, 4]),
    stateDecay: bench.floats([4], -1),
    inputMatrix: bench.floats([2, 2, 6]),
    outputMatrix: bench.floats([2, 2, 6]),
    state: bench.floats([2, 4, 3, 6]),
  });
  return {
    'lstm hidden': lstm.hidden,
    'lstm cell': lstm.cell,
    gru: gruCell(t, input, hidden, weights(3)),
    'selective step': step.output,
    'selective state': step.state,
    'head step': headStep.output,
    'head state': headStep.state,
  };
};

const rowsAndLosses: Program = (bench) => {
  const { recorder: t } = bench;
  const [x, target] = [bench.floats([5, 12]), bench.floats([5, 12])];
  const probabilities = softmax(t, target);
  const positions = t.upload(Int32Array.of(0, 3, 1000, 1, 2, 99999, 5, 0, 7), [3, 3]);
  const frequencies = t.upload(Float32Array.of(1, 0.3, 0.01, 0.0001), [4]);
  const sections = { sections: [2, 1, 1], interleaved: true };
  return {
    linear: linear(t, x, bench.floats([7, 12]), bench.floats([7])),
    gelu: gelu(t, x),
    'squared relu': squaredRelu(t, x),
    unit: l2Normalise(t, x),
    rotary: rotaryTable(t, t.upload(Int32Array.of(0, 17, 4096)), frequencies, 0.7),
    'many axes': rotate(
      t,
      bench.floats([2, 3, 10]),
      multiAxisRotaryTable(t, positions, frequencies, sections),
      'halves',
    ),
    'cross-entropy': crossEntropy(t, x, Int32Array.of(3, -100, 0, 11, 5), { labelSmoothing: 0.1 }),
    'by row': crossEntropy(t, x, Int32Array.of(3, -100, 0, 11, 5), { reduction: 'none' }),
    divergence: klDivergence(t, x, probabilities),
    'smooth error': smoothL1(t, x, target, { beta: 0.5, reduction: 'sum' }),
    'squared error': meanSquaredError(t, x, target),
    binary: binaryCrossEntropyLogits(t, x, probabilities),
    soft: softCrossEntropy(t, x, probabilities),
  };
};

export const compositeCases: readonly ContractCase[] = [
  sameBits('composed: images', vision),
  sameBits('composed: recurrent cells and single steps', recurrent),
  sameBits('composed: rows, rotary tables, losses', rowsAndLosses),
];
