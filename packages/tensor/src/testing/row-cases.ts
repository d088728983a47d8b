/** Row-wise commands: norms, 8-bit activations, activation functions, rotary embedding, top-k and the like. */
import type { Tensor } from '../tensor.ts';
import type { Bench } from './bench.ts';
import { type ContractCase, type Program, sameBits } from './subject.ts';

const widths: readonly number[] = [1, 3, 16, 20, 31, 64, 257];

/** Values that arithmetic treats specially, but no infinities or NaN: those are no activations. */
const edges: readonly number[] = [
  ...[0, -0, 1e-45, -1e-45, 1e-39, 1.2e-38, 3e-38, 1e-30, 0.5, -0.5, 1.5, 2.5, 126.5, 127.5, -126.5],
  ...[-87.3, -87.34, -88, 88.2, 88.4, 89, -100, 500, -3e4, 3e9, 44.1, 44.2, -44.2, 20, -20, 9, -9, 1e18, -1e18],
];

function edgeTensor(bench: Bench, rows: number, columns: number): Tensor {
  return bench.tensor(
    rows,
    columns,
    Float32Array.from({ length: rows * columns }, (_, i) => edges[i % edges.length]!),
  );
}

const norms: Program = (bench) => {
  const { recorder } = bench;
  const results: Record<string, Tensor> = {};
  for (const width of widths) {
    const weight = bench.tensor(1, width);
    results[`${width}`] = recorder.rmsNorm(bench.tensor(5, width), weight, 1e-5);
    results[`${width} in place`] = recorder.rmsNorm(bench.tensor(3, width), weight, 1e-6, { inPlace: true });
    results[`${width} added`] = recorder.rmsNorm(bench.tensor(2, width), weight, 1e-6, {
      addTo: bench.tensor(2, width),
    });
  }
  for (const width of [32, 96, 576])
    results[`${width} to 8 bits`] = recorder.rmsNorm(bench.tensor(17, width), bench.tensor(1, width), 1e-5, {
      dtype: 'q8',
    });
  results.zero = recorder.rmsNorm(bench.tensor(1, 40, new Float32Array(40)), bench.tensor(1, 40), 1e-5);
  return results;
};

const quantized: Program = (bench) => {
  const { recorder } = bench;
  const halves = Float32Array.from({ length: 64 }, (_, i) => (i === 0 ? 127 : i - 31.5));
  const tiny = Float32Array.from(
    { length: 256 },
    (_, i) => (i % 5 ? 1 : -1) * 2 ** (-149 + 4 * Math.floor(i / 32)) * 3,
  );
  return {
    random: recorder.quantize(bench.tensor(19, 96)),
    'ties to even': recorder.quantize(bench.tensor(1, 64, halves)),
    zero: recorder.quantize(bench.tensor(2, 32, new Float32Array(64))),
    'very small': recorder.quantize(bench.tensor(1, 256, tiny)),
    'wide range': recorder.quantize(edgeTensor(bench, 7, 64)),
  };
};

const gates: Program = (bench) => {
  const { recorder } = bench;
  const results: Record<string, Tensor> = {};
  for (const activation of ['silu', 'gelu-tanh'] as const) {
    for (const width of [...widths, 512]) {
      results[`${activation} ${width}`] = recorder.gated(bench.tensor(3, width), bench.tensor(3, width), activation);
      results[`${activation} ${width} edges`] = recorder.gated(
        edgeTensor(bench, 5, width),
        bench.tensor(5, width),
        activation,
      );
    }
    for (const [rows, width] of [
      [2, 96],
      [3, 512],
      [17, 256],
    ] as const)
      results[`${activation} ${rows} × ${width} to 8 bits`] = recorder.gated(
        bench.tensor(rows, width),
        bench.tensor(rows, width),
        activation,
        'q8',
      );
  }
  return results;
};

const rotations: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const pairing of ['halves', 'adjacent'] as const)
    for (const [headSize, rotary] of [
      [8, 8],
      [20, 12],
      [64, 64],
      [80, 32],
    ] as const) {
      const x = bench.tensor(5, 3 * headSize);
      bench.recorder.rope(x, bench.tensor(5, rotary), 3, pairing);
      results[`${pairing} ${rotary} of ${headSize}`] = x;
    }
  return results;
};

const sums: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const width of [1, 17, 5000]) {
    const [a, b] = [bench.tensor(2, width), bench.tensor(2, width)];
    results[`${width}`] = bench.recorder.add(a, b);
    results[`${width} into a`] = bench.recorder.add(a, b, a);
  }
  return results;
};

const caps: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const width of [1, 19, 64, 4100])
    for (const [name, x] of [
      ['random', bench.tensor(2, width)],
      ['edges', edgeTensor(bench, 2, width)],
    ] as const) {
      bench.recorder.softcap(x, name === 'random' ? 2.5 : 30);
      results[`${name} ${width}`] = x;
    }
  return results;
};

const largest: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  const note = (name: string, x: Tensor, k: number): void => {
    const { values, ids } = bench.recorder.topK(x, k);
    results[`${name}: values`] = values;
    results[`${name}: ids`] = ids;
  };
  for (const width of [1, 15, 16, 100, 1003])
    for (const k of [1, 5, 20]) if (k <= width) note(`${k} of ${width}`, bench.tensor(3, width), k);
  note(
    'ties',
    bench.tensor(
      1,
      200,
      Float32Array.from({ length: 200 }, (_, i) => i % 7),
    ),
    40,
  );
  note(
    'rising',
    bench.tensor(
      1,
      100,
      Float32Array.from({ length: 100 }, (_, i) => i),
    ),
    10,
  );
  const holes = bench.random
    .floats(160)
    .map((value, i) => (i % 3 === 1 ? Number.NaN : i % 11 === 0 ? -Infinity : value));
  note('NaN and infinity', bench.tensor(1, 160, holes), 12);
  note('only NaN', bench.tensor(1, 20, new Float32Array(20).fill(Number.NaN)), 2);
  return results;
};

const copies: Program = (bench) => {
  const x = bench.tensor(9, 13);
  const out = bench.tensor(4, 13);
  bench.recorder.copyRows(x, bench.integers([8, 0, 8, 3]), out);
  return { out, new: bench.recorder.copyRows(x, bench.integers([2])) };
};

export const rowCases: readonly ContractCase[] = [
  sameBits('rmsNorm', norms),
  sameBits('quantize', quantized),
  sameBits('gated', gates),
  sameBits('rope', rotations),
  sameBits('add', sums),
  sameBits('softcap', caps),
  sameBits('topK', largest),
  sameBits('copyRows', copies),
];
