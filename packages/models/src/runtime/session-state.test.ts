/** The state of a session: what commit, truncate and fork keep, and what refused, failed or cancelled calls leave. */
import { createWasmBackend } from '@gallop/backend-wasm';
import type { AttentionPattern, ForwardRequest, LanguageModel, Session } from '@gallop/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { loadLanguageModel } from '../load.ts';
import { Draws, openInMemory, tinyModel, WatchedBackend } from '../testing/index.ts';

const backend = new WatchedBackend(await createWasmBackend({ threads: 1 }));
const file = await openInMemory(tinyModel({ architecture: 'gemma3', format: 'Q8_0', formats: { attn_output: 'F16' } }));
const vocabSize = 67;
const contextLength = 512;

const tokens = (count: number, seed = 1): Int32Array => new Draws(seed).tokens(count, 60);
const rows = (count: number): Int32Array => Int32Array.from({ length: count }, (_, row) => row);

/** Feeds tokens and keeps them; returns the last row's logits. */
async function feed(session: Session, ids: Int32Array): Promise<Float32Array> {
  const { logits } = await session.forward({ ids, want: { logits: 'last' } });
  session.commit(rows(ids.length));
  return logits!;
}

let model: LanguageModel;
let session: Session;

beforeEach(async () => {
  model = await loadLanguageModel(file, backend);
  session = model.openSession();
  return () => {
    Object.assign(backend, { allocationsLeft: Number.POSITIVE_INFINITY, executionsLeft: Number.POSITIVE_INFINITY });
    model.dispose();
    expect(backend.live.size).toBe(0);
  };
});

/** Logits after these tokens on a session of their own. */
async function fresh(...parts: Int32Array[]): Promise<Float32Array> {
  await using other = model.openSession();
  return await feed(other, Int32Array.from(parts.flatMap((part) => [...part])));
}

