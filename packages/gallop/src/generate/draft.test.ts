/** Drafts change no token: on tiny random networks, and on a real model with one question of each category of Spec-Bench. */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { LanguageModel } from '@gallop/core';
import { loadLanguageModel } from '@gallop/models';
import { openInMemory, tinyModel } from '@gallop/models/testing';
import {
  chainTree,
  type Drafter,
  draftModelDrafter,
  functionModel,
  selfSpeculate,
  speculate,
} from '@gallop/speculative';
import { createReferenceBackend } from '@gallop/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../load/load-model.ts';
import type { Model } from '../load/model.ts';
import { toyLogits, toyModel } from '../testing/toy-model.ts';
import type { TextModel } from '../text-model.ts';
import { Context } from './context.ts';
import { type DraftMethod, draftMethods } from './draft.ts';
import { generate } from './generate.ts';
import type { GenerateOptions } from './options.ts';

const folder = process.env.GALLOP_MODELS ?? path.join(import.meta.dirname, '../../../../models');
const file = path.join(folder, 'SmolLM2-135M-Instruct.Q4_1.gguf');
const questions: readonly { readonly category: string; readonly turns: readonly string[] }[] = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../testing/spec-bench/questions.json'), 'utf8'),
);
const methods = draftMethods.filter((method) => method !== 'none');

/** Sure of what never comes. */
const wrong: Drafter = {
  name: 'wrong',
  propose: ({ tokens, budget }) => chainTree(tokens[tokens.length - 1], new Int32Array(Math.min(5, budget)).fill(1)),
};

const tokensOf = async (
  model: LanguageModel,
  prompt: readonly number[],
  options: Parameters<typeof speculate>[1],
): Promise<number[]> => {
  const session = model.openSession();
  const tokens: number[] = [];
  for await (const step of speculate({ model, session, tokens: prompt }, options)) tokens.push(...step.tokens);
  session.dispose();
  return tokens;
};

describe.each(['llama', 'gemma3'] as const)('a tiny %s', (architecture) => {
  let model: LanguageModel;
  const prompt = [5, 17, 5, 17, 5, 23, 5, 17];

  beforeAll(async () => {
    const opened = await openInMemory(tinyModel({ architecture }));
    model = await loadLanguageModel(opened, createReferenceBackend(), { activations: 'f32' });
  });
  afterAll(() => model.dispose());

  it.each([0, 0.9])('speculates by its own first layers at temperature %d', async (temperature) => {
    const sampling = { temperature, seed: 4, maxTokens: 12 };
    const plain = await tokensOf(model, prompt, { ...sampling, ignoreEnd: true });
    for (const exit of ['confidence', 'tpl', { layer: 1, drafts: 3 }] as const) {
      const session = model.openSession();
      const tokens: number[] = [];
      const run = selfSpeculate({ model, session, tokens: prompt }, { ...sampling, exit, ignoreEnd: true });
      for await (const round of run) tokens.push(...round.tokens);
      expect(tokens.slice(0, plain.length)).toEqual(plain);
      session.dispose();
    }
  });

  it.each(['greedy', 'coupled'] as const)('drafts for itself: %s', async (drafting) => {
    for (const temperature of [0, 0.8]) {
      const sampling = { temperature, seed: 9, maxTokens: 12, ignoreEnd: true };
      const plain = await tokensOf(model, prompt, sampling);
      const drafter = draftModelDrafter({ model, drafting, endTokens: new Set() });
      expect(await tokensOf(model, prompt, { ...sampling, drafter, onFault: 'throw' })).toEqual(plain);
    }
  });
});

describe('generate', () => {
  const toy: TextModel = {
    ...toyModel(),
    languageModel: functionModel({ vocabSize: 258, logits: (text) => toyLogits([...text], Number.NEGATIVE_INFINITY) }),
  };

  it.each([...methods])('says the same with drafts by %s, cut at the same place', async (draft) => {
    for (const options of [
      { maxTokens: 60 },
      { maxTokens: 60, temperature: 1, seed: 2 },
      { maxTokens: 60, stop: ['k'] },
    ]) {
      const plain = await generate(toy, 'some words to begin with, some words', options).result;
      const drafted = await generate(toy, 'some words to begin with, some words', { ...options, draft }).result;
      expect(drafted).toMatchObject({ text: plain.text, tokens: plain.tokens, finishReason: plain.finishReason });
      expect(drafted.speculation?.faults).toBe(0);
    }
  });

  it('keeps a context that goes on after drafts', async () => {
    using context = new Context(toy.languageModel);
    const first = await generate(toy, 'abcabcabc', { maxTokens: 20, draft: 'suffix', context }).result;
    const text = `abcabcabc${first.text} and`;
    const second = await generate(toy, text, { maxTokens: 20, draft: 'suffix', context }).result;
    const fresh = await generate(toy, text, { maxTokens: 20 }).result;
    expect(second.tokens).toEqual(fresh.tokens);
    expect(second.reusedTokens).toBeGreaterThan(9);
  });

  it('tells who drafted each piece', async () => {
    const pieces: string[] = [];
    const options: GenerateOptions = { maxTokens: 40, draft: 'auto', onPiece: ({ text }) => pieces.push(text) };
    const { text } = await generate(toy, 'abcabc', options).result;
    expect(pieces.join('')).toBe(text);
  });

  it('refuses a method that is none', async () => {
    const options = { draft: 'luck' as DraftMethod };
    await expect(generate(toy, 'abc', options).result).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe.skipIf(!existsSync(file))(`SmolLM2 (skipped when ${file} is absent)`, () => {
  let model: Model;

  beforeAll(async () => {
    model = await loadModel(file, { contextLength: 1024, threads: 1 });
  });
  afterAll(() => model.dispose());

  it.each(questions.map(({ category, turns }) => [category, turns[0]] as const))(
    'answers %s the same with every kind of draft',
    async (_, content) => {
      using context = new Context(model.languageModel);
      const check = async (sampling: GenerateOptions, drafts: readonly (DraftMethod | Drafter)[]): Promise<void> => {
        const options = { ...sampling, maxTokens: 10, context };
        const plain = await generate(model, [{ role: 'user', content }], options).result;
        for (const draft of drafts) {
          const drafted = await generate(model, [{ role: 'user', content }], { ...options, draft }).result;
          expect(drafted.tokens, String(draft)).toEqual(plain.tokens);
          expect(drafted.speculation?.faults).toBe(0);
        }
      };
      await check({}, [...methods, wrong]);
      await check({ temperature: 0.8, seed: 6 }, ['auto', 'recycling', wrong]);
    },
    180_000,
  );

  it('speculates by its own first layers', async () => {
    const prompt = model.codec.encodeText('The quick brown fox');
    const plain = await tokensOf(model.languageModel, [...prompt], { maxTokens: 10, ignoreEnd: true });
    const session = model.languageModel.openSession();
    const tokens: number[] = [];
    const run = selfSpeculate(
      { model: model.languageModel, session, tokens: prompt },
      { exit: { layer: 20, drafts: 2 }, maxTokens: 10, ignoreEnd: true },
    );
    for await (const round of run) tokens.push(...round.tokens);
    expect(tokens.slice(0, 10)).toEqual(plain);
    session.dispose();
  });
});
