/** RMSNorm (Zhang & Sennrich, 2019) and LayerNorm (Ba et al., 2016) over the last dimension. */
import type { Recorder, Tensor } from '@gallop/tensor';
import { layerNorm } from '@gallop/tensor/operations';
import type { NamedWeights } from '../loading/named-weights.ts';

export interface Norm {
  readonly kind: 'rms' | 'layer';
  readonly weight: Tensor; // [size]
  readonly bias?: Tensor; // [size], of a LayerNorm
  readonly epsilon: number;
}

/** x / sqrt(mean(x²) + ε) · (weight + `add`). Gemma's checkpoints store the weight without its 1. */
export async function loadRmsNorm(
  weights: NamedWeights,
  part: string,
  size: number,
  epsilon: number,
  add = 0,
): Promise<Norm> {
  return { kind: 'rms', weight: await weights.vector(part, size, add), epsilon };
}

/** (x − mean) / sqrt(variance + ε) · weight + bias. */
export async function loadLayerNorm(weights: NamedWeights, part: string, size: number, epsilon: number): Promise<Norm> {
  return { kind: 'layer', weight: await weights.vector(part, size), bias: await weights.bias(part, size), epsilon };
}

export interface NormOptions {
  /** `q8` quantises the result at once. Default `f32`. */
  readonly dtype?: 'f32' | 'q8';
  /** Adds the result to this tensor instead of making one. */
  readonly addTo?: Tensor;
  /** RMSNorm only. */
  readonly inPlace?: boolean;
}

export function normalize(t: Recorder, x: Tensor, norm: Norm, options: NormOptions = {}): Tensor {
  if (norm.kind === 'rms') return t.rmsNorm(x, norm.weight, norm.epsilon, options);
  const { weight, bias, epsilon } = norm;
  const normed = layerNorm(t, x, { weight, epsilon, ...(bias && { bias }) });
  if (options.addTo) return t.add(options.addTo, normed, options.addTo);
  return options.dtype === 'q8' ? t.quantize(normed) : normed;
}
