/**
 * Mamba (Gu & Dao, 2023) and Mamba-2 (Dao & Gu, 2024): blocks of a gated state-space model instead of attention.
 *
 *   x ← x + Wout · mixer(rmsNorm x)
 *   (gate, u, …) = Win n,   u = silu(convolution of u with the rows before it)
 *   s ← e^(dt·A) s + dt · u ⊗ B,   y = s · C + D u,   dt = softplus(dt + b)
 *   Mamba     y · silu(gate);  A per channel and state; dt, B and C from u
 *   Mamba-2   rmsNorm(y · silu(gate)) by groups;  A per head; dt from n, B and C convolved beside u and shared by groups
 */
import type { Recorder, Tensor } from '@gallop/tensor';
import {
  causalDepthwiseConvolution,
  gatedRmsNorm,
  headScan,
  multiply,
  reshape,
  silu,
  sliceAxis,
} from '@gallop/tensor/operations';
import { loadRmsNorm, type Norm, normalize } from '../blocks/norm.ts';
import { loadProjection, type Projection, type ProjectionOptions, project } from '../blocks/projection.ts';
import type { NetworkConfig } from '../config.ts';
import { activationsFor } from '../loading/model-weights.ts';
import type { NamedWeights } from '../loading/named-weights.ts';
import type { RecurrentContext, RecurrentNetwork } from '../runtime/network.ts';

export interface MambaConfig extends NetworkConfig {
  readonly generation: 1 | 2;
  readonly normEpsilon: number;
  /** Channels of the mixer: heads · headSize. Mamba's channels are heads of size 1. */
  readonly heads: number;
  readonly headSize: number;
  /** Numbers that each channel carries. */
  readonly stateSize: number;
  /** Rows that the convolution sees. */
  readonly kernel: number;
  /** Groups of heads that share B and C. */
  readonly groups: number;
  /** Width from which Mamba's dt is projected. */
  readonly timeStepRank: number;
  readonly timeStepLimits?: readonly [number, number];
  readonly bias: ProjectionOptions['bias'];
  readonly convolutionBias: boolean;
  readonly tied: boolean;
}

interface MambaLayer {
  readonly norm: Norm; // [hidden]
  readonly gate: Projection; // [channels, hidden]
  readonly input: Projection; // [convolved, hidden]
  readonly convolution: Tensor; // [convolved, kernel]
  readonly convolutionBias?: Tensor; // [convolved]
  readonly decay: Tensor; // A: [heads, stateSize], or [heads]
  readonly skip: Tensor; // D: [heads]
  readonly timeStepBias: Tensor; // [heads]
  /** Mamba: dt, B and C from u. */
  readonly fromInput?: readonly [low: Projection, b: Projection, c: Projection, timeStep: Projection];
  /** Mamba-2: dt from n [heads, hidden]; the norm of the gated rows [channels]. */
  readonly fromRow?: { readonly timeStep: Projection; readonly norm: Tensor };
  readonly output: Projection; // [hidden, channels]
}

const channelsOf = ({ heads, headSize }: MambaConfig): number => heads * headSize;

/** Columns that the convolution runs over: u, and in Mamba-2 B and C. */
function convolvedOf(config: MambaConfig): number {
  const { generation, groups, stateSize } = config;
  return channelsOf(config) + (generation === 2 ? 2 * groups * stateSize : 0);
}

/** A is stored as its logarithm by Hugging Face, ready to use by GGUF. */
async function loadDecay(weights: NamedWeights, { generation, heads, stateSize }: MambaConfig): Promise<Tensor> {
  const shape = generation === 1 ? [heads, stateSize] : [heads];
  const stored = await weights.values('decay', shape);
  return weights.all.place(weights.container === 'gguf' ? stored : stored.map((value) => -Math.exp(value)), shape);
}

async function loadLayer(weights: NamedWeights, config: MambaConfig): Promise<MambaLayer> {
  const { generation, hiddenSize, heads, stateSize, kernel, timeStepRank, normEpsilon, bias } = config;
  const [channels, convolved] = [channelsOf(config), convolvedOf(config)];
  const total = channels + convolved + (generation === 2 ? heads : 0);
  const rowsOf = (first: number, rows: number): Promise<Projection> =>
    loadProjection(weights, 'input', rows, hiddenSize, {
      ...(bias !== undefined && { bias }),
      selection: { first, total },
    });
  const fromU = (first: number, rows: number): Promise<Projection> =>
    loadProjection(weights, 'fromInput', rows, channels, { selection: { first, total: timeStepRank + 2 * stateSize } });
  return {
    norm: await loadRmsNorm(weights, 'norm', hiddenSize, normEpsilon),
    gate: await rowsOf(generation === 1 ? channels : 0, channels),
    input: await rowsOf(generation === 1 ? 0 : channels, convolved),
    convolution: weights.all.place(await weights.values('convolution', [convolved, kernel]), [convolved, kernel]),
    ...(config.convolutionBias && { convolutionBias: await weights.bias('convolution', convolved) }),
    decay: await loadDecay(weights, config),
    skip: await weights.vector('skip', heads),
    timeStepBias:
      generation === 1 ? await weights.bias('timeStep', heads) : await weights.vector('timeStepBias', heads),
    ...(generation === 1
      ? {
          fromInput: [
            await fromU(0, timeStepRank),
            await fromU(timeStepRank, stateSize),
            await fromU(timeStepRank + stateSize, stateSize),
            await loadProjection(weights, 'timeStep', heads, timeStepRank),
          ],
        }
      : {
          fromRow: {
            timeStep: await rowsOf(channels + convolved, heads),
            norm: await weights.vector('gatedNorm', channels),
          },
        }),
    output: await loadProjection(weights, 'output', hiddenSize, channels, { ...(bias !== undefined && { bias }) }),
  };
}

