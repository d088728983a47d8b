/** The map command: y = f(a, b, c) element by element, operands broadcast by strides. */
import { type MapFunction, mapArity, mapFunctions } from '../opcodes.ts';
import type { AddressSpace } from './address-space.ts';
import { add, divide, larger, multiply, round, smaller, subtract } from './arithmetic.ts';
import {
  cosine,
  erf,
  exp,
  expMinusOne,
  floor,
  gelu,
  geluQuick,
  geluTanh,
  log,
  power,
  roundToInteger,
  sigmoid,
  silu,
  sine,
  softplus,
  tanh,
  toBfloat,
} from './functions.ts';
import { coordinates, offsetOf, readStrides } from './shapes.ts';

/** Operands, then the two parameters. */
type Formula = (operands: readonly number[], p: number, q: number) => number;

const unary =
  (formula: (x: number, p: number, q: number) => number): Formula =>
  ([x], p, q) =>
    formula(x!, p, q);
const binary =
  (formula: (x: number, y: number) => number): Formula =>
  ([x, y]) =>
    formula(x!, y!);

const formulas: Readonly<Record<MapFunction, Formula>> = {
  absolute: unary(Math.abs),
  sign: unary((x) => (x < 0 ? -1 : x > 0 ? 1 : x)),
  exp: unary(exp),
  log: unary(log),
  squareRoot: unary((x) => round(Math.sqrt(x))),
  reciprocalSquareRoot: unary((x) => divide(1, round(Math.sqrt(x)))),
  reciprocal: unary((x) => divide(1, x)),
  square: unary((x) => multiply(x, x)),
  sine: unary(sine),
  cosine: unary(cosine),
  tanh: unary(tanh),
  sigmoid: unary(sigmoid),
  silu: unary(silu),
  relu: unary((x) => larger(0, x)),
  erf: unary(erf),
  gelu: unary(gelu),
  geluTanh: unary(geluTanh),
  geluQuick: unary(geluQuick),
  softplus: unary(softplus),
  expMinusOne: unary(expMinusOne),
  elu: unary((x) => (x < 0 ? expMinusOne(x) : x)),
  leakyRelu: unary((x, slope) => (x < 0 ? multiply(x, slope) : x)),
  round: unary(roundToInteger),
  floor: unary(floor),
  clamp: unary((x, minimum, maximum) => larger(minimum, smaller(maximum, x))),
  affine: unary((x, factor, term) => add(multiply(x, factor), term)),
  power: unary(power),
  toBfloat: unary(toBfloat),
  add: binary(add),
  subtract: binary(subtract),
  multiply: binary(multiply),
  divide: binary(divide),
  maximum: binary((x, y) => (Number.isNaN(x) || x > y ? x : y)),
  minimum: binary((x, y) => (Number.isNaN(x) || x < y ? x : y)),
  less: binary((x, y) => (x < y ? 1 : 0)),
  equal: binary((x, y) => (x === y ? 1 : 0)),
  select: ([condition, whenTrue, whenFalse]) => (condition === 0 ? whenFalse! : whenTrue!),
  multiplyAdd: ([x, y, z]) => add(multiply(x!, y!), z!),
};

const formulasByCode: ReadonlyMap<number, Formula> = new Map(
  (Object.keys(mapFunctions) as MapFunction[]).map((name) => [mapFunctions[name], formulas[name]]),
);

export function map(memory: AddressSpace, ...operands: number[]): void {
  const [out, a, b, c, code, p, q, rank] = operands as [number, number, number, number, number, number, number, number];
  const arity = mapArity(code);
  const { sizes, strides, total } = readStrides(operands.slice(8), rank, arity);
  const inputs = [a, b, c]
    .slice(0, arity)
    .map((address, i) => memory.floats(address, 1 + offsetOf(sizes, strides[i]!, total - 1)));
  const formula = formulasByCode.get(code)!;
  const results = memory.floats(out, total);
  for (let i = 0; i < total; i++) {
    const at = coordinates(i, sizes);
    const values = inputs.map((input, k) => input[at.reduce((sum, x, axis) => sum + x * strides[k]![axis]!, 0)]!);
    results[i] = formula(values, round(p), round(q));
  }
}
