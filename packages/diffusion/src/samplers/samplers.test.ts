/** Every sampler over random models: nothing is decided twice, nothing stays masked, equal seeds give equal texts. */
import { describe, expect, test } from 'vitest';
import { continuePrompt, finish, infill } from '../loop/generate.ts';
import type { Sampler } from '../loop/sampler.ts';
import { collect, endToken, knowingModel, lastIds, maskToken, randomModel } from '../testing/worlds.ts';
import { adaBlockSampler, dParallelSampler, fastDllmSampler, localLeapSampler } from './block-decoding.ts';
import { firstHittingSampler, sdarSampler } from './block-diffusion.ts';
import { cachedDreamSampler, dreamSampler } from './dream.ts';
import { ascendingSampler, eoserSampler } from './eoser.ts';
import { learn2pdSampler } from './learn2pd.ts';
import { lladaSampler } from './llada.ts';

const length = 12;
const ends = new Set([endToken]);
const flat = (size: number): number[] => new Array<number>(size).fill(0.4);
const filter = { hidden: flat(36), hiddenBias: flat(6), output: flat(36), outputBias: flat(6) };
const sizes = { length, blockLength: 6 };

const rowsPredictThemselves: Readonly<Record<string, Sampler>> = {
  llada: lladaSampler({ ...sizes, steps: 4, temperature: 0.8 }),
  'llada, more steps than tokens': lladaSampler({ ...sizes, steps: 40 }),
  'llada, random order': lladaSampler({ length, steps: 5, remasking: 'random' }),
  'llada, guided': lladaSampler({ ...sizes, guidance: 1.5 }),
  'llada, delayed cache': lladaSampler({ ...sizes, refreshEvery: 3 }),
  'fast-dllm': fastDllmSampler({ ...sizes, threshold: 0.4, temperature: 0.5 }),
  'fast-dllm, never sure': fastDllmSampler({ ...sizes, threshold: Number.POSITIVE_INFINITY }),
  'fast-dllm, prefix': fastDllmSampler({ ...sizes, threshold: 0.4, cache: 'prefix' }),
  'fast-dllm, dual, schedule': fastDllmSampler({ ...sizes, steps: 4, threshold: null, cache: 'dual' }),
  'fast-dllm, factor': fastDllmSampler({ ...sizes, factor: 0.8 }),
  localleap: localLeapSampler({ ...sizes, anchorThreshold: 0.4, relaxedThreshold: 0.2, radius: 2, cache: 'dual' }),
  'localleap, early stop': localLeapSampler({ ...sizes, earlyStop: { endTokens: ends, fill: endToken } }),
  adablock: adaBlockSampler({
    length,
    defaultBlockLength: 5,
    delimiters: new Set([1, 2, 3]),
    threshold: 0.5,
    cache: 'dual',
  }),
  eoser: eoserSampler({ ...sizes, steps: 6, endTokens: ends }),
  ascending: ascendingSampler({ length, blocks: 2, endPenalty: { endTokens: ends } }),
  dparallel: dParallelSampler({ ...sizes, entropyThreshold: 1.5, cache: 'prefix' }),
  learn2pd: learn2pdSampler({ ...sizes, filter, threshold: 0.6 }),
  'learn2pd, end of text': learn2pdSampler({ ...sizes, filter, threshold: 0.6, endOfText: endToken }),
  'end of text, dual': learn2pdSampler({ ...sizes, endOfText: endToken, cache: 'dual' }),
  'sdar, dynamic': sdarSampler({ blockLength: 4, threshold: 0.4 }),
  'sdar, static': sdarSampler({ blockLength: 4, steps: 2, strategy: 'low_confidence_static', temperature: 0 }),
  'sdar, entropy bounded': sdarSampler({ blockLength: 4, strategy: 'entropy_bounded', entropyBound: 2, topK: 4 }),
  'sdar, stop': sdarSampler({ blockLength: 4, strategy: 'sequential', endTokens: ends }),
  'first hitting': firstHittingSampler({ blockLength: 4 }),
};

const rowsPredictTheNext: Readonly<Record<string, Sampler>> = {
  dream: dreamSampler({ length, steps: 8, algorithm: 'entropy' }),
  'dream, drawn': dreamSampler({
    length,
    steps: 8,
    algorithm: 'maskgit_plus',
    temperature: 0.7,
    topP: 0.9,
    algTemp: 0.5,
  }),
  'dream, origin': dreamSampler({ length, steps: 5, algorithm: 'origin', temperature: 1 }),
  'dream, margin, blocks': dreamSampler({ ...sizes, steps: 4, algorithm: 'topk_margin' }),
  'dream, threshold': dreamSampler({ ...sizes, threshold: 0.4, algorithm: 'maskgit_plus' }),
  'dream, factor': dreamSampler({ ...sizes, factor: 0.7, algorithm: 'maskgit_plus' }),
  'dream, prefix': cachedDreamSampler({ ...sizes, cache: 'prefix', threshold: 0.4 }),
  'dream, dual, schedule': cachedDreamSampler({ ...sizes, steps: 2, cache: 'dual', threshold: null }),
  'fast-dllm on shifted rows': fastDllmSampler({ ...sizes, threshold: 0.4, cache: 'dual' }),
};

