import { expect, test } from 'vitest';
import { median, minimum, quantile, spread } from './statistics.ts';

test('quantiles lie between neighbours and do not change what is given', () => {
  const values = [30, 10, 20, 40];
  expect([0, 0.5, 0.9, 1].map((share) => quantile(values, share))).toEqual([10, 25, 37, 40]);
  expect(values).toEqual([30, 10, 20, 40]);
  expect(quantile([7], 0.3)).toBe(7);
});

test('median, minimum and spread', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), minimum([3, 1, 2])]).toEqual([2, 2.5, 1]);
  expect(spread([8, 10, 12])).toBeCloseTo(0.4);
});

test('nothing measured, NaN and shares outside 0…1 are refused', () => {
  expect(() => median([])).toThrow(/at least one measured number/);
  expect(() => minimum([1, Number.NaN])).toThrow(/received \[1, NaN\]/);
  for (const share of [-0.1, 1.1, Number.NaN]) expect(() => quantile([1], share)).toThrow(/share within 0…1/);
});
