/**
 * Element by element: functions of one, two and three tensors, broadcast from the right as NumPy does. Every function is
 * one command; results have the same bits on every backend, a few units in the last place from the true value.
 */
import { requireArgument } from '@gallop/core';
import { type BinaryFunction, type MapFunction, mapFunctions, type UnaryFunction } from '../opcodes.ts';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { broadcastShapes, broadcastStrides, countOf, mergeAxes, sameShape } from './shapes.ts';

/** A tensor, or a number that stands for a tensor of shape []. */
export type Operand = Tensor | number;

export function requireFloats(...tensors: readonly Tensor[]): void {
  for (const { dtype } of tensors)
    requireArgument(dtype === 'f32', () => `an f32 tensor was expected; received ${dtype}; convert it with toFloat`);
}

export function operand(t: Recorder, x: Operand): Tensor {
  return typeof x === 'number' ? t.upload(Float32Array.of(x), []) : x;
}

function appendMap(t: Recorder, name: MapFunction, inputs: readonly Tensor[], out: Tensor, p: number, q: number): void {
  const { shape } = out;
  if (countOf(shape) === 0) return;
  const layout = mergeAxes(shape, [
    ...inputs.map((input) => broadcastStrides(input.shape, shape)),
    broadcastStrides(shape, shape),
  ]);
  const addresses = [0, 1, 2].map((i) => inputs[i]?.address ?? 0);
  t.append(
    'map',
    inputs,
    [out],
    [
      ...[out.address, ...addresses, mapFunctions[name], p, q, layout.sizes.length, ...layout.sizes],
      ...layout.strides.slice(0, inputs.length).flat(),
    ],
  );
}

/** Applies a function of the map command; `p` and `q` are its parameters. */
export function map(
  t: Recorder,
  name: MapFunction,
  inputs: readonly Tensor[],
  { p = 0, q = 0 }: { p?: number; q?: number } = {},
): Tensor {
  requireFloats(...inputs);
  const out = t.empty(broadcastShapes(...inputs.map((input) => input.shape)));
  appendMap(t, name, inputs, out, p, q);
  t.observe({ kind: 'map', function: name, p, q, inputs, outputs: [out] });
  return out;
}

/** out = factor · out + term, in place, with a term of out's shape. No gradient flows. For averages and updates. */
export function scaleAndAdd(t: Recorder, out: Tensor, factor: number, term: Tensor): void {
  requireFloats(out, term);
  requireArgument(
    sameShape(out.shape, term.shape),
    () => `a term of shape [${out.shape}] was expected; received [${term.shape}]`,
  );
  appendMap(t, 'multiplyAdd', [out, operand(t, factor), term], out, 0, 0);
}

type Unary = (t: Recorder, x: Tensor) => Tensor;
type Binary = (t: Recorder, left: Operand, right: Operand) => Tensor;

const unary =
  (name: UnaryFunction): Unary =>
  (t, x) =>
    map(t, name, [x]);
const binary =
  (name: BinaryFunction): Binary =>
  (t, left, right) =>
    map(t, name, [operand(t, left), operand(t, right)]);

export const absolute: Unary = unary('absolute');
/** −1, 0 or 1. */
export const sign: Unary = unary('sign');
export const exp: Unary = unary('exp');
/** Natural logarithm; −∞ of 0, NaN of negative numbers. */
export const log: Unary = unary('log');
export const squareRoot: Unary = unary('squareRoot');
export const reciprocalSquareRoot: Unary = unary('reciprocalSquareRoot');
export const reciprocal: Unary = unary('reciprocal');
export const square: Unary = unary('square');
export const sine: Unary = unary('sine');
export const cosine: Unary = unary('cosine');
export const tanh: Unary = unary('tanh');
/** 1 / (1 + e^−x). */
export const sigmoid: Unary = unary('sigmoid');
/** x · sigmoid(x). */
export const silu: Unary = unary('silu');
export const relu: Unary = unary('relu');
/** The error function. */
export const erf: Unary = unary('erf');
/** x for x ≥ 0, else e^x − 1. */
export const elu: Unary = unary('elu');
/** Rounded half to even; a tape passes gradients straight through. */
export const roundStraightThrough: Unary = unary('round');
export const floor: Unary = unary('floor');
/** The nearest bfloat16, ties to even. */
export const toBfloat: Unary = unary('toBfloat');

