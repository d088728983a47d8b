/** The paged cache and attention over it: head sizes, windows, tree branches, grouped heads, both cache types. */
import type { Tensor } from '../tensor.ts';
import type { Bench, CacheShape } from './bench.ts';
import { type ContractCase, type Program, sameBits } from './subject.ts';

/** What one row sees: slots [start, end), then `extras`. */
export interface View {
  readonly start: number;
  readonly end: number;
  readonly extras?: readonly number[];
}

export interface AttentionSetup {
  readonly cache: CacheShape;
  readonly queryHeads: number;
  readonly views: readonly View[];
  readonly softcap?: number;
  readonly dtype?: 'f32' | 'q8';
  /** Distances that a bias tells apart, and how many of them are negative. */
  readonly bias?: { readonly columns: number; readonly zero: number };
}

const scale = 0.17;

/** Records attention over a filled cache for rows [first, last) of the views. */
export function attend(bench: Bench, setup: AttentionSetup): Tensor {
  const layer = bench.cache(setup.cache);
  const q = bench.tensor(setup.views.length, setup.queryHeads * setup.cache.headSize);
  return attendRows(bench, setup, layer, q, setup.views);
}

export function attendRows(
  bench: Bench,
  setup: AttentionSetup,
  layer: ReturnType<Bench['cache']>,
  q: Tensor,
  views: readonly View[],
): Tensor {
  const extras: number[] = [];
  const spans = views.flatMap((view) => {
    const first = extras.length;
    extras.push(...(view.extras ?? []));
    return [view.start, view.end, first, view.extras?.length ?? 0];
  });
  const places = Math.max(...views.map(({ end, extras: list }) => end + (list?.length ?? 0)));
  const visibility = {
    spans: bench.integers(spans, [views.length, 4]),
    extras: bench.integers(extras.length ? extras : [0]),
    places,
  };
  const { softcap, dtype, bias } = setup;
  // Positions that jump and repeat, as those of branches do.
  const positions = (count: number, step: number): Tensor =>
    bench.integers(Array.from({ length: count }, (_, i) => Math.floor(i / step)));
  return bench.recorder.attention(layer, q, visibility, {
    scale,
    ...(softcap === undefined ? {} : { softcap }),
    ...(dtype === undefined ? {} : { dtype }),
    ...(bias && {
      bias: {
        table: bench.tensor(setup.queryHeads, bias.columns),
        zero: bias.zero,
        keyPositions: positions(setup.cache.slots, 3),
        queryPositions: positions(views.length, 0.2),
      },
    }),
  });
}

const causal = (from: number, rows: number): View[] =>
  Array.from({ length: rows }, (_, i) => ({ start: 0, end: from + i + 1 }));

const cacheOf = (headSize: number, dtype: 'f16' | 'f32', heads = 1): CacheShape => ({
  slots: 150,
  pageSlots: 48,
  heads,
  headSize,
  dtype,
});

const headSizes: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const dtype of ['f16', 'f32'] as const)
    for (const headSize of [8, 16, 20, 64, 80, 256])
      results[`${headSize} ${dtype}`] = attend(bench, {
        cache: cacheOf(headSize, dtype),
        queryHeads: 1,
        views: causal(66, headSize === 256 ? 3 : 5),
      });
  return results;
};

const rowCounts: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const dtype of ['f16', 'f32'] as const)
    for (let rows = 1; rows <= 17; rows += rows < 5 ? 1 : 3)
      results[`${rows} rows ${dtype}`] = attend(bench, {
        cache: cacheOf(16, dtype),
        queryHeads: 1,
        views: causal(0, rows),
      });
  return results;
};

/** Windows, branches of a tree, both, and a window that ends inside the branch. */
export const irregularViews: readonly View[] = [
  { start: 0, end: 1 },
  { start: 33, end: 97 },
  { start: 5, end: 6, extras: [100, 77] },
  { start: 0, end: 64, extras: [64, 70, 66, 149] },
  { start: 64, end: 64, extras: [80] },
  { start: 66, end: 64, extras: [80, 81, 82, 83] },
  { start: 15, end: 16, extras: [90] },
  { start: 0, end: 0, extras: Array.from({ length: 40 }, (_, i) => 140 - i) },
  { start: 100, end: 150 },
  { start: 17, end: 31, extras: [40, 39] },
  { start: 0, end: 128, extras: [130] },
];

