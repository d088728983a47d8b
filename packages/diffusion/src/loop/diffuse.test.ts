/** The loop's own promises: errors, cancelling, streaming of blocks, what a policy may not do. */
import { GallopError } from '@gallop/core';
import { describe, expect, test } from 'vitest';
import { ascendingPlan } from '../blocks/ascending.ts';
import { fixedBlocks } from '../blocks/planners.ts';
import { commitAbove } from '../commit/rules.ts';
import { canvasModel } from '../models/function-model.ts';
import { noisyProposer } from '../propose/proposers.ts';
import { fastDllmSampler } from '../samplers/block-decoding.ts';
import { sdarSampler } from '../samplers/block-diffusion.ts';
import { dreamSampler } from '../samplers/dream.ts';
import { lladaSampler } from '../samplers/llada.ts';
import { confidence } from '../score/scorers.ts';
import { collect, maskToken, randomModel, vocabSize } from '../testing/worlds.ts';
import { diffuse } from './diffuse.ts';
import { continuePrompt, finish, infill } from './generate.ts';
import type { CommitPolicy, Sampler } from './sampler.ts';

const sampler = lladaSampler({ length: 8, blockLength: 4 });
const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof GallopError) return error.code;
    throw error;
  }
  return 'none';
};

describe('wrong requests', () => {
  const run = (model = randomModel(1), prompt: number[] = [1], length = 8, chosen: Sampler = sampler) =>
    finish(continuePrompt(model, prompt, length, chosen));

  test.each([
    ['blocks that do not divide', () => lladaSampler({ length: 10, blockLength: 4 }), 'invalid-argument'],
    ['steps that do not divide', () => lladaSampler({ length: 8, blockLength: 4, steps: 5 }), 'invalid-argument'],
    ['no steps', () => lladaSampler({ length: 8, steps: 0 }), 'invalid-argument'],
    ['a negative temperature', () => lladaSampler({ length: 8, temperature: -1 }), 'invalid-argument'],
    ['a temperature that is no number', () => lladaSampler({ length: 8, temperature: Number.NaN }), 'invalid-argument'],
    ['a threshold of 0', () => fastDllmSampler({ length: 8, threshold: 0 }), 'invalid-argument'],
    ['a threshold that is no number', () => fastDllmSampler({ length: 8, threshold: Number.NaN }), 'invalid-argument'],
    ['topP above 1', () => dreamSampler({ length: 8, topP: 1.5 }), 'invalid-argument'],
    ['more steps than positions', () => sdarSampler({ blockLength: 4, steps: 5 }), 'invalid-argument'],
    ['blocks without end', () => fixedBlocks({ blockLength: 0 }), 'invalid-argument'],
    ['steps that are not log2', () => ascendingPlan(16, 1, 5), 'invalid-argument'],
    ['more blocks than steps', () => ascendingPlan(16, 5), 'invalid-argument'],
    ['a prompt longer than the context', () => run(randomModel(1), new Array(60).fill(1)), 'context-overflow'],
    ['a length of a trillion', () => run(randomModel(1), [1], 1e12), 'invalid-argument'],
    ['ids outside the vocabulary', () => run(randomModel(1), [99]), 'invalid-argument'],
    ['a hole of half a token', () => finish(infill(randomModel(1), [[1], 0.5], sampler)), 'invalid-argument'],
    ['a model without a mask', () => run({ ...randomModel(1), tokens: { endOfGeneration: new Set() } }), 'unsupported'],
    [
      'a model that only looks back',
      () => run({ ...randomModel(1), capabilities: { ...randomModel(1).capabilities, bidirectional: false } }),
      'unsupported',
    ],
  ])('%s', async (_, work, code) => {
    expect(await codeOf(work)).toBe(code);
  });

  test('NaN logits are refused', async () => {
    const broken = canvasModel({ vocabSize, maskToken, logits: () => new Float32Array(vocabSize).fill(Number.NaN) });
    expect(await codeOf(() => run(broken))).toBe('invalid-state');
  });
});

test('nothing masked: no step', async () => {
  expect(await collect(diffuse({ model: randomModel(1), canvas: Int32Array.of(1, 2, 3) }, sampler))).toEqual([]);
});

test('a threshold of exactly 1 is allowed', () => {
  expect(commitAbove(1)({ positions: Int32Array.of(4, 7), scores: Float64Array.of(0.5, 1), quota: 2 })).toEqual([7]);
});

test('cancelling between steps rejects with the reason', async () => {
  const controller = new AbortController();
  const run = continuePrompt(randomModel(1), [1], 8, sampler, { signal: controller.signal });
  expect((await run.next()).done).toBe(false);
  controller.abort(new Error('enough'));
  await expect(run.next()).rejects.toThrow('enough');
});

test('finished blocks can be streamed from left to right', async () => {
  const steps = await collect(continuePrompt(randomModel(3), [1], 8, sampler));
  const finished = steps.filter(({ finishesBlock }) => finishesBlock);
  expect(finished.map(({ block }) => [block.start, block.end])).toEqual([
    [1, 5],
    [5, 9],
  ]);
  const early = finished[0].ids.slice(1, 5);
  expect(steps[steps.length - 1].ids.slice(1, 5)).toEqual(early);
});

test.each<[string, CommitPolicy]>([
  ['a known position', () => [0]],
  ['a position twice', ({ positions }) => [positions[0], positions[0]]],
])('a policy that names %s is refused', async (_, commit) => {
  const bad: Sampler = { ...sampler, commit };
  expect(await codeOf(() => finish(continuePrompt(randomModel(1), [1], 8, bad)))).toBe('invalid-state');
});

test('a policy that keeps nothing does not stand still', async () => {
  const idle: Sampler = {
    ...{ name: 'idle', proposer: noisyProposer(), scorer: confidence, commit: () => [] },
    blocks: fixedBlocks({ blockLength: 4 }),
  };
  expect(await collect(continuePrompt(randomModel(1), [1], 8, idle))).toHaveLength(8);
});

test('a token can be forbidden', async () => {
  const logitBias = new Map([[2, Number.NEGATIVE_INFINITY]]);
  for (let seed = 0; seed < 5; seed++) {
    const ids = await finish(continuePrompt(randomModel(seed), [1], 8, sampler, { logitBias }));
    expect([...ids]).not.toContain(2);
  }
});
