/**
 * Sparse mixture of experts (Shazeer et al., 2017; Mixtral, Qwen2-MoE): a router picks k gated MLPs for each row.
 *
 *   p = softmax(Wr m);  y = Σ over the k largest p_e · expert_e(m),  p renormalised over the k where the model says so
 *   a shared expert, where there is one, adds sigmoid(ws · m) · shared(m)
 *
 * Routing is decided on the host, row by row; experts then run over the rows that chose them. A row adds its experts in
 * ascending order, so its sum never depends on the rows around it.
 */
import type { Recorder, Tensor } from '@gallop/tensor';
import { assign, concatenate, multiplyAdd, sigmoid } from '@gallop/tensor/operations';
import type { NamedWeights } from '../loading/named-weights.ts';
import { type GatedMlp, gatedMlp, gatedMlpActivations, loadGatedMlp, type MlpSizes } from './mlp.ts';
import { loadProjection, type Projection, project } from './projection.ts';

export interface ExpertsConfig {
  readonly count: number;
  /** Experts that each row takes. */
  readonly used: number;
  readonly feedForwardSize: number;
  /** Whether the probabilities of the chosen experts are made to sum to 1. */
  readonly renormalize: boolean;
  /** Width of the expert that every row takes. Default: none. */
  readonly sharedSize?: number;
}

export interface Experts {
  readonly config: ExpertsConfig;
  readonly router: Projection; // [experts, hidden]
  readonly experts: readonly GatedMlp[];
  readonly shared?: { readonly gate: Projection; readonly mlp: GatedMlp }; // gate [1, hidden]
}

/** Parts that each expert has alone in some files and together with the others in some. */
const ownParts = { gate: 'expertGate', up: 'expertUp', down: 'expertDown' };
const jointParts = { gate: 'expertGates', up: 'expertUps', down: 'expertDowns' };
const sharedParts = { gate: 'sharedGate', up: 'sharedUp', down: 'sharedDown' };

/** Loads the parts of a layer's experts. @throws GallopError `invalid-file` */
export async function loadExperts(
  weights: NamedWeights,
  hiddenSize: number,
  config: ExpertsConfig,
  activation: GatedMlp['activation'],
): Promise<Experts> {
  const sizes = (feedForwardSize: number): MlpSizes => ({ hiddenSize, feedForwardSize });
  const router = await loadProjection(weights, 'router', config.count, hiddenSize);
  const experts: GatedMlp[] = [];
  for (let index = 0; index < config.count; index++)
    experts.push(
      weights.has(jointParts.gate)
        ? await loadGatedMlp(weights.renamed(jointParts), sizes(config.feedForwardSize), activation, {
            expert: { index, count: config.count },
          })
        : await loadGatedMlp(weights.at(index).renamed(ownParts), sizes(config.feedForwardSize), activation),
    );
  if (config.sharedSize === undefined) return { config, router, experts };
  const gate = await loadProjection(weights, 'sharedRouter', 1, hiddenSize);
  const mlp = await loadGatedMlp(weights.renamed(sharedParts), sizes(config.sharedSize), activation);
  return { config, router, experts, shared: { gate, mlp } };
}

/** Adds what the experts make of m [rows, hidden] to x [rows, hidden]. Takes float32 rows. */
export function mixtureOfExperts(
  t: Recorder,
  w: Experts,
  m: Tensor,
  x: Tensor,
  context: { readonly activations: 'q8' | 'f32' },
): void {
  const scores = project(t, m, w.router); // [rows, experts]
  t.flush();
  const routes = route(scores.floats(), m.rows, w.config);
  const outputs: Tensor[] = [];
  routes.rows.forEach((rows, index) => {
    if (rows.length === 0) return;
    const taken = t.copyRows(m, t.upload(Int32Array.from(rows))); // [rows of this expert, hidden]
    outputs.push(expertRows(t, w.experts[index]!, taken, context));
  });
  const joined = concatenate(t, outputs, 0); // [rows · used, hidden]
  let sum = x;
  routes.places.forEach((places, k) => {
    sum = multiplyAdd(t, t.copyRows(joined, t.upload(places)), t.upload(routes.factors[k]!, [m.rows, 1]), sum);
  });
  if (w.shared) {
    const factor = sigmoid(t, project(t, m, w.shared.gate)); // [rows, 1]
    sum = multiplyAdd(t, expertRows(t, w.shared.mlp, m, context), factor, sum);
  }
  assign(t, x, sum);
}

function expertRows(t: Recorder, expert: GatedMlp, m: Tensor, context: { readonly activations: 'q8' | 'f32' }): Tensor {
  return gatedMlp(t, expert, gatedMlpActivations(context, expert) === 'q8' ? t.quantize(m) : m, context);
}

/** Who takes what: experts' outputs are joined in order of expert, then of row. */
interface Routes {
  /** Rows of each expert. */
  readonly rows: readonly number[][];
  /** For the k-th expert of each row, in ascending order of expert: its place among the joined outputs, and its share. */
  readonly places: readonly Int32Array[];
  readonly factors: readonly Float32Array[];
}

/** @param scores [rows, experts] */
function route(scores: Float32Array, rows: number, { count, used, renormalize }: ExpertsConfig): Routes {
  const ofExpert: number[][] = Array.from({ length: count }, () => []);
  const chosen: { readonly expert: number; readonly index: number; readonly factor: number }[][] = [];
  for (let row = 0; row < rows; row++) {
    const own = scores.subarray(row * count, (row + 1) * count);
    const largest = own.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
    const weights = Array.from(own, (score) => Math.exp(score - largest));
    const best = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]! || a - b).slice(0, used);
    const sum = (renormalize ? best.map((expert) => weights[expert]!) : weights).reduce((a, b) => a + b, 0);
    chosen.push(
      best
        .sort((a, b) => a - b)
        .map((expert) => ({ expert, index: ofExpert[expert]!.push(row) - 1, factor: weights[expert]! / sum })),
    );
  }
  let end = 0;
  const starts = ofExpert.map(({ length }) => (end += length) - length);
  const ranks = Array.from({ length: used }, (_, k) => k);
  return {
    rows: ofExpert,
    places: ranks.map((k) => Int32Array.from(chosen, (own) => starts[own[k]!.expert]! + own[k]!.index)),
    factors: ranks.map((k) => Float32Array.from(chosen, (own) => own[k]!.factor)),
  };
}
