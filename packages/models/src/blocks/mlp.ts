/**
 * The feed-forward branch: Wdown · (act(Wgate m) ⊙ Wup m) where it is gated, Wdown · act(Wup m) where it is not.
 */
import type { Recorder, Tensor } from '@gallop/tensor';
import { activationsFor } from '../loading/model-weights.ts';
import type { NamedWeights } from '../loading/named-weights.ts';
import { type Activation, activate } from './activation.ts';
import { loadProjection, type Projection, type ProjectionOptions, project } from './projection.ts';

export interface GatedMlp {
  readonly gate: Projection; // [feedForward, hidden]
  readonly up: Projection; // [feedForward, hidden]
  readonly down: Projection; // [hidden, feedForward]
  readonly activation: 'silu' | 'gelu-tanh';
}

export interface MlpSizes {
  readonly hiddenSize: number;
  readonly feedForwardSize: number;
}

export interface GatedMlpLoading {
  readonly bias?: ProjectionOptions['bias'];
  /** One part `gateUp` holds the gate's rows, then the others. */
  readonly fused?: boolean;
  /** The parts hold several experts one after the other; this is the one to take. */
  readonly expert?: { readonly index: number; readonly count: number };
}

/** Loads the parts gate, up (or gateUp) and down. @throws GallopError `invalid-file` */
export async function loadGatedMlp(
  weights: NamedWeights,
  { hiddenSize, feedForwardSize }: MlpSizes,
  activation: GatedMlp['activation'],
  { bias = false, fused = false, expert }: GatedMlpLoading = {},
): Promise<GatedMlp> {
  const ofExpert = (rows: number): Partial<Pick<ProjectionOptions, 'selection'>> =>
    expert ? { selection: { first: expert.index * rows, total: expert.count * rows } } : {};
  const half = (part: string, first: number): Promise<Projection> =>
    fused
      ? loadProjection(weights, 'gateUp', feedForwardSize, hiddenSize, {
          bias,
          selection: { first, total: 2 * feedForwardSize },
        })
      : loadProjection(weights, part, feedForwardSize, hiddenSize, { bias, ...ofExpert(feedForwardSize) });
  return {
    gate: await half('gate', 0),
    up: await half('up', feedForwardSize),
    down: await loadProjection(weights, 'down', hiddenSize, feedForwardSize, { bias, ...ofExpert(hiddenSize) }),
    activation,
  };
}

type Activations = { readonly activations: 'q8' | 'f32' };

/** Kind of activations that its input takes. */
export function gatedMlpActivations(context: Activations, w: GatedMlp): 'q8' | 'f32' {
  return activationsFor(context, w.gate.weight, w.up.weight);
}

/** Normed rows m [rows, hidden] → [rows, hidden], or added to `addTo`. */
export function gatedMlp(t: Recorder, w: GatedMlp, m: Tensor, context: Activations, addTo?: Tensor): Tensor {
  const dtype = activationsFor(context, w.down.weight);
  const gated = t.gated(project(t, m, w.gate), project(t, m, w.up), w.activation, dtype); // [rows, feedForward]
  return project(t, gated, w.down, addTo);
}

export interface PlainMlp {
  readonly up: Projection; // [feedForward, hidden]
  readonly down: Projection; // [hidden, feedForward]
  readonly activation: Activation;
}

/** Loads the parts up and down. @throws GallopError `invalid-file` */
export async function loadPlainMlp(
  weights: NamedWeights,
  { hiddenSize, feedForwardSize }: MlpSizes,
  activation: Activation,
  { bias = true, transposed = false }: { bias?: ProjectionOptions['bias']; transposed?: boolean } = {},
): Promise<PlainMlp> {
  const turned = (total: number): Pick<ProjectionOptions, 'selection'> =>
    transposed ? { selection: { first: 0, total, transposed } } : {};
  return {
    up: await loadProjection(weights, 'up', feedForwardSize, hiddenSize, { bias, ...turned(feedForwardSize) }),
    down: await loadProjection(weights, 'down', hiddenSize, feedForwardSize, { bias, ...turned(hiddenSize) }),
    activation,
  };
}

/** Normed rows m [rows, hidden] → [rows, hidden], or added to `addTo`. */
export function plainMlp(t: Recorder, w: PlainMlp, m: Tensor, context: Activations, addTo?: Tensor): Tensor {
  const active = activate(t, project(t, m, w.up), w.activation); // [rows, feedForward]
  const input = activationsFor(context, w.down.weight) === 'q8' ? t.quantize(active) : active;
  return project(t, input, w.down, addTo);
}
