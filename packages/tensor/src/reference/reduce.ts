/**
 * Reductions, running sums, softmax, norms, sorting. Element i of what is summed goes to lane i mod 16, and the lanes are
 * folded 8, 4, 2, 1, along whichever axis.
 */
import type { AddressSpace } from './address-space.ts';
import { add, divide, larger, multiply, round, smaller, subtract } from './arithmetic.ts';
import { exp, log } from './functions.ts';

/** By number as `reductions` of opcodes.ts lists them: where lanes start, and how a value joins. */
const kinds: readonly { start: number; join: (sum: number, x: number) => number }[] = [
  { start: 0, join: add },
  { start: Number.NEGATIVE_INFINITY, join: (best, x) => larger(x, best) },
  { start: Number.POSITIVE_INFINITY, join: (best, x) => smaller(x, best) },
];

/** Sum, maximum or minimum of a list of values. */
function reduced(kind: number, values: Iterable<number>): number {
  const { start, join } = kinds[kind]!;
  const lanes = new Float32Array(16).fill(start);
  let i = 0;
  for (const value of values) {
    lanes[i % 16] = join(lanes[i % 16]!, value);
    i++;
  }
  for (let half = 8; half >= 1; half /= 2)
    for (let lane = 0; lane < half; lane++) lanes[lane] = join(lanes[lane]!, lanes[lane + half]!);
  return lanes[0]!;
}

/** The `count` values of one line of [outer, count, inner]. */
function line(x: Float32Array, count: number, inner: number, unit: number): Float32Array {
  const first = Math.floor(unit / inner) * count * inner + (unit % inner);
  return Float32Array.from({ length: count }, (_, i) => x[first + i * inner]!);
}

export function reduce(
  memory: AddressSpace,
  out: number,
  x: number,
  outer: number,
  count: number,
  inner: number,
  kind: number,
): void {
  const values = memory.floats(x, outer * count * inner);
  memory.floats(out, outer * inner).forEach((_, unit, results) => {
    results[unit] = reduced(kind, line(values, count, inner, unit));
  });
}

/** The lowest index of the largest or smallest value; NaN gives way to every number. */
export function extremeIndex(
  memory: AddressSpace,
  out: number,
  x: number,
  outer: number,
  count: number,
  inner: number,
  largest: number,
): void {
  const values = memory.floats(x, outer * count * inner);
  memory.integers(out, outer * inner).forEach((_, unit, results) => {
    const candidates = line(values, count, inner, unit);
    let best = 0;
    candidates.forEach((value, i) => {
      const current = candidates[best]!;
      if ((largest ? value > current : value < current) || (Number.isNaN(current) && !Number.isNaN(value))) best = i;
    });
    results[unit] = best;
  });
}

export function cumulative(
  memory: AddressSpace,
  out: number,
  x: number,
  outer: number,
  count: number,
  inner: number,
  reverse: number,
): void {
  const values = memory.floats(x, outer * count * inner);
  const results = memory.floats(out, outer * count * inner);
  for (let unit = 0; unit < outer * inner; unit++) {
    const first = Math.floor(unit / inner) * count * inner + (unit % inner);
    for (let k = 0; k < count; k++) {
      const at = first + (reverse ? count - 1 - k : k) * inner;
      results[at] = k === 0 ? values[at]! : add(results[at + (reverse ? inner : -inner)]!, values[at]!);
    }
  }
}

/** e^(x − max) / Σ, or (x − max) − log Σ; a row of only −∞ gives zeros, or −∞. */
export function softmax(
  memory: AddressSpace,
  out: number,
  x: number,
  rows: number,
  columns: number,
  logarithm: number,
): void {
  for (let row = 0; row < rows; row++) {
    const values = memory.floats(x + row * columns * 4, columns);
    const results = memory.floats(out + row * columns * 4, columns);
    const largest = reduced(1, values);
    if (largest === Number.NEGATIVE_INFINITY) {
      results.fill(values.some(Number.isNaN) ? Number.NaN : logarithm ? largest : 0);
      continue;
    }
    const shifted = values.map((value) => subtract(value, largest));
    const powers = shifted.map(exp);
    const sum = reduced(0, powers);
    const factor = logarithm ? log(sum) : divide(1, sum);
    results.set(logarithm ? shifted.map((z) => subtract(z, factor)) : powers.map((e) => multiply(e, factor)));
  }
}

/** (x − mean) / √(mean((x − mean)²) + ε) [· weight] [+ bias]; without the mean unless `centred`. */
export function normalise(
  memory: AddressSpace,
  out: number,
  x: number,
  weight: number,
  bias: number,
  rows: number,
  columns: number,
  epsilon: number,
  centred: number,
): void {
  const weights = weight ? memory.floats(weight, columns) : undefined;
  const biases = bias ? memory.floats(bias, columns) : undefined;
  for (let row = 0; row < rows; row++) {
    const values = memory.floats(x + row * columns * 4, columns);
    const mean = centred ? divide(reduced(0, values), columns) : 0;
    const deviations = values.map((value) => subtract(value, mean));
    const meanSquare = divide(
      reduced(
        0,
        deviations.map((value) => multiply(value, value)),
      ),
      columns,
    );
    const scale = divide(1, round(Math.sqrt(add(meanSquare, round(epsilon)))));
    const results = memory.floats(out + row * columns * 4, columns);
    deviations.forEach((deviation, i) => {
      const scaled = multiply(deviation, scale);
      const weighted = weights ? multiply(scaled, weights[i]!) : scaled;
      results[i] = biases ? add(weighted, biases[i]!) : weighted;
    });
  }
}

/** Whether a stands before b; NaN counts as the largest value. */
function order(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Stable in both directions. */
export function sort(
  memory: AddressSpace,
  values: number,
  ids: number,
  x: number,
  rows: number,
  columns: number,
  descending: number,
): void {
  for (let row = 0; row < rows; row++) {
    const keys = memory.floats(x + row * columns * 4, columns);
    const sorted = [...keys.keys()].sort((a, b) =>
      descending ? order(keys[b]!, keys[a]!) : order(keys[a]!, keys[b]!),
    );
    memory.floats(values + row * columns * 4, columns).set(sorted.map((i) => keys[i]!));
    memory.integers(ids + row * columns * 4, columns).set(sorted);
  }
}
