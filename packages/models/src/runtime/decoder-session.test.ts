/** What a forward call returns, on tiny models whose answers can be checked by other means. */
import { createWasmBackend } from '@gallop/backend-wasm';
import type { ForwardRequest, ForwardResult, LanguageModel, Session } from '@gallop/core';
import type { GgufModel } from '@gallop/formats';
import { createReferenceBackend } from '@gallop/tensor';
import { describe, expect, test } from 'vitest';
import { loadLanguageModel } from '../load.ts';
import { Draws, openInMemory, type TinyModelOptions, tinyModel } from '../testing/index.ts';

const backend = await createWasmBackend({ threads: 1 });
const reference = createReferenceBackend();

async function load(model: GgufModel, on = backend): Promise<LanguageModel> {
  return loadLanguageModel(await openInMemory(model), on, { activations: 'f32' });
}

const tiny = (options: Partial<TinyModelOptions> = {}, on = backend): Promise<LanguageModel> =>
  load(tinyModel({ architecture: 'llama', ...options }), on);

const tokens = (count: number, seed = 1): Int32Array => new Draws(seed).tokens(count, 60);
const keep = (session: Session, rows: number): void =>
  session.commit(Int32Array.from({ length: rows }, (_, row) => row));

/** Answers of a call on a fresh session. */
async function ask(model: LanguageModel, request: ForwardRequest): Promise<ForwardResult> {
  await using session = model.openSession();
  return await session.forward(request); // before the session is disposed
}

const all = { logits: 'all' } as const;
const rowOf = (values: Float32Array, row: number, width: number): Float32Array =>
  values.slice(row * width, (row + 1) * width);
const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

describe('full attention', () => {
  const patterns = { attention: { kind: 'full' }, want: all } as const;

  test('shows every row to every row', async () => {
    const model = await tiny({ layerCount: 1 });
    const ids = tokens(9);
    const { logits } = await ask(model, { ids, ...patterns });
    for (let row = 0; row < ids.length; row++) {
      // In one layer, a row of a full call is the last row of a causal call over the others and itself.
      const order = [...ids.keys()].filter((other) => other !== row).concat(row);
      const causal = await ask(model, {
        ids: Int32Array.from(order, (other) => ids[other]),
        positions: Int32Array.from(order),
        want: { logits: 'last' },
      });
      expect(largestDifference(rowOf(logits!, row, model.vocabSize), causal.logits!)).toBeLessThan(1e-4);
    }
  });

  test.each(['llama', 'gemma3'] as const)('has the bits of the reference, in %s', async (architecture) => {
    const ids = tokens(13);
    const [compiled, plain] = [await tiny({ architecture }), await tiny({ architecture }, reference)];
    const expected = await ask(plain, { ids, ...patterns });
    expect((await ask(compiled, { ids, ...patterns })).logits).toEqual(expected.logits);
    const causal = await ask(compiled, { ids, want: all });
    expect(causal.logits).not.toEqual(expected.logits);
  });
});

describe('sliding windows', () => {
  /** Whether the last row's logits depend on the token `distance` positions before it. */
  async function isSeen(model: LanguageModel, distance: number, chunk: number): Promise<boolean> {
    const ids = tokens(150);
    const changed = ids.slice();
    changed[ids.length - 1 - distance] = (changed[ids.length - 1 - distance] + 1) % 60;
    const answers: Float32Array[] = [];
    for (const version of [ids, changed]) {
      await using session = model.openSession();
      let last: ForwardResult = {};
      for (let first = 0; first < version.length; first += chunk) {
        const part = version.subarray(first, first + chunk);
        last = await session.forward({ ids: part, want: { logits: 'last' } });
        keep(session, part.length);
      }
      answers.push(last.logits!);
    }
    return largestDifference(answers[0], answers[1]) > 0;
  }

  test.each([1, 2, 16, 21, 22, 23, 127, 128, 129])('of %i keys end exactly there', async (window) => {
    const model = await tiny({ architecture: 'gemma3', layerCount: 1, window });
    for (const chunk of [150, 64, 7]) {
      expect(await isSeen(model, window - 1, chunk)).toBe(true);
      expect(await isSeen(model, window, chunk)).toBe(false);
    }
  });

  test('count positions, not rows', async () => {
    const model = await tiny({ architecture: 'gemma3', layerCount: 1, window: 10 });
    const positions = Int32Array.of(0, 3, 5, 13, 14);
    const answers = [0, 1, 2, 3].map(async (other) => {
      const ids = Int32Array.of(5, 6, 7, 8, 9);
      ids[other]++;
      return (await ask(model, { ids, positions, want: { logits: 'last' } })).logits!;
    });
    const plain = (await ask(model, { ids: Int32Array.of(5, 6, 7, 8, 9), positions, want: { logits: 'last' } }))
      .logits!;
    const isSame = (await Promise.all(answers)).map((logits) => largestDifference(logits, plain) === 0);
    expect(isSame).toEqual([true, true, false, false]);
  });

  test('hold for positions in any order, with the bits of the reference', async () => {
    const options = { architecture: 'gemma3', layerCount: 3, window: 6 } as const;
    const draws = new Draws(3);
    const [compiled, plain] = [await tiny(options), await tiny(options, reference)];
    const positions = Int32Array.from({ length: 24 }, () => draws.integer(0, 20));
    const request = { ids: tokens(24), positions, want: all };
    const whole = (await ask(compiled, request)).logits;
    expect(whole).toEqual((await ask(plain, request)).logits);
    await using session = compiled.openSession();
    for (let row = 0; row < 24; row++) {
      const [ids, position] = [request.ids.subarray(row, row + 1), positions.subarray(row, row + 1)];
      const { logits } = await session.forward({ ids, positions: position, want: all });
      keep(session, 1);
      expect(logits).toEqual(rowOf(whole!, row, compiled.vocabSize));
    }
  });
});