export const add: Binary = binary('add');
export const subtract: Binary = binary('subtract');
export const multiply: Binary = binary('multiply');
export const divide: Binary = binary('divide');
/** The larger; NaN where either is NaN. */
export const maximum: Binary = binary('maximum');
export const minimum: Binary = binary('minimum');
/** 1 where left < right, else 0. */
export const less: Binary = binary('less');
/** 1 where left = right, else 0. */
export const equal: Binary = binary('equal');

/** x · factor + term with numbers. */
export function affine(t: Recorder, x: Tensor, factor: number, term = 0): Tensor {
  return map(t, 'affine', [x], { p: factor, q: term });
}

/** left · right + term. */
export function multiplyAdd(t: Recorder, left: Operand, right: Operand, term: Operand): Tensor {
  return map(t, 'multiplyAdd', [operand(t, left), operand(t, right), operand(t, term)]);
}

/** max(x, 0)². */
export function squaredRelu(t: Recorder, x: Tensor): Tensor {
  return square(t, relu(t, x));
}

/** x for x ≥ 0, else slope · x. */
export function leakyRelu(t: Recorder, x: Tensor, slope = 0.01): Tensor {
  return map(t, 'leakyRelu', [x], { p: slope });
}

export type GeluApproximation = 'exact' | 'tanh' | 'quick';
const gelus = { exact: 'gelu', tanh: 'geluTanh', quick: 'geluQuick' } as const;

/** exact: x/2 (1 + erf(x/√2)); tanh: x/2 (1 + tanh(√(2/π)(x + 0.044715 x³))); quick: x · sigmoid(1.702 x). */
export function gelu(t: Recorder, x: Tensor, approximation: GeluApproximation = 'exact'): Tensor {
  requireArgument(
    Object.hasOwn(gelus, approximation),
    () => `a gelu must be one of ${Object.keys(gelus).join(', ')}; received ${approximation}`,
  );
  return map(t, gelus[approximation], [x]);
}

/** log(1 + e^(beta x)) / beta, and x itself where beta x > threshold. */
export function softplus(t: Recorder, x: Tensor, options: { beta?: number; threshold?: number } = {}): Tensor {
  const { beta = 1, threshold = 20 } = options;
  requireArgument(beta > 0, () => `softplus needs a positive beta; received ${beta}`);
  return map(t, 'softplus', [x], { p: beta, q: threshold });
}

/** Limits x to [minimum, maximum]. */
export function clamp(t: Recorder, x: Tensor, minimum: number, maximum: number): Tensor {
  requireArgument(minimum <= maximum, () => `clamp needs minimum ≤ maximum; received ${minimum} and ${maximum}`);
  return map(t, 'clamp', [x], { p: minimum, q: maximum });
}

/** x^exponent for x ≥ 0; NaN for negative x. */
export function power(t: Recorder, x: Tensor, exponent: number): Tensor {
  return map(t, 'power', [x], { p: exponent });
}

/** whenTrue where the condition is not 0, else whenFalse. */
export function select(t: Recorder, condition: Tensor, whenTrue: Operand, whenFalse: Operand): Tensor {
  return map(t, 'select', [condition, operand(t, whenTrue), operand(t, whenFalse)]);
}

const integerKinds = { i8: 0, u8: 1, i32: 2 } as const;

/** Integers as floats (rounded beyond 2²⁴); f32 tensors are returned as they are. */
export function toFloat(t: Recorder, x: Tensor): Tensor {
  if (x.dtype === 'f32') return x;
  const { dtype } = x;
  requireArgument(dtype !== 'q8', () => 'toFloat takes i8, u8 and i32 tensors; received q8');
  const out = t.empty(x.shape);
  if (x.size > 0) t.append('convert', [x], [out], [out.address, x.address, x.size, integerKinds[dtype]]);
  return out;
}
