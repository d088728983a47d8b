/** Optimisers with one momentum buffer for each parameter, which differ in the direction that they make of it. */
import type { Backend, Recorder, Tensor } from '@gallop/tensor';
import { descend, requireGradient } from './arithmetic.ts';
import type { Optimiser } from './optimiser.ts';
import { ParameterStates, Variable } from './state.ts';

interface MomentumRule {
  readonly learningRate: number;
  /** The parameter shrinks by rate · decay first. */
  readonly weightDecay: number;
  /** The direction to descend; brings the buffer up to date. */
  direction(t: Recorder, gradient: Tensor, buffer: Tensor): Tensor;
}

export function momentumOptimiser(backend: Backend, rule: MomentumRule): Optimiser {
  const buffers = new ParameterStates((parameter) => new Variable(backend, parameter.shape));
  return {
    update(t: Recorder, parameter: Tensor, gradient: Tensor, multiplier = 1): void {
      requireGradient(parameter, gradient);
      const rate = rule.learningRate * multiplier;
      const direction = rule.direction(t, gradient, buffers.of(parameter).tensor);
      descend(t, parameter, rate, direction, rate * rule.weightDecay);
    },
    get stateBytes(): number {
      return [...buffers.values()].reduce((sum, { tensor }) => sum + tensor.byteLength, 0);
    },
    dispose(): void {
      for (const buffer of buffers.values()) buffer.free();
    },
  };
}
