/**
 * How far the elementary functions are from the true value, in units in the last place (of float32, subnormal ones
 * included), against the same functions in float64. The backend contract makes this hold for every backend.
 */
import { expect, test } from 'vitest';
import type { MapFunction } from '../opcodes.ts';
import { createReferenceBackend } from '../reference/reference-backend.ts';
import { Bench } from '../testing/bench.ts';
import { map } from './elementwise.ts';

/** Distance between neighbouring float32 numbers at x. */
function unit(x: number): number {
  const magnitude = Math.max(Math.abs(x), 2 ** -126);
  return 2 ** (Math.floor(Math.log2(magnitude)) - 23);
}

/** 1 − erf x in float64: a series near 0, a continued fraction beyond. */
function complementaryErf(x: number): number {
  if (x < 0) return 2 - complementaryErf(-x);
  if (x < 2) {
    let [sum, term] = [x, x];
    for (let n = 1; n < 80; n++) {
      term *= -(x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 100; k >= 1; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

const erf = (x: number): number => {
  if (Math.abs(x) > 0.5) return 1 - complementaryErf(x);
  let [sum, term] = [x, x];
  for (let n = 1; n < 40; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
};

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const spread = (from: number, to: number): readonly [number, number] => [from, to];

/**
 * Function, true value, range of arguments, largest error in units in the last place. Tails of functions with e^z inside
 * magnify the rounding of z, so the gates are followed to where their value is a millionth.
 */
const functions: readonly (readonly [MapFunction, (x: number) => number, readonly [number, number], number])[] = [
  ['exp', Math.exp, spread(-87, 88), 2],
  ['exp', Math.exp, spread(-103, -87), 2],
  ['log', Math.log, spread(1e-3, 5), 2],
  ['log', Math.log, spread(5, 1e30), 2],
  ['sine', Math.sin, spread(-10, 10), 1],
  ['sine', Math.sin, spread(-1e6, 1e6), 1],
  ['cosine', Math.cos, spread(-10, 10), 1],
  ['cosine', Math.cos, spread(1e5, 1.3e6), 1],
  ['tanh', Math.tanh, spread(-1e-3, 1e-3), 2],
  ['tanh', Math.tanh, spread(-9, 9), 2],
  ['sigmoid', sigmoid, spread(-80, 30), 4],
  ['silu', (x) => x * sigmoid(x), spread(-80, 30), 4],
  ['erf', erf, spread(-1, 1), 2],
  ['erf', erf, spread(-5, 5), 2],
  ['gelu', (x) => 0.5 * x * complementaryErf(-x / Math.SQRT2), spread(-5, 10), 20],
  ['geluTanh', (x) => x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)), spread(-5, 8), 60],
  ['geluQuick', (x) => x * sigmoid(1.702 * x), spread(-10, 20), 20],
  ['softplus', (x) => Math.log1p(Math.exp(x)), spread(-60, 15), 5],
  ['expMinusOne', Math.expm1, spread(-5, 5), 6],
  ['expMinusOne', Math.expm1, spread(-1e-3, 1e-3), 6],
  ['squareRoot', Math.sqrt, spread(0, 1e10), 0.51],
];

test.each(functions)('%s is close to the true value: %s', (name, truth, [from, to], allowed) => {
  const bench = new Bench(createReferenceBackend());
  const x = Float32Array.from({ length: 4000 }, () => from + (to - from) * bench.random.next());
  const result = map(bench.recorder, name, [bench.recorder.upload(x)], { p: 1, q: 20 });
  bench.recorder.flush();
  let worst = { error: 0, at: 0 };
  result.floats().forEach((value, i) => {
    const error = Math.abs(value - truth(x[i]!)) / unit(truth(x[i]!));
    if (!(error <= worst.error)) worst = { error, at: x[i]! };
  });
  expect(worst.error, `error at ${worst.at}`).toBeLessThan(allowed);
});

test.each([2, 3.7, 0.5, -1.5, 30])('power %f is rounded once', (exponent) => {
  const bench = new Bench(createReferenceBackend());
  const x = Float32Array.from({ length: 2000 }, () => 10 ** (bench.random.next() * 6 - 3) / 30);
  const result = map(bench.recorder, 'power', [bench.recorder.upload(x)], { p: Math.fround(exponent) });
  bench.recorder.flush();
  result.floats().forEach((value, i) => {
    const truth = x[i]! ** Math.fround(exponent);
    if (truth > 1e-37 && truth < 3e38) expect(Math.abs(value - truth) / unit(truth)).toBeLessThan(0.51);
  });
});

test('values at the ends of the range', () => {
  const bench = new Bench(createReferenceBackend());
  const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
  const apply = (name: MapFunction, ...x: number[]): number[] => {
    const result = map(bench.recorder, name, [bench.recorder.upload(Float32Array.from(x))], { p: 2, q: 20 });
    bench.recorder.flush();
    return [...result.floats()];
  };
  expect(apply('exp', 100, -200, infinity, -infinity, none, 0)).toEqual([infinity, 0, infinity, 0, none, 1]);
  expect(apply('log', 0, -1, infinity, none, 1)).toEqual([-infinity, none, infinity, none, 0]);
  expect(apply('tanh', 100, -100, infinity, none)).toEqual([1, -1, 1, none]);
  expect(apply('sigmoid', 1e30, -1e30, infinity, -infinity)).toEqual([1, 0, 1, 0]);
  expect(apply('silu', 1e30, -1e30)).toEqual([Math.fround(1e30), -0]);
  expect(apply('softplus', -1e30, 1e30)).toEqual([0, Math.fround(1e30)]);
  expect(apply('sine', infinity, none)).toEqual([none, none]);
  expect(apply('gelu', -1e30, 1e30)).toEqual([-0, Math.fround(1e30)]);
});
