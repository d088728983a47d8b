import { describe, expect, test } from 'vitest';
import { type Settings, threadCounts, tune } from './tuning.ts';

describe('tune', () => {
  const axes = [
    { name: 'threads', values: [1, 2, 4] },
    { name: 'flash', values: [true, false] },
    { name: 'fixed', values: [7] },
  ];

  test('keeps the cheapest value of one axis after the other', async () => {
    const tried: Settings[] = [];
    const best = await tune({ threads: 4, flash: true, fixed: 0 }, axes, async (settings) => {
      tried.push(settings);
      return Math.abs(Number(settings.threads) - 2) + (settings.flash === true ? 1 : 0);
    });
    expect(best).toEqual({ threads: 2, flash: false, fixed: 7 });
    expect(tried.map(({ threads, flash }) => [threads, flash])).toEqual([
      [1, true],
      [2, true],
      [4, true],
      [2, false],
    ]);
  });

  test('passes on what measuring throws', async () => {
    const failing = tune({ threads: 1 }, [axes[0]], () => Promise.reject(new Error('no such engine')));
    await expect(failing).rejects.toThrow('no such engine');
  });
});

test('thread counts: each up to eight, then powers of two, and all', () => {
  expect(threadCounts(2)).toEqual([1, 2]);
  expect(threadCounts(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(threadCounts(48)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 48]);
});
