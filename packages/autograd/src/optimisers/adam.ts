/**
 * Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019): m = β₁ m + (1 − β₁) g, v = β₂ v + (1 − β₂) g²,
 * p −= rate · m̂ / (√v̂ + ε) with bias-corrected m̂ and v̂. Adam adds the decay to the gradient; AdamW shrinks p first.
 */
import type { Backend, Recorder, Tensor } from '@gallop/tensor';
import { affine, divide, square, squareRoot } from '@gallop/tensor/operations';
import { accumulate, combine, descend, requireGradient, requireRanges } from './arithmetic.ts';
import type { Optimiser } from './optimiser.ts';
import { ParameterStates, Variable } from './state.ts';

export interface AdamOptions {
  readonly learningRate: number;
  /** Default: 0.9. */
  readonly beta1?: number;
  /** Default: 0.999. */
  readonly beta2?: number;
  /** Added outside the root. Default: 1e-8. */
  readonly epsilon?: number;
  /** Default: 0. */
  readonly weightDecay?: number;
}

function adamWith(backend: Backend, options: AdamOptions, decoupled: boolean): Optimiser {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  requireRanges({
    learningRate: [learningRate, 0],
    beta1: [beta1, 0, 1],
    beta2: [beta2, 0, 1],
    epsilon: [epsilon, 0],
    weightDecay: [weightDecay, 0],
  });
  const states = new ParameterStates((parameter) => ({
    mean: new Variable(backend, parameter.shape),
    square: new Variable(backend, parameter.shape),
    updates: 0,
  }));
  return {
    update(t: Recorder, parameter: Tensor, gradient: Tensor, multiplier = 1): void {
      requireGradient(parameter, gradient);
      const state = states.of(parameter);
      const rate = learningRate * multiplier;
      const updates = ++state.updates;
      const slope = weightDecay > 0 && !decoupled ? combine(t, 1, gradient, weightDecay, parameter) : gradient;
      accumulate(t, state.mean.tensor, beta1, 1 - beta1, slope);
      accumulate(t, state.square.tensor, beta2, 1 - beta2, square(t, slope));
      const root = affine(t, squareRoot(t, state.square.tensor), 1 / Math.sqrt(1 - beta2 ** updates), epsilon);
      const direction = divide(t, state.mean.tensor, root);
      descend(t, parameter, rate / (1 - beta1 ** updates), direction, decoupled ? rate * weightDecay : 0);
    },
    get stateBytes(): number {
      return [...states.values()].reduce((sum, state) => sum + 2 * state.mean.tensor.byteLength, 0);
    },
    dispose(): void {
      for (const state of states.values()) {
        state.mean.free();
        state.square.free();
      }
    },
  };
}

/** Weight decay is added to the gradient. @throws GallopError `invalid-argument` for rates out of range */
export function adam(backend: Backend, options: AdamOptions): Optimiser {
  return adamWith(backend, options, false);
}

/** Weight decay shrinks the parameter by rate · decay first. @throws GallopError `invalid-argument` for rates out of range */
export function adamW(backend: Backend, options: AdamOptions): Optimiser {
  return adamWith(backend, options, true);
}
