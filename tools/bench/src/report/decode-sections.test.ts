import { expect, test } from 'vitest';
import type { EngineRun } from '../engines/engine.ts';
import { type DecodeResult, decodeSections } from './decode-sections.ts';
import { atLeast, atMost } from './goal.ts';
import { alignedTable } from './table.ts';

const run = (speed: number, memory?: number): EngineRun => ({
  prefillTokensPerSecond: speed * 10,
  decodeTokensPerSecond: speed,
  startToFirstTokenMilliseconds: 1000 / speed,
  ...(memory !== undefined && { peakMemoryBytes: memory }),
  tokens: [1, 2, 3],
});

const result: DecodeResult = {
  model: 'toy',
  engines: [
    {
      name: 'ours',
      role: { side: 'ours', conditions: 'node', label: 'native', goals: 'native' },
      settings: { threads: 2 },
      runs: [run(10, 2e6), run(30, 2e6), run(20, 2e6)],
    },
    {
      name: 'peer',
      role: { side: 'peer', conditions: 'node', label: 'peer', goals: '' },
      settings: { threads: 1, flashAttention: false },
      runs: [run(10, 1e6), run(11, 1e6), run(9, 1e6)],
    },
  ],
  bytesPerToken: 1e9,
  bandwidth: { bytesPerSecond: 25e9 },
};

test('medians, ratios and goals of the right pairs', () => {
  const [{ table, notes }, ...others] = decodeSections(result, { native: { decode: atLeast(2.5), memory: atMost(1) } });
  expect(others).toEqual([]);
  expect(table.columns).toEqual(['', 'ours', 'peer', 'native ÷ peer', 'goal']);
  expect(table.rows[0]).toEqual(['decode, tokens/s', '20.0', '10.0', '2.00×', '≥ 2.5× missed']);
  expect(table.rows[1]).toEqual(['prefill, tokens/s', '200', '100', '2.00×', '']);
  expect(table.rows[3]).toEqual(['peak memory, MB', '2.00', '1.00', '2.00×', '≤ 1× missed']);
  expect(notes).toContain('peer: threads 1, flashAttention off; decode runs lie 20 % apart');
  expect(notes.join('\n')).toMatch(/1000 MB per token; 2 threads can read 25\.0 GB\/s here: decode reaches 80 % .*met/);
});

test('an engine without a peer of its conditions has no ratio, unknown figures no row', () => {
  const alone = {
    ...result,
    engines: [{ ...result.engines[0], runs: [run(10)] }],
    bandwidth: { missing: 'no compiler' },
  };
  const [{ table, notes }] = decodeSections(alone, {});
  expect(table.columns).toEqual(['', 'ours']);
  expect(alignedTable(table)).not.toContain('memory');
  expect(notes.join()).toContain('unknown, no compiler');
});
