/** Derivatives of the functions of one, two and three elements. */
import type { MapFunction, Recorder, Tensor } from '@gallop/tensor';
import {
  affine,
  clamp,
  cosine,
  divide,
  erf,
  exp,
  less,
  type MapStep,
  multiply,
  multiplyAdd,
  power,
  reciprocal,
  select,
  sigmoid,
  sign,
  sine,
  square,
} from '@gallop/tensor/operations';
import { sumTo } from './sum-to.ts';

type Gradients = readonly (Tensor | undefined)[];

/** From the upstream gradient g to those of the operands, before broadcasting is undone. */
type MapRule = (t: Recorder, g: Tensor, step: MapStep, output: Tensor) => Gradients;

/** A rule for one operand: the derivative that g is multiplied with, of the operand x and the result y. */
const times =
  (derivative: (t: Recorder, x: Tensor, y: Tensor, step: MapStep) => Tensor): MapRule =>
  (t, g, step, y) => [multiply(t, g, derivative(t, step.inputs[0]!, y, step))];

/** x σ(slope · z) with σ' = σ(1 − σ): d/dx = σ + x σ(1 − σ) · inner. */
function gatedSlope(t: Recorder, x: Tensor, gate: Tensor, inner: Tensor | number): Tensor {
  const slope = multiply(t, gate, affine(t, gate, -1, 1));
  return multiplyAdd(t, multiply(t, x, slope), inner, gate);
}

/** Φ(x) + x φ(x) with the normal distribution's Φ and φ. */
function geluSlope(t: Recorder, x: Tensor): Tensor {
  const density = affine(t, exp(t, affine(t, square(t, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return multiplyAdd(t, x, density, affine(t, erf(t, affine(t, x, Math.SQRT1_2)), 0.5, 0.5));
}

/** x/2 (1 + tanh z) = x σ(2z); beyond ±20 the slope is constant, and squares would overflow. */
function geluTanhSlope(t: Recorder, x: Tensor): Tensor {
  const near = clamp(t, x, -20, 20);
  const scale = 2 * Math.sqrt(2 / Math.PI);
  const squared = square(t, near);
  const gate = sigmoid(t, multiply(t, near, affine(t, squared, scale * 0.044715, scale)));
  return gatedSlope(t, near, gate, affine(t, squared, 3 * scale * 0.044715, scale));
}

const none: MapRule = (_t, _g, step) => step.inputs.map(() => undefined);
const straightThrough: MapRule = (_t, g) => [g];

const rules: Readonly<Record<MapFunction, MapRule>> = {
  absolute: times((t, x) => sign(t, x)),
  sign: none,
  exp: times((_t, _x, y) => y),
  log: (t, g, { inputs: [x] }) => [divide(t, g, x!)],
  // No gradient comes of none, also at 0, where the slope is infinite: norms of zero vectors.
  squareRoot: (t, g, _step, y) => [select(t, g, affine(t, divide(t, g, y), 0.5), 0)],
  reciprocalSquareRoot: times((t, _x, y) => affine(t, multiply(t, y, square(t, y)), -0.5)),
  reciprocal: times((t, _x, y) => affine(t, square(t, y), -1)),
  square: times((t, x) => affine(t, x, 2)),
  sine: times((t, x) => cosine(t, x)),
  cosine: times((t, x) => affine(t, sine(t, x), -1)),
  tanh: times((t, _x, y) => affine(t, square(t, y), -1, 1)),
  sigmoid: times((t, _x, y) => multiply(t, y, affine(t, y, -1, 1))),
  silu: times((t, x) => gatedSlope(t, x, sigmoid(t, x), 1)),
  relu: (t, g, { inputs: [x] }) => [select(t, less(t, 0, x!), g, 0)],
  erf: times((t, x) => affine(t, exp(t, affine(t, square(t, x), -1)), 2 / Math.sqrt(Math.PI))),
  gelu: times(geluSlope),
  geluTanh: times(geluTanhSlope),
  geluQuick: times((t, x) => gatedSlope(t, x, sigmoid(t, affine(t, x, 1.702)), 1.702)),
  softplus: (t, g, { inputs: [x], p: beta, q: threshold }) => {
    const scaled = affine(t, x!, beta);
    return [select(t, less(t, threshold, scaled), g, multiply(t, g, sigmoid(t, scaled)))];
  },
  expMinusOne: times((t, _x, y) => affine(t, y, 1, 1)),
  elu: (t, g, { inputs: [x] }, y) => [select(t, less(t, x!, 0), multiply(t, g, affine(t, y, 1, 1)), g)],
  leakyRelu: (t, g, { inputs: [x], p: slope }) => [select(t, less(t, 0, x!), g, affine(t, g, slope))],
  round: straightThrough,
  floor: none,
  clamp: (t, g, { inputs: [x], p, q }) => [select(t, multiply(t, less(t, p, x!), less(t, x!, q)), g, 0)],
  affine: (t, g, { p }) => [affine(t, g, p)],
  power: times((t, x, _y, { p }) => affine(t, power(t, x, p - 1), p)),
  toBfloat: straightThrough,
  add: (_t, g) => [g, g],
  subtract: (t, g) => [g, affine(t, g, -1)],
  multiply: (t, g, { inputs: [a, b] }) => [multiply(t, g, b!), multiply(t, g, a!)],
  divide: (t, g, { inputs: [, b] }, y) => {
    const left = multiply(t, g, reciprocal(t, b!));
    return [left, affine(t, multiply(t, left, y), -1)];
  },
  maximum: (t, g, { inputs: [a, b] }) => shared(t, g, less(t, a!, b!)),
  minimum: (t, g, { inputs: [a, b] }) => shared(t, g, less(t, b!, a!)),
  less: none,
  equal: none,
  select: (t, g, { inputs: [condition] }) => [undefined, select(t, condition!, g, 0), select(t, condition!, 0, g)],
  multiplyAdd: (t, g, { inputs: [a, b] }) => [multiply(t, g, b!), multiply(t, g, a!), g],
};

/** g to the second operand where `second` is 1, else to the first. */
function shared(t: Recorder, g: Tensor, second: Tensor): Gradients {
  return [select(t, second, 0, g), select(t, second, g, 0)];
}

export function mapGradients(t: Recorder, step: MapStep, g: Tensor): Gradients {
  return rules[step.function](t, g, step, step.outputs[0]!).map(
    (gradient, i) => gradient && sumTo(t, gradient, step.inputs[i]!.shape),
  );
}
