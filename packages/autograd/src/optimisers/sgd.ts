/** Stochastic gradient descent with momentum (and Nesterov's variant): g += decay · p, b = momentum · b + g, p −= rate · b. */
import type { Backend, Recorder, Tensor } from '@gallop/tensor';
import { assign } from '@gallop/tensor/operations';
import { accumulate, combine, descend, requireGradient, requireRanges } from './arithmetic.ts';
import type { Optimiser } from './optimiser.ts';
import { ParameterStates, Variable } from './state.ts';

export interface SgdOptions {
  readonly learningRate: number;
  /** Default: 0. */
  readonly momentum?: number;
  /** The gradient plus momentum times the new buffer. Default: false. */
  readonly nesterov?: boolean;
  /** The gradient enters the buffer times 1 − dampening, but whole at the first update. Default: 0. */
  readonly dampening?: number;
  /** Added to the gradient. Default: 0. */
  readonly weightDecay?: number;
}

/** @throws GallopError `invalid-argument` for rates out of range */
export function sgd(backend: Backend, options: SgdOptions): Optimiser {
  const { learningRate, momentum = 0, nesterov = false, dampening = 0, weightDecay = 0 } = options;
  requireRanges({ learningRate: [learningRate, 0], momentum: [momentum, 0, 1], weightDecay: [weightDecay, 0] });
  const states = new ParameterStates((parameter) => ({ buffer: new Variable(backend, parameter.shape), updates: 0 }));
  return {
    update(t: Recorder, parameter: Tensor, gradient: Tensor, multiplier = 1): void {
      requireGradient(parameter, gradient);
      const slope = weightDecay > 0 ? combine(t, 1, gradient, weightDecay, parameter) : gradient;
      if (momentum === 0) {
        descend(t, parameter, learningRate * multiplier, slope);
        return;
      }
      const state = states.of(parameter);
      const buffer = state.buffer.tensor;
      if (state.updates++ === 0) assign(t, buffer, slope);
      else accumulate(t, buffer, momentum, 1 - dampening, slope);
      descend(t, parameter, learningRate * multiplier, nesterov ? combine(t, 1, slope, momentum, buffer) : buffer);
    },
    get stateBytes(): number {
      return [...states.values()].reduce((sum, { buffer }) => sum + buffer.tensor.byteLength, 0);
    },
    dispose(): void {
      for (const { buffer } of states.values()) buffer.free();
    },
  };
}