/** @throws GallopError `invalid-file` for weights that do not fit the configuration */
export async function loadMamba(weights: NamedWeights, config: MambaConfig): Promise<RecurrentNetwork> {
  const { vocabSize, hiddenSize, heads, headSize, stateSize, kernel, groups, normEpsilon, timeStepLimits } = config;
  const [channels, convolved] = [channelsOf(config), convolvedOf(config)];
  const embeddings = await weights.matrix('embeddings', vocabSize, hiddenSize);
  const layers: MambaLayer[] = [];
  for (let index = 0; index < config.layerCount; index++) layers.push(await loadLayer(weights.at(index), config));
  const finalNorm = await loadRmsNorm(weights, 'finalNorm', hiddenSize, normEpsilon);
  const head = config.tied ? embeddings : await weights.matrix('head', vocabSize, hiddenSize);

  /** silu of each channel convolved with the rows before it. [rows, convolved] */
  function convolve(t: Recorder, w: MambaLayer, u: Tensor, context: RecurrentContext): Tensor {
    return context.recur('convolution', [u], ([x], state) =>
      causalDepthwiseConvolution(t, x!, w.convolution, {
        state,
        activation: 'silu',
        timeAxis: -2,
        ...(w.convolutionBias && { bias: w.convolutionBias }),
      }),
    );
  }

  /** The state-space recurrence: y = s · C + D u. u [rows, channels], dt [rows, heads], B and C [rows, groups · stateSize] */
  function scan(t: Recorder, w: MambaLayer, inputs: readonly Tensor[], context: RecurrentContext): Tensor {
    return context.recur('scan', inputs, ([u, dt, b, c], state) => {
      const [batch, length] = u!.shape as [number, number];
      const byGroup = (matrix: Tensor): Tensor => reshape(t, matrix, [batch, length, groups, stateSize]);
      const { output, state: after } = headScan(
        t,
        {
          input: reshape(t, u!, [batch, length, heads, headSize]),
          timeStep: dt!,
          timeStepBias: w.timeStepBias,
          stateDecay: w.decay,
          inputMatrix: byGroup(b!),
          outputMatrix: byGroup(c!),
          skip: w.skip,
          state,
        },
        timeStepLimits ? { timeStepLimits } : {},
      );
      return { output: reshape(t, output, [batch, length, channels]), state: after };
    });
  }

  function firstMixer(t: Recorder, w: MambaLayer, n: Tensor, context: RecurrentContext): Tensor {
    const u = convolve(t, w, project(t, n, w.input), context); // [rows, channels]
    const [low, b, c, timeStep] = w.fromInput!;
    const uFor = (p: Projection): Tensor => (activationsFor(context, p.weight) === 'q8' ? t.quantize(u) : u);
    const rank = project(t, uFor(low), low);
    const dt = project(t, activationsFor(context, timeStep.weight) === 'q8' ? t.quantize(rank) : rank, timeStep);
    const y = scan(t, w, [u, dt, project(t, uFor(b), b), project(t, uFor(c), c)], context);
    return multiply(t, y, silu(t, project(t, n, w.gate)));
  }

  function secondMixer(t: Recorder, w: MambaLayer, n: Tensor, context: RecurrentContext): Tensor {
    const joined = convolve(t, w, project(t, n, w.input), context); // [rows, channels + 2 · groups · stateSize]
    const u = sliceAxis(t, joined, 1, 0, channels);
    const b = sliceAxis(t, joined, 1, channels, channels + groups * stateSize);
    const c = sliceAxis(t, joined, 1, channels + groups * stateSize, convolved);
    const y = scan(t, w, [u, project(t, n, w.fromRow!.timeStep), b, c], context);
    const gate = project(t, n, w.gate);
    return gatedRmsNorm(t, y, gate, w.fromRow!.norm, { groupSize: channels / groups, epsilon: normEpsilon });
  }

  return {
    config,
    states: {
      convolution: [kernel - 1, convolved],
      scan: [heads, headSize, stateSize],
    },
    headActivations: activationsFor(weights, head),
    embed: (t, ids) => t.embed(embeddings, ids),
    layer(t, index, x, context) {
      const w = layers[index]!;
      t.scope(() => {
        const n = normalize(t, x, w.norm, { dtype: activationsFor(context, w.gate.weight, w.input.weight) });
        const mixed = (config.generation === 1 ? firstMixer : secondMixer)(t, w, n, context);
        project(t, activationsFor(context, w.output.weight) === 'q8' ? t.quantize(mixed) : mixed, w.output, x);
      });
    },
    finish: (t, x, dtype) => normalize(t, x, finalNorm, { dtype }),
    logits: (t, x) => t.linear(x, head),
    dispose: () => weights.all.dispose(),
  };
}
