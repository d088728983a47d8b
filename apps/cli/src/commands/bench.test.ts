import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runBench } from './bench.ts';

const models = process.env.GALLOP_MODELS ?? path.join(import.meta.dirname, '../../../../models');
const model = path.join(models, 'SmolLM2-135M-Instruct.Q4_1.gguf');
const flags = {
  model,
  backend: 'auto',
  threads: 1,
  activations: 'q8',
  promptTokens: 8,
  newTokens: 4,
  runs: 1,
} as const;

describe.skipIf(!existsSync(model))(`gallop bench (skipped when ${model} is absent)`, () => {
  const printed = async (json: boolean, contextLength: number): Promise<string> => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await runBench({ ...flags, contextLength, ...(json && { json: true as const }) });
    return write.mock.calls.join('');
  };
  afterEach(() => vi.restoreAllMocks());

  it('prints one JSON object; row counts that do not fit are left out', async () => {
    const report: unknown = JSON.parse(await printed(true, 20));
    expect(report).toMatchObject({ threads: 1, passes: [1, 2, 4, 8].map((rows) => ({ rows })) });
    const { passes, ...speeds } = report as { passes: { milliseconds: number; ratio: number }[] } & Record<
      string,
      number
    >;
    expect(passes[0].ratio).toBe(1);
    expect(passes.every(({ milliseconds }) => milliseconds > 0)).toBe(true);
    for (const name of ['loadMilliseconds', 'decodeTokensPerSecond', 'prefillTokensPerSecond', 'peakMemoryBytes']) {
      expect(speeds[name], name).toBeGreaterThan(0);
    }
  });

  it('prints speeds, memory and the cost of passes for people', async () => {
    const text = await printed(false, 100);
    for (const line of [/decode +[\d.]+ tokens\/s/, /peak memory +[\d.]+ MiB/, /^ {2}64 +[\d.]+ +[\d.]+$/m]) {
      expect(text).toMatch(line);
    }
  });
});
