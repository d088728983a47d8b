/** y = x Wᵀ + b. */
import type { Recorder, Tensor, Weight } from '@gallop/tensor';
import type { RowSelection } from '../loading/model-weights.ts';
import type { NamedWeights } from '../loading/named-weights.ts';

export interface Projection {
  readonly weight: Weight; // [outputs, inputs]
  readonly bias?: Tensor; // [outputs]
}

export interface ProjectionOptions {
  /** Whether there is a bias. `stored`: where the file has one. Default false. */
  readonly bias?: boolean | 'stored';
  readonly selection?: RowSelection;
}

/** @throws GallopError `invalid-file` when it is absent or shaped otherwise */
export async function loadProjection(
  weights: NamedWeights,
  part: string,
  outputs: number,
  inputs: number,
  { bias = false, selection }: ProjectionOptions = {},
): Promise<Projection> {
  const weight = await weights.matrix(part, outputs, inputs, selection);
  const hasBias = bias === 'stored' ? weights.hasBias(part) : bias;
  return hasBias ? { weight, bias: await weights.bias(part, outputs, selection) } : { weight };
}

/** [rows, inputs] → [rows, outputs], or added to `addTo`. */
export function project(t: Recorder, x: Tensor, { weight, bias }: Projection, addTo?: Tensor): Tensor {
  return t.linear(x, weight, { ...(bias && { bias }), ...(addTo && { addTo }) });
}
