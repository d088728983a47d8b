/** Every kind of network in every kind of call: the bits of one token at a time, and what its capabilities promise. */
import { createWasmBackend } from '@gallop/backend-wasm';
import type { LanguageModel, Session } from '@gallop/core';
import { expect, test } from 'vitest';
import { loadEncoderDecoder } from './encoder-decoder.ts';
import { type LoadLanguageModelOptions, loadLanguageModel } from './load.ts';
import { Draws, Oracle, runJourney, tinyCheckpoint } from './testing/index.ts';
import { tinyNetwork, tinyNetworks } from './testing/tiny-networks.ts';

const backend = await createWasmBackend({ threads: 1 });
const document = [...new Draws(9).tokens(24, 30)];

const load = async (kind: string, options: LoadLanguageModelOptions = {}): Promise<LanguageModel> =>
  loadLanguageModel(await tinyNetwork(kind), backend, options);

async function expectJourney(model: LanguageModel): Promise<void> {
  const oracle = new Oracle(model, document);
  for (const seed of [1, 2]) {
    const report = await runJourney(model, oracle, { seed, steps: 10, document, maximumRows: 12 });
    expect(report.mismatches).toEqual([]);
    expect(report.rows).toBeGreaterThan(20);
  }
}

const bidirectional = ['llada', 'dream'];
const kinds = Object.keys(tinyNetworks).filter((kind) => kind !== 't5' && !bidirectional.includes(kind));

test.each(kinds)('%s: chunks, trees, truncations and forks give the bits of one token at a time', async (kind) => {
  await expectJourney(await load(kind, { activations: 'f32' }));
});

test('an encoded input is a language model like any other', async () => {
  const model = await loadEncoderDecoder(await tinyNetwork('t5'), backend, { activations: 'f32' });
  const input = model.encode(Int32Array.of(5, 9, 2, 30, 7));
  await expectJourney(input);
  const other = model.encode(Int32Array.of(5, 9, 2, 30, 8));
  const first = async (encoded: LanguageModel): Promise<Float32Array> =>
    (await encoded.openSession().forward({ ids: Int32Array.of(0), want: { logits: 'all' } })).logits!;
  expect(await first(other)).not.toEqual(await first(input));
  model.dispose();
  expect(() => input.openSession()).toThrow(/disposed/);
  expect(() => model.encode(Int32Array.of(1))).toThrow(/disposed/);
});

test.each([
  ['no tokens', new Int32Array(), 'invalid-argument'],
  ['a foreign token', Int32Array.of(37), 'invalid-argument'],
  ['too many tokens', new Int32Array(513), 'context-overflow'],
])('an encoder refuses %s', async (_, ids, code) => {
  const model = await loadEncoderDecoder(await tinyNetwork('t5'), backend);
  expect(() => model.encode(ids)).toThrow(expect.objectContaining({ code }));
  model.dispose();
});

test.each(bidirectional)('%s: every row sees every row unless asked otherwise', async (kind) => {
  const model = await load(kind);
  expect(model.tokens.mask).toBe(36);
  expect(model.logitAlignment).toBe(kind === 'llada' ? 'same' : 'next');
  const ids = Int32Array.of(4, 36, 36, 7);
  const rows = async (change: number, attention?: 'causal'): Promise<Float32Array> => {
    const changed = ids.with(3, change);
    const request = {
      ids: changed,
      want: { logits: Int32Array.of(0) },
      ...(attention && { attention: { kind: attention } }),
    };
    return (await model.openSession().forward(request)).logits!;
  };
  expect(await rows(8)).not.toEqual(await rows(7));
  expect(await rows(8, 'causal')).toEqual(await rows(7, 'causal'));
  model.dispose();
});

const commitAll = (session: Session, rows: number): void =>
  session.commit(Int32Array.from({ length: rows }, (_, i) => i));

