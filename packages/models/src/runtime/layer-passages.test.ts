/** Layers that replay what they recorded give the bits of layers that record anew, and do replay. */
import { createWasmBackend } from '@gallop/backend-wasm';
import type { Session } from '@gallop/core';
import { Recorder } from '@gallop/tensor';
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { loadLanguageModel } from '../load.ts';
import { Draws, openInMemory, tinyModel } from '../testing/index.ts';

const backend = await createWasmBackend({ threads: 1 });
let replay: MockInstance<Recorder['replay']>;
beforeEach(() => {
  replay = vi.spyOn(Recorder.prototype, 'replay');
});
afterEach(() => replay.mockRestore());

const replays = (): number => replay.mock.results.filter(({ value }) => value === true).length;
/** States between layers are only to be had by recording. */
const recorded = { logits: 'all', hidden: [1] } as const;
const replayed = { logits: 'all' } as const;

const openSession = async (architecture: 'llama' | 'gemma3', activations: 'f32' | 'q8'): Promise<Session> =>
  (await loadLanguageModel(await openInMemory(tinyModel({ architecture })), backend, { activations })).openSession();

test.each([
  ['llama', 'f32'],
  ['llama', 'q8'],
  ['gemma3', 'f32'],
  ['gemma3', 'q8'],
] as const)('%s with %s activations, across a page of the cache, forks and several row counts', async (name, kind) => {
  const draws = new Draws(7);
  const [session, twin] = [await openSession(name, kind), await openSession(name, kind)];
  const steps = Array.from({ length: 60 }, (_, step) => [1, 3, 1, 5, 1][step % 5]!);
  for (const rows of [110, ...steps]) {
    const ids = draws.tokens(rows, 60);
    const parents = Int32Array.from({ length: rows }, (_, row) => Math.floor((row - 1) / 2));
    const attention = rows === 5 ? { attention: { kind: 'tree', parents } as const } : {};
    const actual = await session.forward({ ids, want: replayed, ...attention });
    const expected = await twin.forward({ ids, want: recorded, ...attention });
    expect(actual.logits).toEqual(expected.logits);
    const kept = rows === 5 ? Int32Array.of(0, 2) : Int32Array.from({ length: rows }, (_, row) => row);
    for (const one of [session, twin]) one.commit(kept);
  }
  expect(replays()).toBeGreaterThan(40);
});

test('a session that was forked records and replays on pages of its own', async () => {
  const [session, twin] = [await openSession('llama', 'f32'), await openSession('llama', 'f32')];
  const ids = new Draws(3).tokens(40, 60);
  for (const one of [session, twin])
    for (const id of ids) {
      await one.forward({ ids: Int32Array.of(id), want: one === session ? replayed : recorded });
      one.commit(Int32Array.of(0));
    }
  const fork = session.fork();
  const next = { ids: Int32Array.of(9) };
  for (let step = 0; step < 3; step++) {
    const [mine, forked, expected] = [
      await session.forward({ ...next, want: replayed }),
      await fork.forward({ ...next, want: replayed }),
      await twin.forward({ ...next, want: recorded }),
    ];
    expect(mine.logits).toEqual(expected.logits);
    expect(forked.logits).toEqual(expected.logits);
    for (const one of [session, fork, twin]) one.commit(Int32Array.of(0));
  }
  expect(replays()).toBeGreaterThan(30);
});