describe('positions', () => {
  test('given as they would be by default change nothing; others do', async () => {
    const model = await tiny();
    const ids = tokens(6);
    const plain = await ask(model, { ids, want: all });
    const given = (shift: number): Int32Array => Int32Array.from(ids, (_, row) => row + shift);
    expect((await ask(model, { ids, positions: given(0), want: all })).logits).toEqual(plain.logits);
    const spread = Int32Array.from(ids, (_, row) => 3 * row);
    expect((await ask(model, { ids, positions: spread, want: all })).logits).not.toEqual(plain.logits);
    // Rotary angles only matter between rows.
    const shifted = await ask(model, { ids, positions: given(100), want: all });
    expect(largestDifference(shifted.logits!, plain.logits!)).toBeLessThan(1e-3);
  });

  test('go on from the last committed one', async () => {
    const model = await tiny();
    const ids = tokens(5);
    const positions = Int32Array.of(7, 8, 20, 21, 22);
    const whole = await ask(model, { ids, positions, want: all });
    await using session = model.openSession();
    await session.forward({ ids: ids.subarray(0, 3), positions: positions.subarray(0, 3) });
    keep(session, 3);
    const rest = await session.forward({ ids: ids.subarray(3), want: all });
    expect(rest.logits).toEqual(whole.logits!.slice(3 * model.vocabSize));
  });

  test('that would leave the context are refused, also when they follow from committed ones', async () => {
    const model = await tiny({ contextLength: 32 });
    await using session = model.openSession();
    await session.forward({ ids: tokens(1), positions: Int32Array.of(31) });
    keep(session, 1);
    await expect(session.forward({ ids: tokens(1) })).rejects.toMatchObject({ code: 'context-overflow' });
    await session.forward({ ids: tokens(1), positions: Int32Array.of(5) });
  });
});

