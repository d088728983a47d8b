import { GallopError, sampleToken } from '@gallop/core';
import { describe, expect, it } from 'vitest';
import { END, scripted, toyLogits, toyModel } from '../testing/toy-model.ts';
import { Context } from './context.ts';
import { type Generation, generate } from './generate.ts';
import type { GenerateOptions, GenerationStep } from './options.ts';

const collect = async (generation: Generation): Promise<string[]> => {
  const pieces: string[] = [];
  for await (const piece of generation) pieces.push(piece);
  return pieces;
};

/** The slow, obvious loop: the whole history through the table for each token. */
const expected = (
  prompt: string,
  count: number,
  options: GenerateOptions,
  endBias = Number.NEGATIVE_INFINITY,
): number[] => {
  const history = [...new TextEncoder().encode(prompt)];
  const start = history.length;
  while (history.length < start + count) {
    const token = sampleToken(toyLogits(history, endBias), history, options);
    if (token === END) break;
    history.push(token);
  }
  return history.slice(start);
};

describe('generate', () => {
  const cases: readonly GenerateOptions[] = [
    { temperature: 0 },
    { temperature: 0, repetitionPenalty: 1.5, frequencyPenalty: 0.5 },
    { temperature: 1, seed: 5 },
    { temperature: 0.7, topK: 20, topP: 0.9, minP: 0.01, seed: 6 },
  ];
  it.each(cases)('agrees with a loop over the whole history: %j', async (options) => {
    const result = await generate(toyModel(), 'Once', { ...options, maxTokens: 40 }).result;
    expect(result.tokens).toEqual(expected('Once', 40, options));
    expect(result).toMatchObject({ promptTokens: 4, reusedTokens: 0, finishReason: 'length' });
  });

  it('computes the prompt in one call and then one row a step', async () => {
    const model = toyModel();
    await generate(model, 'Once', { maxTokens: 4 }).result;
    expect(model.sessions[0].calls).toEqual([4, 1, 1, 1]);
    expect(model.sessions[0].disposed).toBe(true);
  });

  it('streams what the totals hold, and ends at the end token without giving it', async () => {
    const generation = generate(toyModel({ logits: scripted('Grüße, 世界 🌍!', 2) }), 'ab');
    const pieces = await collect(generation);
    const result = await generation.result;
    expect(result).toMatchObject({ text: 'Grüße, 世界 🌍!', finishReason: 'stop' });
    expect(pieces.join('')).toBe(result.text);
    expect(pieces).toContain('🌍');
    expect(result.tokens).not.toContain(END);
    expect(result.firstTokenMilliseconds).toBeGreaterThan(0);
    expect(result.prefillTokensPerSecond).toBeGreaterThan(0);
    expect(result.decodeTokensPerSecond).toBeGreaterThan(0);
  });

  it('ends before a stop string and never shows part of it', async () => {
    const generation = generate(toyModel({ logits: scripted('one\nUser: two', 1) }), 'x', { stop: ['\nUser:'] });
    expect((await collect(generation)).join('')).toBe('one');
    expect(await generation.result).toMatchObject({ text: 'one', finishReason: 'stop' });
  });

  it('shows what it held back for a stop string that did not come', async () => {
    const { result } = generate(toyModel({ logits: scripted('one\nUs', 1) }), 'x', { stop: ['\nUser:'] });
    expect((await result).text).toBe('one\nUs');
  });

  it('reports steps with absolute positions', async () => {
    const steps: GenerationStep[] = [];
    const { result } = generate(toyModel(), 'abc', { maxTokens: 3, onStep: (step) => steps.push(step) });
    const { tokens } = await result;
    expect(steps.flatMap((step) => step.tokens)).toEqual(tokens);
    expect(steps.map(({ position }) => position)).toEqual([3, 4, 5]);
  });

  it('stops at the end of the context', async () => {
    const { tokens, finishReason } = await generate(toyModel({ contextLength: 10 }), 'abc').result;
    expect([tokens.length, finishReason]).toEqual([7, 'length']);
  });

  it('has nothing to say when the model ends at once', async () => {
    const result = await generate(toyModel({ endBias: 100 }), 'abc').result;
    expect(result).toMatchObject({ text: '', tokens: [], finishReason: 'stop', decodeTokensPerSecond: 0 });
  });

  it('goes on past the end when told to', async () => {
    const { tokens } = await generate(toyModel({ endBias: 100 }), 'abc', { ignoreEnd: true, maxTokens: 3 }).result;
    expect(tokens).toEqual([END, END, END]);
  });

  it('lets timers run while it decodes', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await generate(toyModel({ contextLength: 1000 }), 'abc', { maxTokens: 300 }).result;
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(1);
  });
});

