/** Adapters of optimisers, schedules, clipping and averages. */
import {
  type AdamOptions,
  type AuonOptions,
  adam,
  adamW,
  auon,
  auonBrake,
  averageDecay,
  clipNorm,
  clipValue,
  cooldownSchedule,
  cosineMinimumSchedule,
  cosineSchedule,
  type LionOptions,
  linearSchedule,
  lion,
  type MuonOptions,
  muon,
  type NewtonSchulzOptions,
  newtonSchulz,
  type Optimiser,
  type Schedule,
  type SgdOptions,
  sgd,
  updateAverage,
  Variable,
  warmupStableDecaySchedule,
} from '@gallop/autograd';
import type { Backend, Tensor } from '@gallop/tensor';
import { affine, reshape } from '@gallop/tensor/operations';
import { type CaseContext, register } from '../registry.ts';
import { registerTensor, type TensorCase } from './tensor-shared.ts';

/** The tensors `0.name`, `1.name`, … of a case. */
function steps({ optional }: TensorCase, name: string): Tensor[] {
  const found: Tensor[] = [];
  for (let tensor = optional(`0.${name}`); tensor !== undefined; tensor = optional(`${found.length}.${name}`))
    found.push(tensor);
  return found;
}

/** A copy of a tensor as it is after what was recorded so far. */
const copyOf = ({ t }: TensorCase, tensor: Tensor): Tensor => affine(t, tensor, 1);

function variableOf({ backend }: TensorCase, tensor: Tensor): Tensor {
  return new Variable(backend, tensor.shape, tensor.floats().slice() as Float32Array).tensor;
}

const optimised =
  (create: (backend: Backend, options: never) => Optimiser) =>
  (golden: TensorCase): Record<string, Tensor> => {
    const optimiser = create(golden.backend, golden.params as never);
    const parameter = variableOf(golden, golden.tensor('parameter'));
    return Object.fromEntries(
      steps(golden, 'gradient').map((gradient, i) => {
        optimiser.update(golden.t, parameter, gradient);
        return [`${i}.parameter`, copyOf(golden, parameter)] as const;
      }),
    );
  };

const iterated =
  (bfloat16: boolean) =>
  ({ t, tensor, params }: TensorCase): Record<string, Tensor> => ({
    output: newtonSchulz(t, tensor('input'), { ...(params as NewtonSchulzOptions), bfloat16 }),
  });

registerTensor('optimiser', {
  'sgd-momentum': optimised((backend, options: SgdOptions) => sgd(backend, options)),
  adam: optimised((backend, options: AdamOptions) => adam(backend, options)),
  adamw: optimised((backend, options: AdamOptions) => adamW(backend, options)),
  lion: optimised((backend, options: LionOptions) => lion(backend, options)),
  muon: optimised((backend, options: MuonOptions) => muon(backend, options)),
  auon: optimised((backend, options: AuonOptions) => auon(backend, options)),
  'newton-schulz': iterated(false),
  'newton-schulz-bfloat16': iterated(true),
  'clip-value': ({ t, tensor, number }) => ({ gradient: clipValue(t, tensor('gradient'), number('maximum')) }),
  ema: (golden) => {
    const average = variableOf(golden, golden.tensor('average'));
    return Object.fromEntries(
      steps(golden, 'parameter').map((parameter, i) => {
        const keep = averageDecay(i, golden.number('decay'), golden.params.warmup as boolean);
        updateAverage(golden.t, average, parameter, keep);
        return [`${i}.average`, copyOf(golden, average)] as const;
      }),
    );
  },
  'auon-brake': ({ t, tensor, number }) => ({
    factor: reshape(t, auonBrake(t, tensor('input'), number('gamma')), [1]),
  }),
  'clip-norm': (golden) => {
    const { gradients, norm } = clipNorm(golden.t, steps(golden, 'gradient'), golden.number('maximum'));
    return {
      norm: reshape(golden.t, norm, [1]),
      ...Object.fromEntries(gradients.map((gradient, i) => [`${i}.gradient`, gradient])),
    };
  },
});

const schedules: Readonly<Record<string, (options: never) => Schedule>> = {
  'schedule-cosine-warmup': cosineSchedule,
  'schedule-cosine-minimum': cosineMinimumSchedule,
  'schedule-linear-warmup': linearSchedule,
  'schedule-warmup-stable-decay': warmupStableDecaySchedule,
  'schedule-cooldown': cooldownSchedule,
};

/** The recorded steps: three beyond the end of a schedule, except for the cooldown. */
function stepCount({ operation, params }: CaseContext): number {
  const { totalSteps, warmupSteps, stableSteps, decaySteps } = params as Record<string, number>;
  if (operation === 'schedule-cooldown') return totalSteps!;
  return (totalSteps ?? warmupSteps! + stableSteps! + decaySteps!) + 3;
}

for (const [operation, schedule] of Object.entries(schedules))
  register('tensor', 'optimiser', operation, (context) => {
    const multiplier = schedule(context.params as never);
    return { multiplier: Array.from({ length: stepCount(context) }, (_, step) => multiplier(step)) };
  });
