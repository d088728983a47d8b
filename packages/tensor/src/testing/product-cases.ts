/** Matrix products of every shape around the tiles and blocks of the kernels, transposed, batched, and of integers. */
import { linearInt4Group, linearInt8Dynamic, linearInt8Weight, matmul, matmulInt8 } from '../operations/index.ts';
import type { Tensor } from '../tensor.ts';
import type { Bench } from './bench.ts';
import { type ContractCase, expectReferenceBits, type Program, sameBits } from './subject.ts';

const transpositions = [false, true].flatMap((transposeLeft) =>
  [false, true].map((transposeRight) => ({ transposeLeft, transposeRight })),
);

/** [m, n, k] */
const extents: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [2, 3, 5],
  [1, 70, 40],
  [4, 33, 17],
  [7, 64, 9],
  [13, 31, 257],
  [25, 65, 3],
  [3, 5, 600],
];

const products: Program = (bench) => {
  const { recorder } = bench;
  const results: Record<string, Tensor> = {};
  for (const [m, n, k] of extents)
    for (const options of transpositions) {
      const left = bench.floats(options.transposeLeft ? [k, m] : [m, k]);
      const right = bench.floats(options.transposeRight ? [n, k] : [k, n]);
      results[`${m} × ${n} × ${k} ${JSON.stringify(options)}`] = matmul(recorder, left, right, options);
    }
  for (const [left, right] of [
    [
      [2, 3, 4, 5],
      [2, 3, 5, 6],
    ],
    [
      [2, 1, 4, 5],
      [3, 5, 6],
    ],
    [
      [7, 2, 8],
      [8, 5],
    ],
    [
      [3, 0],
      [0, 4],
    ],
    [
      [0, 3],
      [3, 4],
    ],
  ] as const)
    results[`[${left}] [${right}]`] = matmul(recorder, bench.floats(left), bench.floats(right));
  return results;
};

/** Larger than one block in every direction, so that blocks meet. */
const large: Program = (bench) => ({
  blocks: matmul(bench.recorder, bench.floats([200, 300]), bench.floats([300, 130])),
  'padded rows': matmul(bench.recorder, bench.floats([64, 9]), bench.floats([9, 520])),
  wide: matmul(bench.recorder, bench.floats([5, 20]), bench.floats([530, 20]), { transposeRight: true }),
});

function codes(bench: Bench, rows: number, columns: number, from: number, to: number): number[] {
  return Array.from({ length: rows * columns }, () => bench.random.integer(from, to));
}

const integers: Program = (bench) => {
  const { recorder } = bench;
  const results: Record<string, Tensor> = {};
  for (const [rows, outputs, inputs] of [
    [1, 1, 1],
    [3, 5, 16],
    [4, 33, 100],
  ] as const) {
    const weight = recorder.upload(Int8Array.from(codes(bench, outputs, inputs, -128, 128)), [outputs, inputs]);
    const left = recorder.upload(Int8Array.from(codes(bench, rows, inputs, -128, 128)), [rows, inputs]);
    const x = bench.floats([rows, inputs]);
    const scale = bench.floats([outputs]);
    const name = `${rows} × ${outputs} × ${inputs}`;
    results[`product ${name}`] = matmulInt8(recorder, left, weight);
    results[`weight ${name}`] = linearInt8Weight(recorder, x, weight, scale);
    const dynamic = linearInt8Dynamic(recorder, x, weight, scale);
    results[`codes ${name}`] = dynamic.inputCodes;
    results[`scales ${name}`] = dynamic.inputScale;
    results[`dynamic ${name}`] = dynamic.output;
    const groups = Math.ceil(inputs / 32);
    const packed = {
      codes: recorder.upload(Uint8Array.from(codes(bench, outputs, inputs, 0, 16)), [outputs, inputs]),
      scale: bench.floats([outputs, groups]),
      zeroPoint: recorder.upload(Uint8Array.from(codes(bench, outputs, groups, 0, 16)), [outputs, groups]),
    };
    results[`groups ${name}`] = linearInt4Group(recorder, x, packed, 32);
  }
  const extremes = recorder.upload(Float32Array.of(0, 0, 0, 1e-45, 1e-38, 0, 3e38, -3e38, 1), [3, 3]);
  const quantised = linearInt8Dynamic(
    recorder,
    extremes,
    recorder.upload(Int8Array.of(1, 2, 3), [1, 3]),
    bench.floats([1]),
  );
  results['extreme codes'] = quantised.inputCodes;
  results['extreme scales'] = quantised.inputScale;
  return results;
};

export const productCases: readonly ContractCase[] = [
  sameBits('matmul: every shape', products),
  {
    name: 'matmul: blocks and threads',
    check: async (subject) => {
      for (const threads of [1, 2, 3]) await expectReferenceBits(subject, large, threads);
    },
  },
  sameBits('integer products', integers),
];