describe('cancelling', () => {
  it('rejects stream and totals with the reason of the signal', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const generation = generate(toyModel(), 'abc', {
      signal: controller.signal,
      onStep: ({ position }) => position === 5 && controller.abort(reason),
    });
    await expect(collect(generation)).rejects.toBe(reason);
    await expect(generation.result).rejects.toBe(reason);
    await expect(generate(toyModel(), 'abc', { signal: controller.signal }).result).rejects.toBe(reason);
  });

  it('ends when the reader leaves', async () => {
    const model = toyModel({ contextLength: 100_000 });
    const generation = generate(model, 'abc');
    for await (const piece of generation) if (piece !== '') break;
    expect((await generation.result).finishReason).toBe('aborted');
    expect(model.sessions[0].disposed).toBe(true);
  });
});

describe('a context', () => {
  it('reuses rows that the next prompt shares, without changing the text', async () => {
    const model = toyModel();
    const context = new Context(model.languageModel);
    const first = await generate(model, 'abcdef', { context, maxTokens: 5 }).result;
    const tokens = [...new TextEncoder().encode('abcdef'), ...first.tokens, 1, 2, 3];
    const second = await generate(model, Int32Array.from(tokens), { context, maxTokens: 5 }).result;
    const fresh = await generate(model, Int32Array.from(tokens), { maxTokens: 5 }).result;
    expect(second.tokens).toEqual(fresh.tokens);
    expect(second.reusedTokens).toBe(10); // the last token of the first answer was never fed
    expect(context.ids).toEqual([...tokens, ...second.tokens.slice(0, -1)]);
  });

  it.each([true, false])('goes back to where prompts differ (rewind %s)', async (rewind) => {
    const model = toyModel({ rewind });
    const context = new Context(model.languageModel);
    await generate(model, 'abcdef', { context, maxTokens: 5 }).result;
    const second = await generate(model, 'abcxy', { context, maxTokens: 5 }).result;
    expect(second.tokens).toEqual(expected('abcxy', 5, { temperature: 0 }));
    expect(second.reusedTokens).toBe(rewind ? 3 : 0);
    const again = await generate(model, 'abcxy', { context, maxTokens: 5 }).result;
    expect(again.tokens).toEqual(second.tokens);
  });

  it('serves one generation at a time and one model', async () => {
    const model = toyModel();
    const context = new Context(model.languageModel);
    const running = generate(model, 'abc', { context, maxTokens: 50 });
    await expect(generate(model, 'abc', { context }).result).rejects.toThrow(/no generation is using/);
    await running.result;
    await expect(generate(toyModel(), 'abc', { context }).result).rejects.toThrow(/another model/);
  });
});

describe('what cannot be generated', () => {
  const wrong: readonly [GenerateOptions, RegExp][] = [
    [{ temperature: Number.NaN }, /temperature.*NaN/],
    [{ topP: 2 }, /topP.*2/],
    [{ maxTokens: 0 }, /maxTokens.*0/],
    [{ maxTokens: 1.5 }, /maxTokens/],
    [{ seed: -1 }, /seed.*-1/],
    [{ stop: [''] }, /stop strings/],
  ];
  it.each(wrong)('%j', async (options, message) => {
    const { result } = generate(toyModel(), 'abc', options);
    await expect(result).rejects.toThrow(message);
    await expect(result).rejects.toBeInstanceOf(GallopError);
  });

  it('prompts that are empty, too long, foreign or no prompt at all', async () => {
    const model = toyModel({ contextLength: 5 });
    await expect(generate(model, '').result).rejects.toThrow(/at least one token/);
    await expect(generate(model, 'abcde').result).rejects.toThrow(/at most 4 tokens .* received 5/);
    await expect(generate(model, Int32Array.of(1, 999)).result).rejects.toThrow(/received 999 at index 1/);
    await expect(generate(model, []).result).rejects.toThrow(/list of messages/);
    expect(model.sessions).toHaveLength(0);
  });
});
