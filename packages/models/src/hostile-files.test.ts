/** Files that are cut, or whose metadata and tensors contradict each other: a typed error, or a model that works. */
import { createWasmBackend } from '@gallop/backend-wasm';
import { GallopError, type LanguageModel } from '@gallop/core';
import {
  collectChunks,
  encodeGguf,
  type GgufModel,
  type GgufTensorInput,
  type GgufValue,
  ggufStrings,
  memorySource,
  openGguf,
} from '@gallop/formats';
import { describe, expect, test } from 'vitest';
import { loadLanguageModel } from './load.ts';
import { Draws, tinyModel, WatchedBackend } from './testing/index.ts';

const backend = new WatchedBackend(await createWasmBackend({ threads: 1 }));

/** Loads a file and computes one row; says how it ended. Frees everything either way. */
async function outcomeOf(bytes: Uint8Array): Promise<string> {
  const held = backend.live.size;
  let model: LanguageModel | undefined;
  try {
    model = await loadLanguageModel(await openGguf(memorySource(bytes)), backend);
    const request = { ids: Int32Array.of(1, 2, 0), want: { logits: 'last' } } as const;
    const { logits } = await model.openSession().forward(request);
    return logits!.every(Number.isFinite) ? 'works' : 'not finite';
  } catch (error) {
    if (!GallopError.isInstance(error)) throw error;
    return model ? `loads, then ${error.code}` : error.code;
  } finally {
    model?.dispose();
    expect(backend.live.size).toBe(held);
  }
}

const write = (model: GgufModel): Promise<Uint8Array> => collectChunks(encodeGguf(model));
const tryModel = async (model: GgufModel): Promise<string> => outcomeOf(await write(model));

type Change = readonly [key: string, value: GgufValue | undefined];

function changed(model: GgufModel, ...changes: readonly Change[]): GgufModel {
  const metadata = new Map(model.metadata);
  for (const [key, value] of changes) {
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  }
  return { metadata, tensors: model.tensors };
}

function withTensor(model: GgufModel, name: string, change: (tensor: GgufTensorInput) => GgufTensorInput): GgufModel {
  const tensors = model.tensors.map((tensor) => (tensor.name === name ? change(tensor) : tensor));
  return { metadata: model.metadata, tensors };
}

const number = (type: 'u32' | 'i32' | 'u64' | 'f32', value: number): GgufValue => ({ type, value });
const architectures = ['llama', 'gemma3'] as const;