describe('commit', () => {
  const tree: AttentionPattern = { kind: 'tree', parents: Int32Array.of(-1, 0, 0, 1, 2, -1) };

  test.each([0, 100, 127, 128])(
    'of a path through a tree after %i rows leaves the state of the plain chain',
    async (before) => {
      const prompt = tokens(before);
      if (before > 0) await feed(session, prompt);
      const ids = tokens(6, 2);
      await session.forward({ ids, attention: tree });
      session.commit(Int32Array.of(0, 2, 4));
      expect(session.length).toBe(before + 3);
      const path = Int32Array.of(ids[0], ids[2], ids[4]);
      expect(await feed(session, tokens(4, 3))).toEqual(await fresh(prompt, path, tokens(4, 3)));
    },
  );

  test('of no rows keeps nothing, of leading rows keeps those', async () => {
    await session.forward({ ids: tokens(5) });
    session.commit(rows(0));
    expect(session.length).toBe(0);
    await session.forward({ ids: tokens(5) });
    session.commit(rows(2));
    expect(await feed(session, tokens(3, 4))).toEqual(await fresh(tokens(5).subarray(0, 2), tokens(3, 4)));
  });

  test.each([
    ['descending rows', tree, [2, 0]],
    ['a row twice', tree, [0, 0]],
    ['rows beyond the call', tree, [6]],
    ['negative rows', tree, [-1]],
    ['a node without its parent', tree, [0, 4]],
    ['two branches', tree, [0, 1, 2]],
    ['a causal row without those before', undefined, [1]],
  ] as const)('refuses %s and can be repeated', async (_, attention, kept) => {
    await session.forward({ ids: tokens(6), ...(attention && { attention }) });
    expect(() => session.commit(Int32Array.from(kept))).toThrowError(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
    session.commit(rows(1));
    expect(await feed(session, tokens(2, 5))).toEqual(await fresh(tokens(6).subarray(0, 1), tokens(2, 5)));
  });

  test('refuses what is no Int32Array, and needs a call through all layers', async () => {
    const invalidState = expect.objectContaining({ code: 'invalid-state' });
    expect(() => session.commit(rows(0))).toThrowError(invalidState);
    await session.forward({ ids: tokens(3), layers: [0, 1] });
    expect(() => session.commit(rows(3))).toThrowError(invalidState);
    await session.forward({ ids: tokens(3) });
    expect(() => session.commit([0] as unknown as Int32Array)).toThrowError(/Int32Array/);
    session.commit(rows(3));
    expect(() => session.commit(rows(3))).toThrowError(invalidState);
  });
});

describe('truncate', () => {
  test.each([0, 1, 127, 128, 129, 200])('to %i rows leaves the state of those rows', async (length) => {
    await feed(session, tokens(200));
    session.truncate(length);
    expect(session.length).toBe(length);
    expect(await feed(session, tokens(5, 7))).toEqual(await fresh(tokens(200).subarray(0, length), tokens(5, 7)));
  });

  test.each([-1, 6, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %f', async (length) => {
    await feed(session, tokens(5));
    expect(() => session.truncate(length)).toThrowError(/0…5/);
    expect(session.length).toBe(5);
  });

  test('drops pending rows', async () => {
    await session.forward({ ids: tokens(5) });
    session.truncate(0);
    expect(() => session.commit(rows(5))).toThrowError(expect.objectContaining({ code: 'invalid-state' }));
  });
});

describe('fork', () => {
  test.each([1, 100, 128, 130])(
    'after %i rows shares them, and neither side sees what the other adds',
    async (shared) => {
      const prompt = tokens(shared);
      await feed(session, prompt);
      const fork = session.fork();
      const mine = await feed(session, tokens(40, 2));
      const theirs = await feed(fork, tokens(40, 3));
      expect(mine).toEqual(await fresh(prompt, tokens(40, 2)));
      expect(theirs).toEqual(await fresh(prompt, tokens(40, 3)));
      expect(await feed(fork, tokens(3, 4))).toEqual(await fresh(prompt, tokens(40, 3), tokens(3, 4)));
      expect(await feed(session, tokens(3, 4))).toEqual(await fresh(prompt, tokens(40, 2), tokens(3, 4)));
    },
  );

  test('outlives the session it came from, and the other way round', async () => {
    await feed(session, tokens(10));
    const [first, second] = [session.fork(), session.fork()];
    session.dispose();
    first.truncate(4);
    expect(await feed(first, tokens(2, 2))).toEqual(await fresh(tokens(10).subarray(0, 4), tokens(2, 2)));
    first.dispose();
    expect(await feed(second, tokens(2, 3))).toEqual(await fresh(tokens(10), tokens(2, 3)));
  });

  test('while rows are pending leaves them to the session', async () => {
    await feed(session, tokens(10));
    await session.forward({ ids: tokens(4, 2), layers: [0, 1] });
    const fork = session.fork();
    expect(fork.length).toBe(10);
    expect(() => fork.commit(rows(4))).toThrowError(expect.objectContaining({ code: 'invalid-state' }));
    const theirs = await feed(fork, tokens(4, 3));
    const { logits } = await session.forward({ ids: tokens(4, 2), layers: [1, 2], want: { logits: 'last' } });
    session.commit(rows(4));
    expect(logits).toEqual(await fresh(tokens(10), tokens(4, 2)));
    expect(theirs).toEqual(await fresh(tokens(10), tokens(4, 3)));
    expect(await feed(fork, tokens(2, 4))).toEqual(await fresh(tokens(10), tokens(4, 3), tokens(2, 4)));
    expect(await feed(session, tokens(2, 4))).toEqual(await fresh(tokens(10), tokens(4, 2), tokens(2, 4)));
  });

  test('copies pages only when one side writes', async () => {
    await feed(session, tokens(100));
    const before = backend.live.size;
    const fork = session.fork();
    expect(backend.live.size).toBe(before + 1); // a table of pages
    expect(fork.bytes()).toEqual(session.bytes());
    expect(session.bytes().used).toBeLessThan(session.bytes().reserved);
  });
});

describe('refused requests', () => {
  const bad: [string, ForwardRequest, string][] = [
    ['no tokens', { ids: rows(0) }, 'invalid-argument'],
    ['a token beyond the vocabulary', { ids: Int32Array.of(1, vocabSize) }, 'invalid-argument'],
    ['a negative token', { ids: Int32Array.of(-1) }, 'invalid-argument'],
    ['tokens that are no Int32Array', { ids: [1, Number.NaN] as unknown as Int32Array }, 'invalid-argument'],
    ['too few positions', { ids: rows(3), positions: rows(2) }, 'invalid-argument'],
    ['negative positions', { ids: rows(2), positions: Int32Array.of(0, -1) }, 'invalid-argument'],
    ['huge positions', { ids: rows(1), positions: Int32Array.of(2 ** 31 - 1) }, 'invalid-argument'],
    ['positions that are NaN', { ids: rows(1), positions: [Number.NaN] as unknown as Int32Array }, 'invalid-argument'],
    ['more rows than the context', { ids: rows(60), positions: rows(60) }, 'context-overflow'],
    ['an endless prompt', { ids: new Int32Array(100_000) }, 'context-overflow'],
    ['layers that run backwards', { ids: rows(1), layers: [1, 1] }, 'invalid-argument'],
    ['layers beyond the last', { ids: rows(1), layers: [0, 3] }, 'invalid-argument'],
    ['negative layers', { ids: rows(1), layers: [-1, 2] }, 'invalid-argument'],
    ['half layers', { ids: rows(1), layers: [0, 0.5] }, 'invalid-argument'],
    ['layers that no call left', { ids: rows(2), layers: [1, 2] }, 'invalid-state'],
    [
      'a parent that comes later',
      { ids: rows(2), attention: { kind: 'tree', parents: Int32Array.of(-1, 1) } },
      'invalid-argument',
    ],
    [
      'a parent below −1',
      { ids: rows(1), attention: { kind: 'tree', parents: Int32Array.of(-2) } },
      'invalid-argument',
    ],
    ['too many parents', { ids: rows(1), attention: { kind: 'tree', parents: rows(2) } }, 'invalid-argument'],
    [
      'a mask of another size',
      { ids: rows(2), attention: { kind: 'bitmask', rows: new Uint8Array(2) } },
      'invalid-argument',
    ],
    [
      'a mask that sees ahead',
      { ids: rows(2), attention: { kind: 'bitmask', rows: Uint8Array.of(1, 1, 0, 1) } },
      'invalid-argument',
    ],
    [
      'an unknown pattern',
      { ids: rows(1), attention: { kind: 'star' } as unknown as AttentionPattern },
      'invalid-argument',
    ],
    ['logits of rows beyond the call', { ids: rows(2), want: { logits: Int32Array.of(2) } }, 'invalid-argument'],
    ['logits of rows in disorder', { ids: rows(2), want: { logits: Int32Array.of(1, 0) } }, 'invalid-argument'],
    ['logits of what is no row', { ids: rows(2), want: { logits: 'first' as 'last' } }, 'invalid-argument'],
    ['no best tokens', { ids: rows(1), want: { logits: 'last', topK: 0 } }, 'invalid-argument'],
    [
      'more best tokens than there are',
      { ids: rows(1), want: { logits: 'last', topK: vocabSize + 1 } },
      'invalid-argument',
    ],
    ['hidden states beyond the last layer', { ids: rows(1), want: { hidden: [3] } }, 'invalid-argument'],
    [
      'hidden states of layers that do not run',
      { ids: rows(1), layers: [0, 1], want: { hidden: [2] } },
      'invalid-argument',
    ],
  ];

  test.each(bad)('%s: a typed error, and pending rows stay', async (_, request, code) => {
    await feed(session, tokens(contextLength - 59));
    await session.forward({ ids: tokens(3, 2) });
    const held = backend.live.size;
    await expect(session.forward(request)).rejects.toMatchObject({ code, isGallopError: true });
    expect(backend.live.size).toBe(held);
    session.commit(rows(3));
    expect(await feed(session, tokens(2, 3))).toEqual(
      await fresh(tokens(contextLength - 59), tokens(3, 2), tokens(2, 3)),
    );
  });

  test('the context can be filled to its last row', async () => {
    await feed(session, tokens(contextLength));
    await expect(session.forward({ ids: rows(1) })).rejects.toMatchObject({ code: 'context-overflow' });
    session.truncate(contextLength - 1);
    expect(await feed(session, tokens(1, 2))).toEqual(await fresh(tokens(contextLength).subarray(0, -1), tokens(1, 2)));
  });
});

describe('cancelled calls', () => {
  test('before they begin leave everything, pending rows too', async () => {
    await session.forward({ ids: tokens(3) });
    const reason = new Error('changed my mind');
    const cancelled = session.forward({ ids: tokens(5, 2), signal: AbortSignal.abort(reason) });
    await expect(cancelled).rejects.toBe(reason);
    session.commit(rows(3));
    expect(session.length).toBe(3);
  });

  test('between chunks leave the committed rows', async () => {
    await feed(session, tokens(20));
    const controller = new AbortController();
    const running = session.forward({ ids: tokens(400, 2), signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect(session.length).toBe(20);
    expect(() => session.commit(rows(1))).toThrowError(expect.objectContaining({ code: 'invalid-state' }));
    expect(await feed(session, tokens(300, 3))).toEqual(await fresh(tokens(20), tokens(300, 3)));
  });

  test('through later layers can be repeated', async () => {
    await session.forward({ ids: tokens(300), layers: [0, 1] });
    const controller = new AbortController();
    const request: ForwardRequest = { ids: tokens(300), layers: [1, 2], want: { logits: 'last' } };
    const running = session.forward({ ...request, signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect((await session.forward(request)).logits).toEqual(await fresh(tokens(300)));
  });
});

describe('disposal', () => {
  test('is final, may be repeated and frees everything', async () => {
    await feed(session, tokens(140));
    const fork = session.fork();
    session.dispose();
    session.dispose();
    await session[Symbol.asyncDispose]();
    const disposed = expect.objectContaining({ code: 'invalid-state' });
    await expect(session.forward({ ids: rows(1) })).rejects.toThrowError(disposed);
    for (const use of [() => session.commit(rows(0)), () => session.truncate(0), () => session.fork()])
      expect(use).toThrowError(disposed);
    expect(session.bytes()).toEqual({ used: 0, reserved: 0 });
    fork.dispose();
  });

  test('during a call ends that call first', async () => {
    const running = session.forward({ ids: tokens(400) });
    session.dispose();
    await expect(running).rejects.toMatchObject({ code: 'invalid-state' });
  });

  test('of the model ends its sessions, running ones too', async () => {
    await feed(session, tokens(5));
    const fork = session.fork();
    const running = fork.forward({ ids: tokens(400) });
    model.dispose();
    await expect(running).rejects.toMatchObject({ code: 'invalid-state' });
    await expect(session.forward({ ids: rows(1) })).rejects.toMatchObject({ code: 'invalid-state' });
    expect(() => model.openSession()).toThrowError(expect.objectContaining({ code: 'invalid-state' }));
    expect(backend.live.size).toBe(0);
  });

  test('waits for nothing while another call of the session is refused', async () => {
    const running = session.forward({ ids: tokens(400) });
    await expect(session.forward({ ids: rows(1) })).rejects.toThrowError(/running/);
    expect(() => session.commit(rows(1))).toThrowError(/running/);
    await running;
    session.commit(rows(400));
    expect(session.length).toBe(400);
  });
});

describe('running out of memory', () => {
  const outOfMemory = expect.objectContaining({ code: 'out-of-memory' });

  /** Lets an action fail at its first, second, … allocation or command list until it succeeds. */
  async function failEverywhere(limit: 'allocationsLeft' | 'executionsLeft', action: () => unknown): Promise<number> {
    for (let left = 0; ; left++) {
      backend[limit] = left;
      try {
        await action();
        return left;
      } catch (error) {
        expect(error).toEqual(outOfMemory);
      } finally {
        backend[limit] = Number.POSITIVE_INFINITY;
      }
    }
  }

  test.each([
    ['allocationsLeft', 0],
    ['allocationsLeft', 120],
    ['executionsLeft', 120],
  ] as const)('during a call (%s) after %i rows leaves the committed rows', async (limit, before) => {
    if (before > 0) await feed(session, tokens(before));
    const want = { logits: 'last', hidden: [1] } as const;
    const result: { logits?: Float32Array } = {};
    const failures = await failEverywhere(limit, async () => {
      expect(session.length).toBe(before);
      Object.assign(result, await session.forward({ ids: tokens(300, 2), want }));
    });
    expect(failures).toBeGreaterThan(1);
    session.commit(rows(300));
    expect(result.logits).toEqual(await fresh(tokens(before), tokens(300, 2)));
    expect(await feed(session, tokens(2, 3))).toEqual(await fresh(tokens(before), tokens(300, 2), tokens(2, 3)));
  });

  test('with a table of pages that must grow leaves the state whole', async () => {
    const long = await loadLanguageModel(
      await openInMemory(tinyModel({ architecture: 'llama', layerCount: 1, contextLength: 20_000, vocabSize: 67 })),
      backend,
    );
    const many = long.openSession();
    for (let length = 0; length < 8192; length += 1024) await feed(many, tokens(1024, length));
    const fork = many.fork();
    await failEverywhere('allocationsLeft', () => feed(many, tokens(300, 5)));
    const expected = await feed(fork, tokens(300, 5));
    expect(await feed(many, tokens(9, 6))).toEqual(await feed(fork, tokens(9, 6)));
    expect(expected).toHaveLength(vocabSize);
    long.dispose();
  });

  test('while rows move or a fork is made changes nothing', async () => {
    await feed(session, tokens(120));
    const attention: AttentionPattern = { kind: 'tree', parents: Int32Array.of(-1, -1, 1) };
    await session.forward({ ids: tokens(3, 2), attention });
    const held = backend.live.size;
    await failEverywhere('executionsLeft', () => session.commit(Int32Array.of(1, 2)));
    await failEverywhere('allocationsLeft', () => {
      expect(backend.live.size).toBe(held);
      session.fork().dispose();
    });
    expect(await feed(session, tokens(2, 3))).toEqual(await fresh(tokens(120), tokens(3, 2).subarray(1), tokens(2, 3)));
  });

  test('while a model loads frees what it had', async () => {
    const before = backend.live.size;
    const failures = await failEverywhere('allocationsLeft', async () => {
      expect(backend.live.size).toBe(before);
      (await loadLanguageModel(file, backend)).dispose();
    });
    expect(failures).toBeGreaterThan(1);
    const refused = () => loadLanguageModel(file, backend, { signal: AbortSignal.abort() });
    await expect(refused()).rejects.toMatchObject({ name: 'AbortError' });
    expect(backend.live.size).toBe(before);
  });
});
