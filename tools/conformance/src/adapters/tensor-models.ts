/** Adapters of state-space layers, recurrent cells and losses. */
import type { Tensor } from '@gallop/tensor';
import * as operations from '@gallop/tensor/operations';
import { registerTensor, type TensorCase } from './tensor-shared.ts';

function stateSpaceInputs({ tensor, optional }: TensorCase): operations.StateSpaceInputs {
  const extra = {
    timeStepBias: optional('timeStepBias'),
    skip: optional('skip'),
    gate: optional('gate'),
    state: optional('initialState') ?? optional('state'),
  };
  return {
    input: tensor('input'),
    timeStep: tensor('timeStep'),
    stateDecay: tensor('stateDecay'),
    inputMatrix: tensor('inputMatrix'),
    outputMatrix: tensor('outputMatrix'),
    ...Object.fromEntries(Object.entries(extra).filter(([, value]) => value !== undefined)),
  };
}

const limits = ({ params }: TensorCase): { timeStepLimits?: readonly [number, number] } =>
  params.timeStepLimits === undefined ? {} : { timeStepLimits: params.timeStepLimits as readonly [number, number] };

registerTensor('state-space', {
  'selective-scan': (golden) => ({ ...operations.selectiveScan(golden.t, stateSpaceInputs(golden)) }),
  'selective-state-update': (golden) => ({ ...operations.selectiveStateUpdate(golden.t, stateSpaceInputs(golden)) }),
  'chunked-scan': (golden) => ({ ...operations.headScan(golden.t, stateSpaceInputs(golden), limits(golden)) }),
  'head-state-update': (golden) => ({
    ...operations.headStateUpdate(golden.t, stateSpaceInputs(golden), limits(golden)),
  }),
  'gated-rms-norm': ({ t, tensor, number }) => ({
    output: operations.gatedRmsNorm(t, tensor('input'), tensor('gate'), tensor('weight'), {
      groupSize: number('groupSize'),
      epsilon: number('epsilon'),
    }),
  }),
});

const cellWeights = ({ tensor, optional }: TensorCase): operations.CellWeights => {
  const [inputBias, hiddenBias] = [optional('inputBias'), optional('hiddenBias')];
  return {
    inputWeight: tensor('inputWeight'),
    hiddenWeight: tensor('hiddenWeight'),
    ...(inputBias && { inputBias }),
    ...(hiddenBias && { hiddenBias }),
  };
};

registerTensor('recurrent', {
  'lstm-cell': (golden) => {
    const { t, tensor } = golden;
    const next = operations.lstmCell(t, tensor('input'), tensor('hidden'), tensor('cell'), cellWeights(golden));
    return { newHidden: next.hidden, newCell: next.cell };
  },
  'gru-cell': (golden) => ({
    newHidden: operations.gruCell(golden.t, golden.tensor('input'), golden.tensor('hidden'), cellWeights(golden)),
  }),
});

const reduced = ({ params }: TensorCase): { reduction?: operations.LossReduction } =>
  params.reduction === undefined ? {} : { reduction: params.reduction as operations.LossReduction };
const between = ({ tensor }: TensorCase): [Tensor, Tensor] => [tensor('input'), tensor('target')];

registerTensor('loss', {
  'cross-entropy': ({ t, tensor, integers, params }) => ({
    output: operations.crossEntropy(
      t,
      tensor('logits'),
      integers('targets').values,
      params as operations.CrossEntropyOptions,
    ),
  }),
  'kl-divergence': (golden) => ({
    output: operations.klDivergence(
      golden.t,
      golden.tensor('logProbabilities'),
      golden.tensor('targetProbabilities'),
      reduced(golden),
    ),
  }),
  'smooth-l1': (golden) => ({
    output: operations.smoothL1(golden.t, ...between(golden), { ...reduced(golden), beta: golden.number('beta') }),
  }),
  'mean-squared-error': (golden) => ({
    output: operations.meanSquaredError(golden.t, ...between(golden), reduced(golden)),
  }),
  'binary-cross-entropy-logits': ({ t, tensor }) => ({
    output: operations.binaryCrossEntropyLogits(t, tensor('logits'), tensor('targets')),
  }),
  'soft-cross-entropy': ({ t, tensor }) => ({
    output: operations.softCrossEntropy(t, tensor('logits'), tensor('targetProbabilities')),
  }),
});