test.each(['qwen2', 'gpt2', 'opt', 'mamba2'])(
  '%s: rows given as embeddings are the rows of their tokens',
  async (kind) => {
    const model = await load(kind, { activations: 'f32' });
    const ids = Int32Array.from(document.slice(0, 6));
    const expected = (await model.openSession().forward({ ids, want: { logits: 'all' } })).logits!;
    const table = (await tinyNetwork(kind)).weights;
    const width = { gpt2: 16, opt: 8 }[kind] ?? 16;
    const name = table.tensors.find((tensor) => /(embed_tokens|wte|embeddings)\.weight$/.test(tensor.name))!;
    const values = new Float32Array((await table.read(name)).slice().buffer);
    const given = [1, 2, 4];
    const embeddings = new Float32Array(
      given.flatMap((row) => [...values.subarray(ids[row] * width, (ids[row] + 1) * width)]),
    );
    const mixed = ids.map((id, row) => (given.includes(row) ? -1 : id));
    const session = model.openSession();
    const whole = await session.forward({ ids: mixed, embeddings, want: { logits: 'all' } });
    expect(whole.logits).toEqual(expected);
    // Part of them committed, the rest again: a recurrent state replays embeddings too.
    commitAll(session, 3);
    const rest = {
      ids: mixed.subarray(3),
      embeddings: embeddings.subarray(2 * width),
      want: { logits: 'all' },
    } as const;
    expect((await session.forward(rest)).logits).toEqual(expected.subarray(3 * model.vocabSize));
    const short = { ids: mixed, embeddings: embeddings.subarray(1) };
    await expect(session.forward(short)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(session.forward({ ids: mixed })).rejects.toMatchObject({ code: 'invalid-argument' });
    model.dispose();
  },
);

test('a recurrent state says what it cannot do, and keeps few states', async () => {
  const model = await load('mamba');
  expect(model.capabilities).toMatchObject({
    treeAttention: true,
    rewind: true,
    bidirectional: false,
    layerRange: false,
  });
  const session = model.openSession();
  const ids = Int32Array.of(1, 2, 3);
  await expect(session.forward({ ids, attention: { kind: 'full' } })).rejects.toMatchObject({ code: 'unsupported' });
  await expect(session.forward({ ids, layers: [0, 1] })).rejects.toMatchObject({ code: 'unsupported' });
  const crossed = Uint8Array.of(1, 0, 0, 0, 1, 0, 1, 1, 1);
  await expect(session.forward({ ids, attention: { kind: 'bitmask', rows: crossed } })).rejects.toMatchObject({
    code: 'invalid-argument',
  });
  for (let step = 0; step < 300; step++) {
    await session.forward({ ids: Int32Array.of(step % 30) });
    commitAll(session, 1);
  }
  const single = session.bytes().used;
  const fresh = model.openSession();
  await fresh.forward({ ids: Int32Array.of(1) });
  commitAll(fresh, 1);
  expect(single / fresh.bytes().used).toBeLessThan(13);
  expect(session.bytes().reserved).toBeGreaterThanOrEqual(single);
  model.dispose();
});

test('a context longer than a model was made for is given only where positions have no end', async () => {
  for (const kind of ['bloom', 'mamba']) {
    const model = await load(kind, { contextLength: 5000 });
    expect(model.contextLength).toBe(5000);
    model.dispose();
  }
  await expect(load('gpt2', { contextLength: 257 })).rejects.toMatchObject({ code: 'invalid-argument' });
});

type Change = Readonly<Record<string, unknown>>;
const contradictions: readonly (readonly [kind: string, change: Change, code?: string])[] = [
  ['qwen3', { num_attention_heads: -4 }],
  ['qwen3', { num_attention_heads: 3 }],
  ['qwen3', { num_key_value_heads: 3 }],
  ['qwen3', { hidden_size: 0 }],
  ['qwen3', { hidden_size: 1e12 }],
  ['qwen3', { intermediate_size: 25 }],
  ['qwen3', { num_hidden_layers: 3 }],
  ['qwen3', { num_hidden_layers: 1e9 }],
  ['qwen3', { head_dim: 7 }],
  ['qwen3', { vocab_size: 1e9 }],
  ['qwen3', { max_position_embeddings: 'many' }],
  ['qwen3', { rms_norm_eps: -1 }],
  ['qwen3', { rope_scaling: { rope_type: 'spiral' } }, 'unsupported'],
  ['qwen3', { rope_scaling: { rope_type: 'linear', factor: 0 } }],
  ['qwen3', { rope_scaling: { rope_type: 'longrope', short_factor: [1], long_factor: [1] } }],
  ['qwen3', { hidden_act: 'sine' }, 'unsupported'],
  ['qwen3', { layer_types: ['full_attention'] }],
  ['mistral with yarn', { sliding_window: -1 }],
  ['mixtral', { num_experts_per_tok: 5 }],
  ['mixtral', { num_local_experts: 5 }],
  ['qwen2-moe', { moe_intermediate_size: -1 }],
  ['gpt2', { n_positions: 300 }],
  ['gpt2', { scale_attn_by_inverse_layer_idx: true }, 'unsupported'],
  ['gpt-neox', { rotary_pct: 0.1 }],
  ['opt', { word_embed_proj_dim: 9 }],
  ['opt', { do_layer_norm_before: false }, 'unsupported'],
  ['mamba', { state_size: 1e6 }],
  ['mamba', { conv_kernel: 0 }],
  ['mamba2', { n_groups: 3 }],
  ['mamba2', { num_heads: 5 }],
  ['mamba2', { time_step_limit: [1, 0] }],
];

const refusals = contradictions.map(([kind, change, code = 'invalid-file']) => [kind, change, code] as const);

test.each(refusals)('%s with %o is refused', async (kind, change, code) => {
  await expect(loadLanguageModel(await tinyNetwork(kind, change), backend)).rejects.toMatchObject({ code });
});

test.each([
  { relative_attention_num_buckets: 7 },
  { relative_attention_max_distance: 2 },
  { num_heads: 0 },
  { d_kv: 2000 },
  { num_layers: 3 },
])('t5 with %o is refused', async (change) => {
  await expect(loadEncoderDecoder(await tinyNetwork('t5', change), backend)).rejects.toMatchObject({
    code: 'invalid-file',
  });
});

test('a checkpoint without any one of its tensors is refused by the name of the tensor', async () => {
  for (const kind of ['qwen2-moe', 'gpt2', 'mamba2', 'gemma2']) {
    const { config, shapes } = tinyNetworks[kind]!;
    const needed = Object.keys(shapes).filter((name) => kind !== 'gemma2' || name !== 'lm_head.weight');
    for (const name of needed) {
      const { [name]: _, ...rest } = shapes;
      await expect(loadLanguageModel(await tinyCheckpoint(config, rest), backend)).rejects.toMatchObject({
        code: 'invalid-file',
        message: expect.stringContaining(name.replace(/^(model|transformer|backbone)\./, '')),
      });
    }
  }
});
