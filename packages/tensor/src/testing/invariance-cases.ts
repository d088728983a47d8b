/**
 * What holds between runs of one backend: a row's bits do not depend on the rows computed with it nor on the number of
 * threads; commands that depend on each other wait for each other; memory that a scope frees is reused in order.
 */
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { type Weight, weightFormats } from '../weight.ts';
import { attendRows, irregularViews } from './attention-cases.ts';
import { Bench, bitsOf, rowsOf } from './bench.ts';
import { columnsOf, isFloatFormat } from './linear-cases.ts';
import { type ContractCase, expectReferenceBits, expectSameBits, type Program, type Subject } from './subject.ts';

/** Cuts [0, total) at random. */
function chunks(bench: Bench, total: number): [first: number, count: number][] {
  const cuts: [number, number][] = [];
  for (let first = 0; first < total; ) {
    const count = Math.min(total - first, bench.random.integer(1, 7));
    cuts.push([first, count]);
    first += count;
  }
  return cuts;
}

/** Compares all rows at once with three random chunkings and with row by row. */
function expectRowInvariance(
  bench: Bench,
  what: string,
  rows: number,
  compute: (first: number, count: number) => Tensor,
): void {
  const whole = compute(0, rows);
  bench.recorder.flush();
  const expected = bitsOf(whole);
  const single = Array.from({ length: rows }, (_, row): [number, number] => [row, 1]);
  for (const cuts of [single, chunks(bench, rows), chunks(bench, rows), chunks(bench, rows)]) {
    const parts = cuts.map(([first, count]) => compute(first, count));
    bench.recorder.flush();
    const actual = Uint32Array.from(parts.flatMap((part) => [...bitsOf(part)]));
    expectSameBits(actual, expected, `${what} in chunks of ${cuts.map(([, count]) => count).join(', ')} rows`);
  }
}

async function withBench(
  subject: Subject,
  threads: number,
  body: (bench: Bench) => Promise<void> | void,
): Promise<void> {
  const bench = new Bench(await subject.create({ threads }));
  try {
    await body(bench);
  } finally {
    bench.dispose();
  }
}

const rows = 23;

async function linearRows(bench: Bench): Promise<void> {
  const { recorder } = bench;
  for (const format of weightFormats) {
    const columns = columnsOf(format)[1];
    const weight = await bench.weight(format, 20, columns);
    const x = bench.tensor(rows, columns);
    expectRowInvariance(bench, `${format}, floats`, rows, (first, count) =>
      recorder.linear(rowsOf(x, first, count), weight),
    );
    if (isFloatFormat(format)) continue;
    expectRowInvariance(bench, `${format}, 8 bits`, rows, (first, count) =>
      recorder.linear(recorder.quantize(rowsOf(x, first, count)), weight),
    );
  }
}

function otherRows(bench: Bench): void {
  const { recorder } = bench;
  const [x, up] = [bench.tensor(rows, 512), bench.tensor(rows, 512)];
  const weight = bench.tensor(1, 512);
  const part = (tensor: Tensor, first: number, count: number): Tensor => rowsOf(tensor, first, count);
  for (const dtype of ['f32', 'q8'] as const) {
    expectRowInvariance(bench, 'rmsNorm', rows, (first, count) =>
      recorder.rmsNorm(part(x, first, count), weight, 1e-5, { dtype }),
    );
    for (const activation of ['silu', 'gelu-tanh'] as const)
      expectRowInvariance(bench, activation, rows, (first, count) =>
        recorder.gated(part(x, first, count), part(up, first, count), activation, dtype),
      );
  }
}

function attentionRows(bench: Bench): void {
  for (const dtype of ['f16', 'f32'] as const)
    for (const headSize of [20, 64]) {
      const cache = { slots: 150, pageSlots: 48, heads: 2, headSize, dtype };
      const setup = { cache, queryHeads: 4, views: irregularViews };
      const layer = bench.cache(cache);
      const q = bench.tensor(irregularViews.length, 4 * headSize);
      expectRowInvariance(bench, `attention ${dtype} ${headSize}`, irregularViews.length, (first, count) =>
        attendRows(bench, setup, layer, rowsOf(q, first, count), irregularViews.slice(first, first + count)),
      );
    }
}

/** One feed-forward layer, x + W₂(silu(W₀ n) · W₁ n) with n the normed x: each command waits for the one before. */
function layer(recorder: Recorder, x: Tensor, norm: Tensor, weights: readonly Weight[]): void {
  recorder.scope(() => {
    const normed = recorder.rmsNorm(x, norm, 1e-5, { dtype: 'q8' });
    const [gate, up] = [recorder.linear(normed, weights[0]!), recorder.linear(normed, weights[1]!)];
    recorder.linear(recorder.gated(gate, up, 'silu', 'q8'), weights[2]!, { addTo: x });
  });
}

/** Layers one after the other; every scope reuses the memory of the one before. */
const chain: Program = async (bench) => {
  const x = bench.tensor(3, 64);
  const norm = bench.tensor(1, 64);
  const weights = [
    await bench.weight('Q4_0', 96, 64),
    await bench.weight('Q8_0', 96, 64),
    await bench.weight('Q5_1', 64, 96),
  ];
  for (let i = 0; i < 12; i++) layer(bench.recorder, x, norm, weights);
  const { values, ids } = bench.recorder.topK(x, 5);
  return { x, values, ids };
};

/** A command that overwrites what an earlier one reads, and one that reads what an earlier one wrote. */
const overwriting: Program = (bench) => {
  const { recorder } = bench;
  const [a, b] = [bench.tensor(1, 20000), bench.tensor(1, 20000)];
  const sum = recorder.add(a, b);
  recorder.add(b, b, a);
  recorder.add(a, sum, b);
  recorder.softcap(b, 3);
  const cache = bench.cache({ slots: 32, pageSlots: 16, heads: 1, headSize: 32, dtype: 'f16' });
  const setup = {
    cache: { slots: 32, pageSlots: 16, heads: 1, headSize: 32, dtype: 'f16' as const },
    queryHeads: 1,
    views: [],
  };
  const results: Record<string, Tensor> = { sum, a, b };
  for (let slot = 0; slot < 32; slot++) {
    const row = bench.tensor(1, 32);
    recorder.cacheWrite(cache, row, row, bench.integers([slot]));
    results[`slot ${slot}`] = attendRows(bench, setup, cache, row, [{ start: 0, end: slot + 1 }]);
  }
  return results;
};

const onThreads = async (subject: Subject, program: Program): Promise<void> => {
  for (const threads of [1, 2, 3]) await expectReferenceBits(subject, program, threads);
};

export const invarianceCases: readonly ContractCase[] = [
  { name: 'rows: linear', check: (subject) => withBench(subject, 2, linearRows) },
  { name: 'rows: rmsNorm and gated', check: (subject) => withBench(subject, 2, otherRows) },
  { name: 'rows: attention', check: (subject) => withBench(subject, 2, attentionRows) },
  { name: 'threads: chained layers in reused scopes', check: (subject) => onThreads(subject, chain) },
  { name: 'threads: commands that overwrite each other', check: (subject) => onThreads(subject, overwriting) },
];
