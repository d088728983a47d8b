/**
 * Lion (Chen et al., 2023, "Symbolic Discovery of Optimization Algorithms"): p = p (1 − rate · decay) − rate · sign(β₁ m +
 * (1 − β₁) g); m = β₂ m + (1 − β₂) g.
 */
import type { Backend } from '@gallop/tensor';
import { sign } from '@gallop/tensor/operations';
import { accumulate, combine, requireRanges } from './arithmetic.ts';
import { momentumOptimiser } from './momentum-optimiser.ts';
import type { Optimiser } from './optimiser.ts';

export interface LionOptions {
  readonly learningRate: number;
  /** Default: 0.9. */
  readonly beta1?: number;
  /** Default: 0.99. */
  readonly beta2?: number;
  /** Default: 0. */
  readonly weightDecay?: number;
}

/** @throws GallopError `invalid-argument` for rates out of range */
export function lion(backend: Backend, options: LionOptions): Optimiser {
  const { learningRate, beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = options;
  requireRanges({
    learningRate: [learningRate, 0],
    beta1: [beta1, 0, 1],
    beta2: [beta2, 0, 1],
    weightDecay: [weightDecay, 0],
  });
  return momentumOptimiser(backend, {
    learningRate,
    weightDecay,
    direction(t, gradient, momentum) {
      const direction = sign(t, combine(t, beta1, momentum, 1 - beta1, gradient));
      accumulate(t, momentum, beta2, 1 - beta2, gradient);
      return direction;
    },
  });
}
