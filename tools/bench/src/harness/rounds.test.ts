import { expect, test } from 'vitest';
import { interleave } from './rounds.ts';

test('contenders take turns', async () => {
  const order: string[] = [];
  const sampler = (name: string): { name: string; sample: () => Promise<number> } => ({
    name,
    sample: async () => order.push(name),
  });
  const seen: [string, number, number][] = [];
  const samples = await interleave([sampler('a'), sampler('b')], 3, (...sample) => seen.push(sample));
  expect(order.join('')).toBe('ababab');
  expect(samples.get('a')).toEqual([1, 3, 5]);
  expect(samples.get('b')).toEqual([2, 4, 6]);
  expect(seen[3]).toEqual(['b', 1, 4]);
});
