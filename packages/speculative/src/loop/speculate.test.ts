/** The loop: the text is the target's whatever is drafted, the state is what the convention says, faults cost speed only. */
import type { LanguageModel } from '@gallop/core';
import { describe, expect, test } from 'vitest';
import { autoDrafter, DraftMemory } from '../adaptive/auto.ts';
import { CostModel } from '../adaptive/cost-model.ts';
import { adedDrafter } from '../drafters/aded.ts';
import { adaptiveSize, chainDrafters, fallbackDrafters, fuseDrafters } from '../drafters/combinators.ts';
import { draftModelDrafter } from '../drafters/draft-model.ts';
import { lookaheadDrafter } from '../drafters/lookahead.ts';
import { promptLookupDrafter } from '../drafters/prompt-lookup.ts';
import { rasdDrafter } from '../drafters/rasd.ts';
import { RecyclingMatrix } from '../drafters/recycling-matrix.ts';
import { retrievalDrafter, TokenCorpus } from '../drafters/retrieval.ts';
import { suffixDrafter } from '../drafters/suffix.ts';
import { tokenRecyclingDrafter } from '../drafters/token-recycling.ts';
import { TrigramTable } from '../drafters/trigram-table.ts';
import { functionModel } from '../models/table-model.ts';
import { generateTokens, hash, loopingModel, stubbornDrafter, VOCABULARY } from '../testing/worlds.ts';
import type { DraftTree } from '../tree/draft-tree.ts';
import type { Drafter } from './drafter.ts';
import { speculate } from './speculate.ts';
import { SpeculationStatistics } from './statistics.ts';

const prompt = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
const maxTokens = 60;
const model = loopingModel();
/** Agrees with the model most of the time. */
const smaller = functionModel({
  vocabSize: VOCABULARY,
  logits: (text) => {
    const [last, before] = [text[text.length - 1], text[text.length - 2] ?? 0];
    const noise = (token: number): number => (text.length % 5 === 0 ? 3 * hash(token, last, 7) : 0);
    return Float32Array.from(
      { length: VOCABULARY },
      (_, token) => 5 * hash(last, before, token, text.length % 3) + noise(token),
    );
  },
});
const corpus = new TokenCorpus(Int32Array.from({ length: 400 }, (_, i) => Math.floor(VOCABULARY * hash(i % 37, 5))));
const matrix = (): RecyclingMatrix => new RecyclingMatrix({ vocabSize: VOCABULARY });
const memory = (): DraftMemory => new DraftMemory({ vocabSize: VOCABULARY, maximumBytes: 1e5 });
const garbage = (): RecyclingMatrix => {
  const filled = matrix();
  for (let token = 0; token < VOCABULARY; token++) {
    filled.set(
      token,
      Array.from({ length: 8 }, (_, i) => Math.floor(VOCABULARY * hash(token, i, 3))),
    );
  }
  return filled;
};

const drafters: Readonly<Record<string, () => Drafter>> = {
  lookup: () => promptLookupDrafter(),
  'lookup as in Spec-Bench': () => promptLookupDrafter({ mode: 'spec-bench', numPredicted: 3 }),
  suffix: () => suffixDrafter(),
  retrieval: () => retrievalDrafter(corpus, { minimumSuffix: 1 }),
  recycling: () => tokenRecyclingDrafter({ matrix: matrix() }),
  'recycling of zeros': () => tokenRecyclingDrafter({ matrix: matrix(), unknown: 'zeros' }),
  'recycling of garbage': () => tokenRecyclingDrafter({ matrix: garbage() }),
  aded: () => adedDrafter({ table: new TrigramTable() }),
  lookahead: () => lookaheadDrafter({ level: 4, window: 5, guessSetSize: 3 }),
  'draft model': () => draftModelDrafter({ model: smaller }),
  'draft model, greedy': () => draftModelDrafter({ model: smaller, drafting: 'greedy' }),
  'draft model, tree': () => draftModelDrafter({ model: smaller, tree: { topK: 3, depth: 2 } }),
  rasd: () =>
    rasdDrafter({
      base: draftModelDrafter({ model: smaller, drafting: 'greedy' }),
      retrievers: [{ name: 'fixed', lookUp: (tokens) => [{ tokens: tokens.slice(1, 5), count: 2 }] }],
    }),
  auto: () => autoDrafter({ memory: memory() }),
  'auto of 12 nodes': () => autoDrafter({ memory: memory(), fixedNodes: 12 }),
  fused: () => fuseDrafters(promptLookupDrafter(), tokenRecyclingDrafter({ matrix: matrix() }), suffixDrafter()),
  chained: () => chainDrafters(promptLookupDrafter({ numPredicted: 2 }), tokenRecyclingDrafter({ matrix: matrix() })),
  'falling back': () =>
    fallbackDrafters(suffixDrafter({ minimumMatch: 4 }), adedDrafter({ table: new TrigramTable() })),
  'of adaptive size': () => adaptiveSize(tokenRecyclingDrafter({ matrix: matrix() }), new CostModel()),
  'stubborn and wrong': () => stubbornDrafter(0, 7),
};

