/** Matrix products and embeddings: every weight format, even and odd shapes. */
import type { Tensor } from '../tensor.ts';
import { type WeightFormat, weightFormats } from '../weight.ts';
import type { Bench } from './bench.ts';
import { type ContractCase, sameBits } from './subject.ts';

export const isFloatFormat = (format: WeightFormat): boolean =>
  format === 'F32' || format === 'F16' || format === 'BF16';

/** A short and a longer row that the format can hold; odd ones where it can. */
export function columnsOf(format: WeightFormat): readonly [number, number] {
  if (isFloatFormat(format)) return [7, 83];
  return format.endsWith('_K') ? [256, 768] : [32, 160];
}

/** [rows of x, outputs] */
const shapes: readonly (readonly [number, number])[] = [
  [1, 1],
  [3, 15],
  [5, 16],
  [2, 17],
  [6, 70],
];

async function products(bench: Bench, format: WeightFormat, quantized: boolean): Promise<Record<string, Tensor>> {
  const results: Record<string, Tensor> = {};
  const input = (rows: number, columns: number): Tensor => {
    const x = bench.tensor(rows, columns);
    return quantized ? bench.recorder.quantize(x) : x;
  };
  const [short, long] = columnsOf(format);
  const small = await bench.weight(format, 18, short);
  for (let rows = 1; rows <= 17; rows++)
    results[`${rows} rows, 18 outputs, ${short} columns`] = bench.recorder.linear(input(rows, short), small);
  results['35 rows'] = bench.recorder.linear(input(35, short), small);
  for (const [rows, outputs] of shapes)
    results[`${rows} rows, ${outputs} outputs, ${long} columns`] = bench.recorder.linear(
      input(rows, long),
      await bench.weight(format, outputs, long),
    );
  return results;
}

async function biasAndAddition(bench: Bench): Promise<Record<string, Tensor>> {
  const { recorder } = bench;
  const weight = await bench.weight('Q4_1', 21, 64);
  const floats = await bench.weight('F16', 21, 64);
  const x = bench.tensor(5, 64);
  const codes = recorder.quantize(x);
  const bias = bench.tensor(1, 21);
  return {
    'bias, 8-bit': recorder.linear(codes, weight, { bias }),
    'bias, float': recorder.linear(x, floats, { bias }),
    'added, 8-bit': recorder.linear(codes, weight, { addTo: bench.tensor(5, 21) }),
    'added, float': recorder.linear(x, floats, { addTo: bench.tensor(5, 21) }),
    'added with bias': recorder.linear(codes, weight, { bias, addTo: bench.tensor(5, 21) }),
  };
}

/** Codes and activations at their largest: products must not saturate. */
async function extremes(bench: Bench): Promise<Record<string, Tensor>> {
  const results: Record<string, Tensor> = {};
  for (const format of weightFormats.filter((name) => !isFloatFormat(name))) {
    const columns = format.endsWith('_K') ? 256 : 64;
    const weight = await bench.weight(format, 16, columns);
    const sign = (i: number): number => (i % 3 === 0 ? -1 : 1);
    const x = bench.tensor(
      2,
      columns,
      Float32Array.from({ length: 2 * columns }, (_, i) => (i < columns ? 1 : sign(i))),
    );
    results[format] = bench.recorder.linear(bench.recorder.quantize(x), weight);
  }
  return results;
}

async function embeddings(bench: Bench, format: WeightFormat): Promise<Record<string, Tensor>> {
  const [short, long] = columnsOf(format);
  const ids = [0, 15, 16, 36, 7, 36, 31];
  return {
    plain: bench.recorder.embed(await bench.weight(format, 37, short), bench.integers(ids)),
    scaled: bench.recorder.embed(await bench.weight(format, 37, long), bench.integers(ids), 25.3),
  };
}

export const linearCases: readonly ContractCase[] = [
  ...weightFormats.map((format) =>
    sameBits(`linear: ${format} weights, float activations`, (bench) => products(bench, format, false)),
  ),
  ...weightFormats
    .filter((format) => !isFloatFormat(format))
    .map((format) =>
      sameBits(`linear: ${format} weights, 8-bit activations`, (bench) => products(bench, format, true)),
    ),
  sameBits('linear: bias and addition', biasAndAddition),
  sameBits('linear: largest activations', extremes),
  ...weightFormats.map((format) => sameBits(`embed: ${format} weights`, (bench) => embeddings(bench, format))),
];
