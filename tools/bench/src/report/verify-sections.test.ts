import { expect, test } from 'vitest';
import { svgOf } from './line-chart.ts';
import { type VerifyResult, verifyChart, verifySection } from './verify-sections.ts';

const result = (variant: string, context: number, ...milliseconds: number[]): VerifyResult => ({
  model: 'toy',
  backend: 'native',
  variant,
  context,
  passes: milliseconds.map((time, index) => {
    return { rows: [1, 4, 8][index], count: 5, minimum: time, low: time, median: time * 2 };
  }),
});
const results = [result('avx512vnni', 64, 2, 2.2, 4), result('portable', 64, 10, 39, 80), result('avx2', 512, 1, 1, 1)];

test('ratios of the fastest passes, with goals where there are some', () => {
  const { table, notes } = verifySection('toy', 64, [1, 4, 8], results);
  expect(table.columns).toEqual(['', 'c(1), ms', 'M = 4', 'M = 8']);
  expect(table.rows).toEqual([
    ['native avx512vnni', '2.00', '1.10 ✓', '2.00 ✗'],
    ['native portable', '10.0', '3.90', '8.00'],
  ]);
  expect(notes).toEqual(['goals for native avx512vnni: c(4) ≤ 1.2, c(8) ≤ 1.4, c(16) ≤ 2.2']);
});

test('the chart draws a line for each variant at the longest context', () => {
  const chart = verifyChart(results);
  expect(chart.lines).toEqual([
    {
      name: 'native avx2',
      points: [
        [1, 1],
        [4, 1],
        [8, 1],
      ],
    },
  ]);
  const svg = svgOf(verifyChart(results.slice(0, 2)));
  expect(svg).toMatch(/^<svg[^>]+width="720"/);
  for (const text of ['native avx512vnni', 'native portable', 'c(M) / c(1)']) expect(svg).toContain(text);
});