describe.each(Object.entries(drafters))('%s', (_, make) => {
  test('leaves greedy text as it is', async () => {
    const plain = await generateTokens(model, prompt, { maxTokens });
    const drafted = await generateTokens(model, prompt, { maxTokens, drafter: make(), onFault: 'throw' });
    expect(drafted.tokens).toEqual(plain.tokens);
    expect(drafted.rows).toBe(plain.rows);
  });

  test.each([0.6, 1, 1.7])('leaves seeded text at temperature %d as it is', async (temperature) => {
    const sampling = { temperature, seed: 11, topP: 0.95, repetitionPenalty: 1.1, maxTokens };
    const plain = await generateTokens(model, prompt, sampling);
    const drafter = make();
    const drafted = await generateTokens(model, prompt, { ...sampling, drafter, onFault: 'throw' });
    expect(drafted.tokens).toEqual(plain.tokens);
  });

  test('works for a model that computes one branch only', async () => {
    const single = loopingModel({ treeAttention: false });
    const plain = await generateTokens(single, prompt, { maxTokens });
    const drafted = await generateTokens(single, prompt, { maxTokens, drafter: make(), onFault: 'throw' });
    expect(drafted.tokens).toEqual(plain.tokens);
  });

  test('serves one text after another', async () => {
    const drafter = make();
    for (const start of [[1, 2, 3], [7, 7, 7, 7], prompt]) {
      const plain = await generateTokens(model, start, { maxTokens: 25 });
      expect((await generateTokens(model, start, { maxTokens: 25, drafter, onFault: 'throw' })).tokens).toEqual(
        plain.tokens,
      );
    }
  });
});

describe('steps', () => {
  test('take fewer passes where the text repeats itself', async () => {
    for (const name of [
      'lookup',
      'suffix',
      'recycling',
      'aded',
      'auto of 12 nodes',
      'draft model',
      'fused',
      'lookahead',
    ]) {
      const { steps } = await generateTokens(model, prompt, { maxTokens: 120, drafter: drafters[name]() });
      expect(steps.length, name).toBeLessThan(112);
    }
  });

  test('tell what was drafted, fed, accepted, and by whom', async () => {
    const drafter = fuseDrafters(promptLookupDrafter(), tokenRecyclingDrafter({ matrix: matrix() }));
    const { steps, tokens } = await generateTokens(model, prompt, { maxTokens, drafter });
    const statistics = new SpeculationStatistics();
    for (const step of steps) statistics.add(step);
    const totals = statistics.totals();
    expect(totals.tokens).toBe(maxTokens);
    expect(totals.steps).toBe(steps.length);
    expect(totals.fed).toBe(steps.reduce((sum, step) => sum + step.fed, 0));
    expect(totals.acceptedByDepth.reduce((sum, count) => sum + count, 0)).toBe(totals.accepted);
    expect(Object.keys(totals.acceptedBy).sort()).toEqual(['lookup', 'recycling']);
    let position = prompt.length;
    for (const step of steps) {
      expect(step.position).toBe(position);
      expect(step.proposers).toHaveLength(step.tokens.length);
      position += step.tokens.length;
    }
    expect(tokens).toHaveLength(maxTokens);
  });

  test('end at an end token, which the state has not seen and the text has not got', async () => {
    const ending = loopingModel({ endTokens: [4] });
    const plain = await generateTokens(ending, prompt, { maxTokens: 400, temperature: 1, seed: 3 });
    expect(plain.reason).toBe('stop');
    const drafter = draftModelDrafter({ model: smaller, endTokens: new Set() });
    const drafted = await generateTokens(ending, prompt, { maxTokens: 400, temperature: 1, seed: 3, drafter });
    expect(drafted.tokens).toEqual(plain.tokens);
    expect(drafted.rows).toBe(prompt.length + plain.tokens.length);
    expect(plain.rows).toBe(drafted.rows);
  });

  test.each([1, 2, 3, 7])('end after %d tokens, with one token pending', async (count) => {
    const { tokens, rows } = await generateTokens(model, prompt, { maxTokens: count, drafter: stubbornDrafter(1, 5) });
    expect(tokens).toHaveLength(count);
    expect(rows).toBe(prompt.length + count - 1);
  });

  test('end with the context', async () => {
    const short = loopingModel({ contextLength: 40 });
    const { tokens } = await generateTokens(short, prompt, { drafter: suffixDrafter(), onFault: 'throw' });
    expect(tokens).toHaveLength(40 - prompt.length);
  });

  test('go on from a state that holds the text already', async () => {
    const session = model.openSession();
    await session.forward({ ids: Int32Array.from(prompt.slice(0, -1)) });
    session.commit(Int32Array.from(prompt.slice(0, -1).keys()));
    const tokens: number[] = [];
    for await (const step of speculate({ model, session, tokens: prompt }, { maxTokens, drafter: suffixDrafter() })) {
      tokens.push(...step.tokens);
    }
    expect(tokens).toEqual((await generateTokens(model, prompt, { maxTokens })).tokens);
  });
});