const irregular: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const dtype of ['f16', 'f32'] as const)
    for (const headSize of [20, 64])
      results[`${headSize} ${dtype}`] = attend(bench, {
        cache: cacheOf(headSize, dtype),
        queryHeads: 1,
        views: irregularViews,
      });
  return results;
};

const groups: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const [queryHeads, heads] of [
    [9, 3],
    [4, 1],
    [2, 2],
  ] as const)
    results[`${queryHeads} over ${heads}`] = attend(bench, {
      cache: cacheOf(16, 'f16', heads),
      queryHeads,
      views: causal(20, 6),
    });
  return results;
};

const pages: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const pageSlots of [16, 32, 64, 256])
    results[`${pageSlots}`] = attend(bench, {
      cache: { slots: 200, pageSlots, heads: 2, headSize: 32, dtype: 'f16' },
      queryHeads: 2,
      views: causal(190, 3),
    });
  return results;
};

const caps: Program = (bench) => ({
  five: attend(bench, { cache: cacheOf(64, 'f16'), queryHeads: 1, views: irregularViews, softcap: 5 }),
  fifty: attend(bench, { cache: cacheOf(64, 'f32'), queryHeads: 1, views: causal(17, 4), softcap: 50 }),
});

const biases: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const [columns, zero] of [
    [1, 0],
    [20, 0],
    [33, 16],
  ] as const)
    for (const dtype of ['f16', 'f32'] as const)
      results[`${columns} ${dtype}`] = attend(bench, {
        cache: cacheOf(20, dtype, 2),
        queryHeads: 4,
        views: irregularViews,
        bias: { columns, zero },
      });
  return results;
};

const eightBits: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const [headSize, heads] of [
    [64, 3],
    [256, 1],
    [16, 4],
    [80, 2],
  ] as const)
    results[`${heads} × ${headSize}`] = attend(bench, {
      cache: cacheOf(headSize, 'f16', heads),
      queryHeads: heads,
      views: causal(12, 5),
      dtype: 'q8',
    });
  return results;
};

const moves: Program = (bench) => {
  const results: Record<string, Tensor> = {};
  for (const dtype of ['f16', 'f32'] as const) {
    const setup = { cache: cacheOf(20, dtype, 2), queryHeads: 2, views: causal(149, 1) };
    const layer = bench.cache(setup.cache);
    // The third move reads what the first wrote.
    bench.recorder.cacheMove(layer, bench.integers([100, 149, 3, 60]), bench.integers([3, 50, 4, 60]));
    results[dtype] = attendRows(bench, setup, layer, bench.tensor(1, 40), setup.views);
  }
  return results;
};

/** float16 rounding of what is written, seen through attention to one key at a time. */
const stored: Program = (bench) => {
  const values = [
    1e-8,
    2 ** -24,
    2 ** -25,
    3 * 2 ** -26,
    6.1e-5,
    6.0975551605224609e-5,
    1.0004883,
    1.0014648,
    65504,
    65519.99,
    -0.1,
    2049,
    2051,
  ];
  const layer = bench.cache({ slots: 16, pageSlots: 16, heads: 1, headSize: 13, dtype: 'f16' });
  const row = bench.tensor(1, 13, Float32Array.from(values));
  bench.recorder.cacheWrite(layer, row, row, bench.integers([5]));
  const setup = { cache: cacheOf(13, 'f16'), queryHeads: 1, views: [{ start: 5, end: 6 }] };
  return { row: attendRows(bench, setup, layer, bench.tensor(1, 13), setup.views) };
};

export const attentionCases: readonly ContractCase[] = [
  sameBits('attention: head sizes', headSizes),
  sameBits('attention: 1 to 17 rows', rowCounts),
  sameBits('attention: windows and branches', irregular),
  sameBits('attention: grouped heads', groups),
  sameBits('attention: page sizes', pages),
  sameBits('attention: soft cap', caps),
  sameBits('attention: bias by distance', biases),
  sameBits('attention: 8-bit result', eightBits),
  sameBits('cacheWrite: float16 rounding', stored),
  sameBits('cacheMove', moves),
];
