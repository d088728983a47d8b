/** How gradients pass each kind of step, from its outputs to its inputs. */
import type { Recorder, Tensor } from '@gallop/tensor';
import {
  affine,
  broadcastTo,
  concatenate,
  cumulativeSum,
  divide,
  equal,
  exp,
  fold,
  full,
  gather,
  indexAdd,
  indexSelect,
  matmul,
  mean,
  multiply,
  permute,
  placeSlice,
  reciprocalSquareRoot,
  reshape,
  rotate,
  type Step,
  scanGradient,
  scatter,
  scatterAdd,
  slice,
  sliceAxis,
  split,
  square,
  subtract,
  sum,
  unfold,
  variance,
} from '@gallop/tensor/operations';
import { mapGradients } from './map-gradients.ts';
import { sumTo } from './sum-to.ts';

type Gradients = readonly (Tensor | undefined)[];
type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;
/** `g` is the gradient of the only output. */
type Rule<Kind extends Step['kind']> = (
  t: Recorder,
  step: StepOf<Kind>,
  g: Tensor,
  wanted: readonly boolean[],
) => Gradients;

const input = (step: Step): Tensor => step.inputs[0]!;
const zeros = (t: Recorder, x: Tensor): Tensor => full(t, x.shape, 0);

function reduceGradient(t: Recorder, step: StepOf<'reduce'>, g: Tensor): Tensor {
  const { outer, count, inner, reduction } = step;
  const x = input(step);
  const whole = [outer, count, inner];
  const line = (value: Tensor): Tensor => reshape(t, value, [outer, 1, inner]);
  if (reduction === 'sum') return reshape(t, broadcastTo(t, line(g), whole), x.shape);
  // Equal extremes share the gradient.
  const chosen = equal(t, reshape(t, x, whole), line(step.outputs[0]!));
  const share = divide(t, chosen, sum(t, chosen, { axes: [1], keepDimensions: true }));
  return reshape(t, multiply(t, share, line(g)), x.shape);
}

function softmaxGradient(t: Recorder, step: StepOf<'softmax'>, g: Tensor): Tensor {
  const y = step.outputs[0]!;
  const total = (values: Tensor): Tensor => sum(t, values, { axes: [-1], keepDimensions: true });
  if (step.logarithm) return subtract(t, g, multiply(t, exp(t, y), total(g)));
  return multiply(t, y, subtract(t, g, total(multiply(t, g, y))));
}

/** With y = (x − mean) s: s (g − mean(g) − y mean(g y)), the first mean only where x is centred. */
function normaliseGradient(t: Recorder, step: StepOf<'normalise'>, g: Tensor): Tensor {
  const [x, y] = [input(step), step.outputs[0]!];
  const row = { axes: [-1], keepDimensions: true };
  const spread = step.centred ? variance(t, x, row) : mean(t, square(t, x), row);
  const scale = reciprocalSquareRoot(t, affine(t, spread, 1, step.epsilon));
  const flat = step.centred ? subtract(t, g, mean(t, g, row)) : g;
  return multiply(t, subtract(t, flat, multiply(t, y, mean(t, multiply(t, g, y), row))), scale);
}

const matmulGradients: Rule<'matmul'> = (t, step, g, wanted) => {
  const [left, right] = step.inputs as [Tensor, Tensor];
  const { transposeLeft, transposeRight } = step;
  const forLeft = (): Tensor =>
    transposeLeft
      ? matmul(t, right, g, { transposeLeft: transposeRight, transposeRight: true })
      : matmul(t, g, right, { transposeRight: !transposeRight });
  const forRight = (): Tensor =>
    transposeRight
      ? matmul(t, g, left, { transposeLeft: true, transposeRight: transposeLeft })
      : matmul(t, left, g, { transposeLeft: !transposeLeft });
  return [
    wanted[0] ? sumTo(t, forLeft(), left.shape) : undefined,
    wanted[1] ? sumTo(t, forRight(), right.shape) : undefined,
  ];
};