describe('faults', () => {
  const root = (tokens: Int32Array): number => tokens[tokens.length - 1];
  const tree = (tokens: readonly number[], parent: readonly number[], more: Partial<DraftTree> = {}): DraftTree => ({
    tokens: Int32Array.from(tokens),
    parent: Int32Array.from(parent),
    ...more,
  });
  const faulty: Readonly<Record<string, Drafter['propose']>> = {
    throws: () => {
      throw new Error('broken');
    },
    rejects: () => Promise.reject(new Error('broken')),
    'returns ids out of range': ({ tokens }) => tree([root(tokens), VOCABULARY], [-1, 0]),
    'returns negative ids': ({ tokens }) => tree([root(tokens), -4], [-1, 0]),
    'returns a cycle': ({ tokens }) => tree([root(tokens), 1, 2], [-1, 2, 1]),
    'returns a node that is its own parent': ({ tokens }) => tree([root(tokens), 1], [-1, 1]),
    'returns another root': ({ tokens }) => tree([(root(tokens) + 1) % VOCABULARY, 1], [-1, 0]),
    'returns more nodes than the budget': ({ tokens, budget }) =>
      tree([root(tokens), ...new Array<number>(budget + 1).fill(1)], [-1, ...new Array<number>(budget + 1).fill(0)]),
    'returns probabilities that are no numbers': ({ tokens }) =>
      tree([root(tokens), 1], [-1, 0], {
        sampled: new Map([
          [0, { probabilities: new Float64Array(VOCABULARY).fill(Number.NaN), replacement: true, count: 1 }],
        ]),
      }),
    'returns lists of different lengths': ({ tokens }) => tree([root(tokens), 1, 2], [-1, 0]),
  };

  test.each(Object.entries(faulty))('a drafter that %s costs drafts only', async (_, propose) => {
    const plain = await generateTokens(model, prompt, { maxTokens: 20, temperature: 1, seed: 5 });
    const drafter = { name: 'faulty', propose };
    const options = { maxTokens: 20, temperature: 1, seed: 5, budget: 8, drafter };
    const { tokens, steps } = await generateTokens(model, prompt, options);
    expect(tokens).toEqual(plain.tokens);
    expect(steps.filter(({ fault }) => fault !== undefined)).toHaveLength(3); // then it is not asked any more
    await expect(generateTokens(model, prompt, { ...options, onFault: 'throw' })).rejects.toMatchObject({
      code: expect.stringMatching(/invalid-(argument|state)/),
    });
  });

  test('a drafter that throws when it observes costs drafts only', async () => {
    const drafter: Drafter = {
      ...stubbornDrafter(1, 3),
      observe: () => {
        throw new Error('broken');
      },
    };
    const plain = await generateTokens(model, prompt, { maxTokens: 20 });
    const { tokens, steps } = await generateTokens(model, prompt, { maxTokens: 20, drafter });
    expect(tokens).toEqual(plain.tokens);
    expect(steps.some(({ fault }) => fault !== undefined)).toBe(true);
  });

  test('a cancelled pass rejects with the reason and leaves the state usable', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let calls = 0;
    const cancelling: LanguageModel = functionModel({
      vocabSize: VOCABULARY,
      logits: (text) => {
        if (++calls === 40) controller.abort(reason);
        return Float32Array.from(
          { length: VOCABULARY },
          (_, token) => 5 * hash(text[text.length - 1], text[text.length - 2] ?? 0, token, text.length % 3),
        );
      },
    });
    const session = cancelling.openSession();
    const tokens = [...prompt];
    const run = async (): Promise<void> => {
      const options = { maxTokens, drafter: stubbornDrafter(1, 6), signal: controller.signal };
      for await (const step of speculate({ model: cancelling, session, tokens: prompt }, options))
        tokens.push(...step.tokens);
    };
    await expect(run()).rejects.toBe(reason);
    expect(tokens.length).toBeGreaterThan(prompt.length);
    expect(session.length).toBe(tokens.length - 1);
    for await (const step of speculate(
      { model: cancelling, session, tokens },
      { maxTokens: prompt.length + maxTokens - tokens.length },
    )) {
      tokens.push(...step.tokens);
    }
    const plain = await generateTokens(model, prompt, { maxTokens });
    expect(tokens.slice(prompt.length)).toEqual(plain.tokens);
  });

  test('options out of range are refused with what to do', async () => {
    await expect(generateTokens(model, prompt, { maxTokens: 0 })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(generateTokens(model, prompt, { budget: -1 })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(generateTokens(model, [], {})).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});
