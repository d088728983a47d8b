/**
 * AuON ("AuON: A Linear-time Alternative to Orthogonal Momentum Updates", 2025): momentum divided by a root mean square of
 * cosh. Paper and repository differ, so both are modes:
 *
 *     paper        U = u / (‖u‖ + 1e-7),  r = √mean cosh²(U),     p −= rate · U / (r + 1e-8)
 *     repository   r = √mean cosh²(γ u / (‖u‖ + 1e-7)),           p −= rate · u / (r + 1e-8)
 *     hybrid       Newton–Schulz of u where it has two axes or more, then as the repository
 *
 * Beyond toy sizes r is 1 to four digits and more: paper ≈ normalised SGD, repository ≈ SGD with averaged momentum, hybrid ≈
 * Muon without its shape factor.
 */
import { requireArgument } from '@gallop/core';
import type { Backend, Recorder, Tensor } from '@gallop/tensor';
import { add, affine, divide, exp, mean, square, squareRoot } from '@gallop/tensor/operations';
import { requireRanges } from './arithmetic.ts';
import { momentumOptimiser } from './momentum-optimiser.ts';
import { averagedMomentum, newtonSchulzOfTensor, norm } from './muon.ts';
import type { Optimiser } from './optimiser.ts';

export type AuonMode = 'paper' | 'repository' | 'hybrid';

/** x / (‖x‖ + 1e-7). */
function normalised(t: Recorder, x: Tensor): Tensor {
  return divide(t, x, affine(t, norm(t, x), 1, 1e-7));
}

/** √mean cosh²(gamma · x / (‖x‖ + 1e-7)). → [] */
export function auonBrake(t: Recorder, x: Tensor, gamma = 1.5): Tensor {
  const scaled = affine(t, normalised(t, x), gamma);
  const cosh = affine(t, add(t, exp(t, scaled), exp(t, affine(t, scaled, -1))), 0.5);
  return squareRoot(t, mean(t, square(t, cosh)));
}

export interface AuonOptions {
  /** Default: repository. */
  readonly mode?: AuonMode;
  readonly learningRate: number;
  /** Default: 0.95. */
  readonly momentum?: number;
  /** Default: 0. */
  readonly weightDecay?: number;
  /** Inside cosh; the paper has none. Default: 1.5. */
  readonly gamma?: number;
  /** Of the hybrid mode. Default: 5. */
  readonly newtonSchulzSteps?: number;
}

/** @throws GallopError `invalid-argument` for an unknown mode or rates out of range */
export function auon(backend: Backend, options: AuonOptions): Optimiser {
  const { mode = 'repository', learningRate, momentum = 0.95, weightDecay = 0, gamma = 1.5 } = options;
  const { newtonSchulzSteps = 5 } = options;
  requireArgument(
    ['paper', 'repository', 'hybrid'].includes(mode),
    () => `a mode of paper, repository or hybrid was expected; received ${mode}`,
  );
  requireRanges({ learningRate: [learningRate, 0], momentum: [momentum, 0, 1], weightDecay: [weightDecay, 0] });
  return momentumOptimiser(backend, {
    learningRate,
    weightDecay,
    direction(t, gradient, buffer) {
      const plain = averagedMomentum(t, gradient, buffer, momentum, true);
      const turns = mode === 'hybrid' && gradient.shape.length >= 2;
      const update = turns ? newtonSchulzOfTensor(t, plain, { steps: newtonSchulzSteps }) : plain;
      const brake = affine(t, auonBrake(t, update, mode === 'paper' ? 1 : gamma), 1, 1e-8);
      return divide(t, mode === 'paper' ? normalised(t, update) : update, brake);
    },
  });
}
