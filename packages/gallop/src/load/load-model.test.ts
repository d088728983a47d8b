/** End to end on a real model: file → backend → tokenizer → text. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Context } from '../generate/context.ts';
import { generate } from '../generate/generate.ts';
import type { ChatMessage } from '../text-model.ts';
import { loadModel } from './load-model.ts';
import type { LoadProgress, Model } from './model.ts';

const folder = process.env.GALLOP_MODELS ?? path.join(import.meta.dirname, '../../../../models');
const file = path.join(folder, 'SmolLM2-135M-Instruct.Q4_1.gguf');

describe('loadModel', () => {
  it('refuses files that are no models and options that make no sense', async () => {
    await expect(loadModel('no/such/file.gguf')).rejects.toMatchObject({ code: 'not-found' });
    await expect(loadModel(new Blob(['GGUF but no more']))).rejects.toMatchObject({ code: 'invalid-file' });
    const signal = AbortSignal.abort(new Error('changed my mind'));
    await expect(loadModel('no/such/file.gguf', { signal })).rejects.toThrow('changed my mind');
  });
});

describe.skipIf(!existsSync(file))(`SmolLM2 (skipped when ${file} is absent)`, () => {
  let model: Model;
  const progress: LoadProgress[] = [];
  const question: readonly ChatMessage[] = [{ role: 'user', content: 'What is 2 plus 2?' }];

  beforeAll(async () => {
    model = await loadModel(file, { contextLength: 512, threads: 1, onProgress: (step) => progress.push(step) });
  });
  afterAll(() => model.dispose());

  it('reports progress up to the end', () => {
    const last = progress.at(-1);
    expect(last?.loadedBytes).toBe(last?.totalBytes);
    expect(progress.length).toBeGreaterThan(10);
  });

  it('answers a question and ends by itself', async () => {
    const result = await generate(model, question, { maxTokens: 60 }).result;
    expect(result.text).toContain(' 4.');
    expect(result.finishReason).toBe('stop');
    expect(result.text).not.toContain('<|im_end|>');
  });

  it('says the same with a reused context as with a fresh one', async () => {
    using context = new Context(model.languageModel);
    const first = await generate(model, question, { context, maxTokens: 60 }).result;
    const followUp: ChatMessage[] = [
      ...question,
      { role: 'assistant', content: first.text },
      { role: 'user', content: 'And 3 plus 3?' },
    ];
    const sampling = { maxTokens: 20, temperature: 0.8, topP: 0.9, seed: 4 };
    const reused = await generate(model, followUp, { ...sampling, context }).result;
    const fresh = await generate(model, followUp, sampling).result;
    expect(reused.reusedTokens).toBeGreaterThan(first.promptTokens);
    expect(reused.tokens).toEqual(fresh.tokens);
  });

  it('stops at a stop string of several tokens', async () => {
    const { text } = await generate(model, question, { maxTokens: 60, stop: ['math problem'] }).result;
    expect(text).toMatch(/^The answer to this classic $/);
  });

  it('refuses a prompt longer than the context, and foreign ids', async () => {
    await expect(generate(model, 'word '.repeat(600)).result).rejects.toMatchObject({ code: 'context-overflow' });
    await expect(generate(model, Int32Array.of(1, 49152)).result).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('is cancelled inside the prompt', async () => {
    const controller = new AbortController();
    const { result } = generate(model, 'word '.repeat(400), { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(result).rejects.toThrow('enough');
  });
});