describe.each(architectures)('%s', (architecture) => {
  const model = tinyModel({ architecture, format: 'Q8_0' });
  const key = (name: string): string => `${architecture}.${name}`;

  test('as written works', async () => {
    expect(await tryModel(model)).toBe('works');
  });

  test('cut anywhere is refused', async () => {
    const bytes = await write(model);
    for (let length = 0; length < bytes.length - 32; length += Math.ceil(bytes.length / 60))
      expect(await outcomeOf(bytes.slice(0, length)), `${length} of ${bytes.length} bytes`).toBe('invalid-file');
  });

  test('without any one of its tensors is refused by the name of the tensor', async () => {
    for (const { name } of model.tensors) {
      const bytes = await write({ ...model, tensors: model.tensors.filter((tensor) => tensor.name !== name) });
      const loading = loadLanguageModel(await openGguf(memorySource(bytes)), backend);
      await expect(loading, name).rejects.toMatchObject({
        code: 'invalid-file',
        message: expect.stringContaining(name),
      });
    }
    expect(backend.live.size).toBe(0);
  });

  test('with any one of its tensors of other sizes is refused', async () => {
    for (const { name } of model.tensors.filter((tensor) => tensor.name !== 'token_embd.weight')) {
      const shorter = withTensor(model, name, ({ type, dimensions, data }) => {
        const bytes = data as Uint8Array;
        const [columns, ...rows] = dimensions;
        return rows.length > 0
          ? {
              name,
              type,
              dimensions: [columns, rows[0] - 1],
              data: bytes.slice(0, (bytes.length / rows[0]) * (rows[0] - 1)),
            }
          : { name, type, dimensions: [columns - 1], data: bytes.slice(0, -4) };
      });
      expect(await tryModel(shorter), name).toBe('invalid-file');
    }
  });

  const contradictions: [string, Change][] = [
    ['no heads', [key('attention.head_count'), number('u32', 0)]],
    ['negative heads', [key('attention.head_count'), number('i32', -4)]],
    ['heads beyond the matrices', [key('attention.head_count'), number('u32', 2 ** 31)]],
    ['no key heads', [key('attention.head_count_kv'), number('u32', 0)]],
    ['key heads that do not divide the heads', [key('attention.head_count_kv'), number('u32', 3)]],
    ['more key heads than heads', [key('attention.head_count_kv'), number('u32', 8)]],
    ['heads of no size', [key('attention.key_length'), number('u32', 0)]],
    ['heads of an odd size', [key('attention.key_length'), number('u32', 17)]],
    ['heads of a huge size', [key('attention.key_length'), number('u32', 2 ** 30)]],
    ['no width', [key('embedding_length'), number('u32', 0)]],
    ['another width', [key('embedding_length'), number('u32', 96)]],
    ['a width that is no integer', [key('embedding_length'), number('f32', 64.5)]],
    ['a width that is NaN', [key('embedding_length'), number('f32', Number.NaN)]],
    ['no layers', [key('block_count'), number('u32', 0)]],
    ['more layers than there are', [key('block_count'), number('u32', 3)]],
    ['layers without end', [key('block_count'), number('u64', 2 ** 50)]],
    ['no context', [key('context_length'), number('u32', 0)]],
    ['another feed-forward width', [key('feed_forward_length'), number('u32', 128)]],
    ['an infinite feed-forward width', [key('feed_forward_length'), number('f32', Number.POSITIVE_INFINITY)]],
    ['an epsilon that is NaN', [key('attention.layer_norm_rms_epsilon'), number('f32', Number.NaN)]],
    ['a negative epsilon', [key('attention.layer_norm_rms_epsilon'), number('f32', -1)]],
    ['no rotary base', [key('rope.freq_base'), number('f32', 0)]],
    ['a negative rotary base', [key('rope.freq_base'), number('f32', -10_000)]],
    ['a rotary base that is NaN', [key('rope.freq_base'), number('f32', Number.NaN)]],
    ['more rotated elements than a head has', [key('rope.dimension_count'), number('u32', 32)]],
    ['an odd number of rotated elements', [key('rope.dimension_count'), number('u32', 7)]],
    ['a string for a number', [key('block_count'), { type: 'string', value: '2' }]],
    ['no such entry', [key('embedding_length'), undefined]],
    ['a vocabulary larger than the embeddings', ['tokenizer.ggml.tokens', ggufStrings(Array(99).fill('x'))]],
  ];

  test.each(contradictions)('with %s is refused', async (_, change) => {
    expect(await tryModel(changed(model, change))).toBe('invalid-file');
  });

  test.each([
    ['a context that no memory holds', [key('context_length'), number('u32', 2 ** 31 - 1)]],
    ['tokens of special meaning outside the vocabulary', ['tokenizer.ggml.bos_token_id', number('u32', 4_000_000)]],
    ['fewer tokens than embeddings', ['tokenizer.ggml.tokens', ggufStrings(['a', 'b'])]],
  ] as [string, Change][])('with %s works', async (_, change) => {
    expect(await tryModel(changed(model, change))).toBe('works');
  });

  test('of unusual head sizes works, or is refused when it is loaded', async () => {
    for (const headSize of [2, 6, 10, 18, 34, 100]) {
      const options = { architecture, headSize, heads: 3, keyHeads: 1, hiddenSize: 52, feedForwardSize: 21 } as const;
      expect(await tryModel(tinyModel({ ...options, format: 'F16' })), `${headSize}`).toBe('works');
    }
  });

  test('with mutated metadata is refused or works', async () => {
    const telling = [0, 1, 2, 3, 5, 16, 17, 64, 127, 128, 2 ** 16, 2 ** 31 - 1, 2 ** 32 - 1];
    const numeric = [...model.metadata].filter(([, value]) => value.type === 'u32').map(([name]) => name);
    const outcomes = new Map<string, number>();
    for (let seed = 1; seed <= 250; seed++) {
      const draws = new Draws(seed);
      const changes = Array.from({ length: draws.integer(1, 3) }, (): Change => {
        return [draws.pick(numeric), number('u32', draws.pick(telling))];
      });
      const outcome = await tryModel(changed(model, ...changes));
      // A context of one or two rows is a model too; the call has three.
      expect(['works', 'invalid-file', 'loads, then context-overflow'], `seed ${seed}`).toContain(outcome);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(outcomes.get('works')).toBeGreaterThan(5);
    expect(outcomes.get('invalid-file')).toBeGreaterThan(50);
  });
});

test('other architectures and formats without kernels are refused by name', async () => {
  const model = tinyModel({ architecture: 'llama' });
  const foreign: Change = ['general.architecture', { type: 'string', value: 'toString' }];
  const nameless: Change = ['general.architecture', undefined];
  expect(await tryModel(changed(model, foreign))).toBe('unsupported');
  expect(await tryModel(changed(model, nameless))).toBe('invalid-file');
});

test.each([
  ['a context of none', { contextLength: 0 }],
  ['a context beyond the model', { contextLength: 513 }],
  ['a context that is NaN', { contextLength: Number.NaN }],
  ['unknown activations', { activations: 'q4' as 'q8' }],
  ['an unknown cache', { cacheDtype: 'f8' as 'f16' }],
])('loading with %s is refused', async (_, options) => {
  const file = await openGguf(memorySource(await write(tinyModel({ architecture: 'llama' }))));
  await expect(loadLanguageModel(file, backend, options)).rejects.toMatchObject({ code: 'invalid-argument' });
  expect(backend.live.size).toBe(0);
});
