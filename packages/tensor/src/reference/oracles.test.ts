/**
 * The reference backend against float64 formulas written from the definitions, since it shares its design with the
 * kernels that are compared with it.
 */
import { dequantize, floatToHalf, halfToFloat } from '@gallop/formats';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../tensor.ts';
import { Bench } from '../testing/bench.ts';
import { columnsOf, isFloatFormat } from '../testing/linear-cases.ts';
import { Random, randomRows } from '../testing/random.ts';
import { packWeight, type Weight, type WeightFormat, weightBytes, weightFormats } from '../weight.ts';
import { exponential } from './arithmetic.ts';
import { fromHalf, toHalf } from './half-floats.ts';
import { createReferenceBackend } from './reference-backend.ts';

function withBench<T>(body: (bench: Bench) => T): T {
  return body(new Bench(createReferenceBackend()));
}

function valuesOf(bench: Bench, tensor: Tensor): Float32Array {
  bench.recorder.flush();
  return tensor.floats().slice();
}

/** Largest difference, relative to the largest expected value. */
function relativeError(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(actual[i]! - value))) / largest;
}

/** A random matrix, packed, and decoded by the file formats' own decoder. */
async function matrix(
  bench: Bench,
  format: WeightFormat,
  rows: number,
): Promise<{ weight: Weight; values: Float32Array }> {
  const columns = columnsOf(format)[1];
  const bytes = randomRows(format, rows, columns, new Random(7));
  const rowBytes = bytes.length / rows;
  const { address } = bench.backend.allocate(weightBytes(format, rows, columns));
  const weight = await packWeight(bench.backend, format, rows, columns, address, (first, count, into) => {
    into.set(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
  });
  return { weight, values: dequantize(format, bytes) };
}

function products(x: Float32Array, weights: Float32Array, rows: number, outputs: number): number[] {
  const columns = x.length / rows;
  return Array.from({ length: rows * outputs }, (_, i) => {
    const [row, output] = [Math.floor(i / outputs), i % outputs];
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += x[row * columns + k]! * weights[output * columns + k]!;
    return sum;
  });
}

describe.each(weightFormats)('%s weights', (format) => {
  test('decode to the values of the file format', () =>
    withBench(async (bench) => {
      const { weight, values } = await matrix(bench, format, 19);
      const ids = Array.from({ length: 19 }, (_, row) => row);
      expect(valuesOf(bench, bench.recorder.embed(weight, bench.integers(ids)))).toEqual(values);
    }));

  test('float activations: float64 products', () =>
    withBench(async (bench) => {
      const { weight, values } = await matrix(bench, format, 19);
      const x = bench.tensor(3, weight.columns);
      const expected = products(x.floats(), values, 3, 19);
      expect(relativeError(valuesOf(bench, bench.recorder.linear(x, weight)), expected)).toBeLessThan(1e-5);
    }));

  if (isFloatFormat(format)) return;

  test('8-bit activations: float64 products of the rounded activations', () =>
    withBench(async (bench) => {
      const { weight, values } = await matrix(bench, format, 19);
      const x = bench.tensor(3, weight.columns);
      const rounded = x.floats().slice();
      for (let first = 0; first < rounded.length; first += 32) {
        const block = rounded.subarray(first, first + 32);
        const step = Math.max(...block.map(Math.abs)) / 127;
        for (let i = 0; i < 32; i++) block[i] = Math.round(block[i]! / step) * step;
      }
      const expected = products(rounded, values, 3, 19);
      const actual = valuesOf(bench, bench.recorder.linear(bench.recorder.quantize(x), weight));
      expect(relativeError(actual, expected)).toBeLessThan(1e-5);
    }));
});

test.each([
  { headSize: 20, dtype: 'f32', softcap: 0, tolerance: 1e-5 },
  { headSize: 64, dtype: 'f32', softcap: 3, tolerance: 1e-5 },
  { headSize: 16, dtype: 'f16', softcap: 0, tolerance: 1e-5 },
] as const)('attention: float64 softmax, %o', ({ headSize, dtype, softcap, tolerance }) =>
  withBench((bench) => {
    const layer = bench.cache({ slots: 32, pageSlots: 16, heads: 2, headSize, dtype });
    const [keys, values] = [bench.tensor(32, 2 * headSize), bench.tensor(32, 2 * headSize)];
    bench.recorder.cacheWrite(layer, keys, values, bench.integers([...Array(32).keys()]));
    const q = bench.tensor(1, 4 * headSize);
    const visibility = { spans: bench.integers([3, 20, 0, 2], [1, 4]), extras: bench.integers([30, 22]), places: 22 };
    const actual = valuesOf(bench, bench.recorder.attention(layer, q, visibility, { scale: 0.3, softcap }));
    const seen = [...Array.from({ length: 17 }, (_, i) => i + 3), 30, 22];
    const stored = (x: number): number => (dtype === 'f16' ? halfToFloat(floatToHalf(x)) : x);
    const at = (tensor: Tensor, slot: number, head: number, d: number): number =>
      stored(tensor.floats()[(slot * 2 + head) * headSize + d]!);
    const expected = Array.from({ length: 4 * headSize }, (_, i) => {
      const [head, d] = [Math.floor(i / headSize), i % headSize];
      const keyHead = head >> 1;
      const scores = seen.map((slot) => {
        let dot = 0;
        for (let j = 0; j < headSize; j++) dot += q.floats()[head * headSize + j]! * at(keys, slot, keyHead, j);
        return softcap ? softcap * Math.tanh((dot * 0.3) / softcap) : dot * 0.3;
      });
      const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
      return seen.reduce((sum, slot, j) => sum + (Math.exp(scores[j]!) / total) * at(values, slot, keyHead, d), 0);
    });
    expect(relativeError(actual, expected)).toBeLessThan(tolerance);
  }),
);

test('rmsNorm: x / sqrt(mean(x²) + epsilon) · weight', () =>
  withBench((bench) => {
    const [x, weight] = [bench.tensor(1, 83), bench.tensor(1, 83)];
    const values = [...x.floats()];
    const scale = 1 / Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / 83 + 1e-2);
    const expected = values.map((value, i) => value * scale * weight.floats()[i]!);
    expect(relativeError(valuesOf(bench, bench.recorder.rmsNorm(x, weight, 1e-2)), expected)).toBeLessThan(1e-6);
  }));