const scatterGradients: Rule<'scatter'> = (t, step, g) => {
  const [, source] = step.inputs as [Tensor, Tensor];
  const { axis, indices, whole, add } = step;
  const forSource = whole ? indexSelect(t, g, axis, indices) : gather(t, g, axis, indices);
  return [add ? g : scatter(t, g, axis, indices, zeros(t, source)), forSource];
};

/** Turning back: the same table with its sines negated. */
function rotateGradient(t: Recorder, { table, pairing }: StepOf<'rotate'>, g: Tensor): Tensor {
  const half = table.columns / 2;
  const [cosines, sines] = split(t, table, -1, [half, half]) as [Tensor, Tensor];
  return rotate(t, g, concatenate(t, [cosines, affine(t, sines, -1)], -1), pairing);
}

const rules: { readonly [Kind in Exclude<Step['kind'], 'scan'>]: Rule<Kind> } = {
  map: (t, step, g) => mapGradients(t, step, g),
  reshape: (t, step, g) => [reshape(t, g, input(step).shape)],
  permute: (t, { order }, g) => [
    permute(
      t,
      g,
      order.map((_, axis) => order.indexOf(axis)),
    ),
  ],
  broadcast: (t, step, g) => [sumTo(t, g, input(step).shape)],
  slice: (t, step, g) => [placeSlice(t, g, input(step).shape, step.starts, step.steps)],
  pad: (t, { before, inputs: [x] }, g) => [
    slice(t, g, { starts: before, ends: before.map((count, axis) => count + x!.shape[axis]!) }),
  ],
  concatenate: (t, { axis, inputs }, g) => {
    let end = 0;
    return inputs.map((part) => {
      end += part.shape[axis]!;
      return sliceAxis(t, g, axis, end - part.shape[axis]!, end);
    });
  },
  gather: (t, step, g) => {
    const base = zeros(t, input(step));
    const { axis, indices, whole } = step;
    return [whole ? indexAdd(t, base, axis, indices, g) : scatterAdd(t, base, axis, indices, g)];
  },
  scatter: scatterGradients,
  reduce: (t, step, g) => [reduceGradient(t, step, g)],
  cumulative: (t, { axis, reverse }, g) => [cumulativeSum(t, g, axis, { reverse: !reverse })],
  softmax: (t, step, g) => [softmaxGradient(t, step, g)],
  normalise: (t, step, g) => [normaliseGradient(t, step, g)],
  matmul: matmulGradients,
  unfold: (t, step, g) => {
    const [height, width] = input(step).shape.slice(-2) as [number, number];
    return [fold(t, g, step.geometry, [height, width])];
  },
  fold: (t, step, g) => {
    const { shape } = input(step);
    return [reshape(t, unfold(t, g, step.geometry, 0, [shape[3]!, shape[4]!]), shape)];
  },
  rotate: (t, step, g) => [rotateGradient(t, step, g)],
};

function scanGradients(t: Recorder, step: StepOf<'scan'>, upstream: Gradients): Gradients {
  const [x, timeStep, decay, inputMatrix, outputMatrix, state] = step.inputs as [
    ...[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor?],
  ];
  const inputs = { x, timeStep, decay, inputMatrix, outputMatrix, ...(state === undefined ? {} : { state }) };
  const [outGradient, stateGradient] = upstream;
  const gradients = scanGradient(t, inputs, step.channelsFirst, outGradient ?? zeros(t, x), stateGradient);
  return gradients.slice(0, step.inputs.length);
}

/** The gradients of a step's inputs from those of its outputs; undefined where none flows. */
export function stepGradients<Kind extends Step['kind']>(
  t: Recorder,
  step: StepOf<Kind>,
  upstream: Gradients,
  wanted: readonly boolean[],
): Gradients {
  if (step.kind === 'scan') return scanGradients(t, step as StepOf<'scan'>, upstream);
  const rule = rules[step.kind as Exclude<Kind, 'scan'>] as unknown as Rule<Kind>;
  return rule(t, step, upstream[0]!, wanted);
}