describe('layers', () => {
  const tree = { kind: 'tree', parents: Int32Array.of(-1, 0, 0, 1, 2, -1) } as const;

  test.each([
    ['causal rows', undefined, 300],
    ['a tree', tree, 6],
  ] as const)('in ranges are the whole pass, for %s', async (_, attention, rows) => {
    const model = await tiny({ architecture: 'gemma3', layerCount: 4 });
    const request = { ids: tokens(rows), ...(attention && { attention }) };
    const hidden = [0, 1, 2, 3, 4];
    const whole = await ask(model, { ...request, want: { ...all, hidden } });
    await using session = model.openSession();
    const first = await session.forward({ ...request, layers: [0, 1], want: { hidden: [0, 1] } });
    const second = await session.forward({ ids: request.ids, layers: [1, 3], want: { hidden: [1, 2, 3] } });
    const third = await session.forward({ ids: request.ids, layers: [3, 4], want: { ...all, hidden: [4] } });
    expect(third.logits).toEqual(whole.logits);
    expect(new Map([...first.hidden!, ...second.hidden!, ...third.hidden!])).toEqual(whole.hidden);
    expect(whole.hidden!.get(2)).toHaveLength(rows * model.hiddenSize);
  });

  test('left early give the logits of the network without the later ones', async () => {
    const file = tinyModel({ architecture: 'llama', layerCount: 3 });
    const short: GgufModel = {
      metadata: [...file.metadata].map(([key, value]) =>
        key === 'llama.block_count' ? [key, { type: 'u32', value: 2 }] : [key, value],
      ),
      tensors: file.tensors.filter(({ name }) => !name.startsWith('blk.2.')),
    };
    const request = { ids: tokens(9), want: all };
    const early = await ask(await load(file), { ...request, layers: [0, 2] });
    expect(early.logits).toEqual((await ask(await load(short), request)).logits);
  });

  test('from the first on start from the embeddings, whatever a call before left', async () => {
    const model = await tiny();
    const plain = await ask(model, { ids: tokens(4, 2), want: all });
    await using session = model.openSession();
    await session.forward({ ids: tokens(4, 1), layers: [0, 1] });
    expect((await session.forward({ ids: tokens(4, 2), want: all })).logits).toEqual(plain.logits);
  });

  test('keep the positions and attention of the call that is resumed', async () => {
    const model = await tiny();
    const request = { ids: tokens(6), attention: tree, positions: Int32Array.of(4, 9, 9, 10, 10, 4) };
    const whole = await ask(model, { ...request, want: all });
    await using session = model.openSession();
    await session.forward({ ...request, layers: [0, 1] });
    expect((await session.forward({ ids: request.ids, layers: [1, 2], want: all })).logits).toEqual(whole.logits);
    session.commit(Int32Array.of(0, 2, 4));
    expect(session.length).toBe(3);
  });
});

describe('results', () => {
  test('hidden states after the last layer are normed rows: logits are their products with the embeddings', async () => {
    const file = tinyModel({ architecture: 'llama' });
    const model = await load(file);
    const { logits, hidden } = await ask(model, { ids: tokens(5), want: { ...all, hidden: [2] } });
    const { data } = file.tensors.find(({ name }) => name === 'token_embd.weight')!;
    const embeddings = new Float32Array((data as Uint8Array).slice().buffer);
    const width = model.hiddenSize;
    const products = logits!.map((_, index) => {
      const row = rowOf(hidden!.get(2)!, Math.floor(index / model.vocabSize), width);
      const embedding = rowOf(embeddings, index % model.vocabSize, width);
      return row.reduce((sum, value, i) => sum + value * embedding[i], 0);
    });
    expect(largestDifference(products, logits!)).toBeLessThan(1e-4);
  });

  test('topK is the start of the sorted logits, equal ones by id', async () => {
    const file = tinyModel({ architecture: 'llama' });
    const embeddings = file.tensors.find(({ name }) => name === 'token_embd.weight')!;
    const bytes = embeddings.data as Uint8Array;
    bytes.copyWithin(40 * 256, 5 * 256, 7 * 256); // tokens 40 and 41 are tokens 5 and 6 again
    const model = await load(file);
    const ids = tokens(300);
    const { logits } = await ask(model, { ids, want: all });
    for (const topK of [1, 7, model.vocabSize]) {
      const { topTokens, topLogits, ...rest } = await ask(model, { ids, want: { ...all, topK } });
      expect(rest).toEqual({});
      for (let row = 0; row < ids.length; row += 23) {
        const scores = rowOf(logits!, row, model.vocabSize);
        const sorted = [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b).slice(0, topK);
        expect([...topTokens!.subarray(row * topK, (row + 1) * topK)]).toEqual(sorted);
        expect([...topLogits!.subarray(row * topK, (row + 1) * topK)]).toEqual(sorted.map((id) => scores[id]));
      }
    }
  });

  test('rows are those asked for, in every chunk of a long prompt', async () => {
    const model = await tiny({ contextLength: 1024 });
    const ids = tokens(600);
    const whole = (await ask(model, { ids, want: all })).logits!;
    const rows = Int32Array.of(0, 1, 255, 256, 300, 511, 512, 599);
    const chosen = (await ask(model, { ids, want: { logits: rows } })).logits!;
    const expected = Array.from(rows, (row) => [...rowOf(whole, row, model.vocabSize)]).flat();
    expect([...chosen]).toEqual(expected);
    expect((await ask(model, { ids, want: { logits: 'last' } })).logits).toEqual(rowOf(whole, 599, model.vocabSize));
    expect(await ask(model, { ids })).toEqual({});
    expect(await ask(model, { ids, want: { logits: new Int32Array() } })).toEqual({});
  });
});