const gates = {
  silu: (x: number): number => x / (1 + Math.exp(-x)),
  'gelu-tanh': (x: number): number => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};
test.each(['silu', 'gelu-tanh'] as const)('gated: %s', (activation) =>
  withBench((bench) => {
    const x = Float32Array.from({ length: 401 }, (_, i) => (i - 200) / 10);
    const gate = bench.tensor(1, 401, x);
    const up = bench.tensor(1, 401);
    const expected = [...x].map((value, i) => gates[activation](value) * up.floats()[i]!);
    expect(relativeError(valuesOf(bench, bench.recorder.gated(gate, up, activation)), expected)).toBeLessThan(1e-6);
  }),
);

test('softcap: cap · tanh(x / cap)', () =>
  withBench((bench) => {
    const values = Float32Array.from({ length: 401 }, (_, i) => (i - 200) / 2);
    const x = bench.tensor(1, 401, values);
    bench.recorder.softcap(x, 30);
    const expected = [...values].map((value) => 30 * Math.tanh(value / 30));
    expect(relativeError(valuesOf(bench, x), expected)).toBeLessThan(1e-6);
  }));

test.each(['halves', 'adjacent'] as const)('rope: rotation by the angles of the table, %s', (pairing) =>
  withBench((bench) => {
    const angles = [0.3, -2, 1.1];
    const table = bench.tensor(1, 6, Float32Array.from([...angles.map(Math.cos), ...angles.map(Math.sin)]));
    const x = bench.tensor(1, 8, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    bench.recorder.rope(x, table, 1, pairing);
    const expected = [1, 2, 3, 4, 5, 6, 7, 8];
    angles.forEach((angle, i) => {
      const [a, b] = pairing === 'halves' ? [i, i + 3] : [2 * i, 2 * i + 1];
      const [p, q] = [expected[a]!, expected[b]!];
      expected[a] = p * Math.cos(angle) - q * Math.sin(angle);
      expected[b] = p * Math.sin(angle) + q * Math.cos(angle);
    });
    expect(relativeError(valuesOf(bench, x), expected)).toBeLessThan(1e-6);
  }),
);

test('exponential: within 2 units of the last place of e^x', () => {
  for (let x = -87; x < 88.3; x += 0.0137) {
    const input = Math.fround(x);
    expect(Math.abs(exponential(input) / Math.exp(input) - 1)).toBeLessThan(2 ** -22);
  }
  expect([exponential(-87.4), exponential(Number.NEGATIVE_INFINITY), exponential(Number.NaN)]).toEqual([0, 0, 0]);
});

test('float16: every value and its neighbours round as the file formats do', () => {
  for (let half = 0; half < 0x7c00; half++) {
    expect(fromHalf(half)).toBe(halfToFloat(half));
    const middle = (fromHalf(half) + fromHalf(half + 1)) / 2;
    for (const x of [fromHalf(half), middle, middle * (1 - 2 ** -23), -middle * (1 + 2 ** -23)])
      if (toHalf(Math.fround(x)) !== floatToHalf(Math.fround(x))) expect.fail(`${x}: ${toHalf(x)}, ${floatToHalf(x)}`);
  }
});

test('commands that leave live memory are refused', () =>
  withBench((bench) => {
    const { recorder, backend } = bench;
    const x = bench.tensor(1, 16);
    recorder.add(x, x);
    x.memory.free();
    expect(() => recorder.flush()).toThrow(/stay inside live memory/);
    backend.dispose();
  }));
