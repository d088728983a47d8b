/**
 * Muon (Jordan et al., 2024): the momentum of a matrix, brought near the closest orthogonal matrix by Newton–Schulz
 * iterations, times √max(1, rows / columns).
 *
 *     X ← X / (‖X‖ + ε);   A = X Xᵀ;   X ← a X + (b A + c A A) X          transposed when there are more rows than columns
 */
import { requireArgument } from '@gallop/core';
import type { Backend, Recorder, Tensor } from '@gallop/tensor';
import {
  affine,
  divide,
  matmul,
  reshape,
  square,
  squareRoot,
  sum,
  toBfloat,
  transpose,
} from '@gallop/tensor/operations';
import { accumulate, combine, requireRanges } from './arithmetic.ts';
import { momentumOptimiser } from './momentum-optimiser.ts';
import type { Optimiser } from './optimiser.ts';

export interface NewtonSchulzOptions {
  /** Default: 5. */
  readonly steps?: number;
  /** Default: the released ones. */
  readonly coefficients?: readonly [number, number, number];
  /** Default: 1e-7. */
  readonly epsilon?: number;
  /** Round every result to bfloat16, as released. Default: false. */
  readonly bfloat16?: boolean;
}

/** √Σx². → [] */
export function norm(t: Recorder, x: Tensor): Tensor {
  return squareRoot(t, sum(t, square(t, x)));
}

/** @throws GallopError `invalid-argument` unless x is a matrix */
export function newtonSchulz(t: Recorder, x: Tensor, options: NewtonSchulzOptions = {}): Tensor {
  const { steps = 5, coefficients = [3.4445, -4.775, 2.0315], epsilon = 1e-7, bfloat16 = false } = options;
  requireArgument(x.shape.length === 2, () => `a matrix was expected; received shape [${x.shape}]`);
  requireArgument(
    Number.isInteger(steps) && steps >= 0 && steps <= 100,
    () => `a number of steps of at most 100 was expected; received ${steps}`,
  );
  const rounded = (value: Tensor): Tensor => (bfloat16 ? toBfloat(t, value) : value);
  const [a, b, c] = coefficients;
  const [rows, columns] = x.shape as [number, number];
  const tall = rows > columns;
  const start = rounded(tall ? transpose(t, x) : x);
  let y = rounded(divide(t, start, rounded(affine(t, rounded(norm(t, start)), 1, epsilon))));
  for (let step = 0; step < steps; step++) {
    const gram = rounded(matmul(t, y, y, { transposeRight: true }));
    const polynomial = rounded(combine(t, b, gram, c, rounded(matmul(t, gram, gram))));
    y = rounded(combine(t, a, y, 1, rounded(matmul(t, polynomial, y))));
  }
  return tall ? transpose(t, y) : y;
}

/** `newtonSchulz` of a tensor of two axes or more, viewed as [first, rest]. */
export function newtonSchulzOfTensor(t: Recorder, x: Tensor, options: NewtonSchulzOptions): Tensor {
  return reshape(t, newtonSchulz(t, reshape(t, x, [x.shape[0]!, -1]), options), x.shape);
}

/** m = β m + (1 − β) g; then (1 − β) g + β m with Nesterov, or m. */
export function averagedMomentum(
  t: Recorder,
  gradient: Tensor,
  buffer: Tensor,
  beta: number,
  nesterov: boolean,
): Tensor {
  accumulate(t, buffer, beta, 1 - beta, gradient);
  return nesterov ? combine(t, 1 - beta, gradient, beta, buffer) : affine(t, buffer, 1);
}

export interface MuonOptions {
  /** Default: 0.02. */
  readonly learningRate?: number;
  /** Default: 0.95. */
  readonly momentum?: number;
  /** Default: true. */
  readonly nesterov?: boolean;
  /** Default: 5. */
  readonly newtonSchulzSteps?: number;
  /** Default: 0. */
  readonly weightDecay?: number;
}

/** For matrices and kernels (viewed as [first, rest]). @throws GallopError `invalid-argument` for rates out of range */
export function muon(backend: Backend, options: MuonOptions = {}): Optimiser {
  const { learningRate = 0.02, momentum = 0.95, nesterov = true, newtonSchulzSteps = 5, weightDecay = 0 } = options;
  requireRanges({ learningRate: [learningRate, 0], momentum: [momentum, 0, 1], weightDecay: [weightDecay, 0] });
  return momentumOptimiser(backend, {
    learningRate,
    weightDecay,
    direction(t, gradient, buffer) {
      requireArgument(
        gradient.shape.length >= 2 && gradient.size > 0,
        () => `muon takes matrices and kernels; received shape [${gradient.shape}]; use adamW for it`,
      );
      const direction = averagedMomentum(t, gradient, buffer, momentum, nesterov);
      // The last two sizes of the tensor as it is, so those of the window for a convolution kernel.
      const [rows, columns] = gradient.shape.slice(-2) as [number, number];
      const orthogonal = newtonSchulzOfTensor(t, direction, { steps: newtonSchulzSteps });
      return affine(t, orthogonal, Math.sqrt(Math.max(1, rows / columns)));
    },
  });
}