const cases = [
  ...Object.entries(rowsPredictThemselves).map(([name, sampler]) => ({ name, sampler, alignment: 'same' as const })),
  ...Object.entries(rowsPredictTheNext).map(([name, sampler]) => ({ name, sampler, alignment: 'next' as const })),
];

describe.each(cases)('$name', ({ sampler, alignment }) => {
  test('decides every position once and leaves no mask', async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const steps = await collect(continuePrompt(randomModel(seed, alignment), [3, 1, 4], length, sampler, { seed }));
      const decided = steps.flatMap(({ positions }) => [...positions]);
      expect(new Set(decided).size).toBe(decided.length);
      const ids = lastIds(steps);
      expect(ids).not.toContain(maskToken);
      expect(ids.slice(0, 3)).toEqual([3, 1, 4]);
      expect(steps[steps.length - 1].masksLeft).toBe(0);
      for (const step of steps) {
        if (step.kind !== 'denoise') continue;
        for (const [index, position] of step.positions.entries()) {
          if (position < step.ids.length) expect(step.ids[position]).toBe(step.tokens[index]);
        }
      }
    }
  });

  test('gives the same text for the same seed', async () => {
    const run = () => finish(continuePrompt(randomModel(9, alignment), [5], length, sampler, { seed: 77 }));
    expect(await run()).toEqual(await run());
  });

  test('writes what a model that is sure says', async () => {
    const text = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3];
    const ids = await finish(continuePrompt(knowingModel(text, alignment), text.slice(0, 4), length, sampler));
    expect([...ids]).toEqual(text);
  });
});

test('caches of a model whose rows see nothing else change nothing', async () => {
  const text = [3, 1, 4, 1, 5, 9, 2, 6];
  for (const alignment of ['same', 'next'] as const) {
    for (const cache of ['none', 'prefix', 'dual'] as const) {
      const sampler = fastDllmSampler({ length: 6, blockLength: 3, cache });
      const ids = await finish(continuePrompt(knowingModel(text, alignment), [3, 1], 6, sampler));
      expect([...ids]).toEqual(text);
    }
  }
});

test('holes are filled between what is given', async () => {
  const text = [3, 1, 4, 1, 5, 9, 2, 6];
  const sampler = fastDllmSampler({ length: 8 });
  const ids = await finish(infill(knowingModel(text), [[3, 1], 2, [7], 3], sampler));
  expect([...ids]).toEqual([3, 1, 4, 1, 7, 9, 2, 6]);
});

test('a threshold above 1 decides one token a step, as the even schedule does', async () => {
  const model = randomModel(5);
  const slow = await collect(continuePrompt(model, [1], 8, lladaSampler({ length: 8 })));
  const threshold = await collect(continuePrompt(model, [1], 8, fastDllmSampler({ length: 8, threshold: 1.5 })));
  expect(lastIds(threshold)).toEqual(lastIds(slow));
  expect(threshold).toHaveLength(8);
});

test('LocalLeap without relaxation is threshold decoding', async () => {
  const model = randomModel(6);
  const options = { length: 8, blockLength: 4 };
  const plain = await collect(continuePrompt(model, [1], 8, fastDllmSampler({ ...options, threshold: 0.5 })));
  const same = { ...options, anchorThreshold: 0.5 };
  for (const relaxed of [
    { relaxedThreshold: 0.5 },
    { relaxedThreshold: null },
    { relaxedThreshold: 0.1, radius: -1 },
  ]) {
    const leap = await collect(continuePrompt(model, [1], 8, localLeapSampler({ ...same, ...relaxed })));
    expect(leap.map(({ positions }) => [...positions])).toEqual(plain.map(({ positions }) => [...positions]));
  }
});

test('AdaBlock without a sure delimiter runs blocks of the default length', async () => {
  const model = randomModel(7);
  const options = {
    length: 10,
    defaultBlockLength: 4,
    delimiters: new Set([1]),
    delimiterThreshold: Number.POSITIVE_INFINITY,
  };
  const steps = await collect(continuePrompt(model, [1], 10, adaBlockSampler({ ...options, threshold: 0.5 })));
  const blocks = new Map(steps.map(({ block }) => [block.index, block.end - block.start]));
  expect([...blocks.values()]).toEqual([4, 4, 2]);
});

test('a delayed cache that is refreshed in every step is no cache', async () => {
  const model = randomModel(8);
  const plain = await finish(continuePrompt(model, [1, 2], 8, lladaSampler({ length: 8 })));
  expect(await finish(continuePrompt(model, [1, 2], 8, lladaSampler({ length: 8, refreshEvery: 1 })))).toEqual(plain);
});
