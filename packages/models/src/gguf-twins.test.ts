/** One model in two containers: the GGUF file of a checkpoint gives the checkpoint's logits. */
import { createWasmBackend } from '@gallop/backend-wasm';
import type { LanguageModel } from '@gallop/core';
import { collectChunks, encodeGguf, huggingFaceToGguf, type JsonView, memorySource, openGguf } from '@gallop/formats';
import { expect, test } from 'vitest';
import { architectures } from './architectures/registry.ts';
import { t5Architecture } from './architectures/t5.ts';
import { loadEncoderDecoder } from './encoder-decoder.ts';
import { loadLanguageModel } from './load.ts';
import type { ModelFiles } from './loading/checkpoint.ts';
import type { Naming } from './loading/named-weights.ts';
import { ggufTwin, mapped, neighbours, regrouped, type TwinRules, transposed } from './testing/gguf-twin.ts';
import { tinyNetwork } from './testing/tiny-networks.ts';

const backend = await createWasmBackend({ threads: 1 });
const ids = Int32Array.of(3, 17, 4, 0, 22, 9, 9, 31, 2, 5, 11, 8);

async function logitsOf(files: ModelFiles): Promise<Float32Array> {
  const model = await loadLanguageModel(files, backend, { activations: 'f32' });
  return everyLogit(model);
}

async function everyLogit(model: LanguageModel): Promise<Float32Array> {
  const { logits } = await model.openSession().forward({ ids, want: { logits: 'all' } });
  model.dispose();
  return logits!;
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  const worst = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
  expect(worst).toBeLessThan(1e-4);
}

/** The table of the architecture that answers to a Hugging Face name. */
const namingOf = (name: string): Naming => architectures.find((known) => known.huggingFace.includes(name))!.naming;

/** Metadata that most decoders share. */
function decoderMetadata(config: JsonView, heads = 'num_attention_heads'): Record<string, number> {
  const number = (...keys: string[]): number => config.number(keys.find((key) => config.get(key) !== undefined)!);
  const headCount = number(heads, 'n_head', 'n_heads');
  const hidden = number('hidden_size', 'n_embd', 'd_model');
  return {
    embedding_length: hidden,
    block_count: number('num_hidden_layers', 'n_layer', 'n_layers'),
    'attention.head_count': headCount,
    'attention.head_count_kv': config.number('num_key_value_heads', headCount),
    'attention.key_length': config.number('head_dim', hidden / headCount),
    context_length: config.number('max_position_embeddings', 256),
    'attention.layer_norm_rms_epsilon': 1e-5,
    'attention.layer_norm_epsilon': 1e-5,
  };
}

const llamaMetadata = (config: JsonView): Record<string, number> => ({
  ...decoderMetadata(config),
  feed_forward_length: config.number('intermediate_size', config.number('mlp_hidden_size', 1)),
  'rope.freq_base': config.number('rope_theta', 10000),
});
const pairs = (part: string, headSize: number) =>
  part === 'query' || part === 'key' ? neighbours(headSize) : undefined;

const twins: Readonly<Record<string, TwinRules>> = {
  mixtral: {
    architecture: 'llama',
    naming: { ...namingOf('mixtral') },
    metadata: (config) => ({ ...llamaMetadata(config), expert_count: 4, expert_used_count: 2 }),
    change: (part) => pairs(part, 8),
    stacked: { expertGate: 'expertGates', expertUp: 'expertUps', expertDown: 'expertDowns' },
  },
  'qwen2-moe': {
    architecture: 'qwen2moe',
    naming: namingOf('qwen2_moe'),
    metadata: (config) => ({ ...llamaMetadata(config), expert_count: 5, expert_used_count: 2 }),
    stacked: { expertGate: 'expertGates', expertUp: 'expertUps', expertDown: 'expertDowns' },
  },
  smollm3: {
    architecture: 'smollm3',
    naming: namingOf('smollm3'),
    metadata: llamaMetadata,
    change: (part) => pairs(part, 8),
  },
  phi3: {
    architecture: 'phi3',
    naming: namingOf('phi3'),
    metadata: (config) => ({ ...llamaMetadata(config), 'rope.dimension_count': 4, 'attention.sliding_window': 6 }),
  },
  gemma2: {
    architecture: 'gemma2',
    naming: namingOf('gemma2'),
    metadata: (config) => ({
      ...llamaMetadata(config),
      'attention.sliding_window': 4,
      attn_logit_softcapping: 3,
      final_logit_softcapping: 6,
    }),
    change: (part) => (part.endsWith('Norm') ? mapped((value) => value + 1) : undefined),
  },
  llada: {
    architecture: 'llada',
    naming: namingOf('llada'),
    metadata: llamaMetadata,
    change: (part) => pairs(part, 4),
  },
  dream: { architecture: 'dream', naming: namingOf('Dream'), metadata: llamaMetadata },
  gpt2: {
    architecture: 'gpt2',
    naming: namingOf('gpt2'),
    metadata: decoderMetadata,
    change: (part) => (['queryKeyValue', 'attentionOutput', 'up', 'down'].includes(part) ? transposed : undefined),
  },
  'gpt-neox': {
    architecture: 'gptneox',
    naming: namingOf('gpt_neox'),
    metadata: (config) => ({ ...decoderMetadata(config), 'rope.dimension_count': 4, use_parallel_residual: true }),
    change: (part) => (part === 'queryKeyValue' ? regrouped(2, 8) : undefined),
  },
  bloom: {
    architecture: 'bloom',
    naming: namingOf('bloom'),
    metadata: decoderMetadata,
    change: (part) => (part === 'queryKeyValue' ? regrouped(4, 4) : undefined),
  },
  mamba: {
    architecture: 'mamba',
    naming: namingOf('mamba'),
    metadata: () => ({ ...mambaMetadata, 'ssm.time_step_rank': 3 }),
    change: (part) => (part === 'decay' ? mapped((value) => -Math.exp(value)) : undefined),
  },
  mamba2: {
    architecture: 'mamba2',
    naming: namingOf('mamba2'),
    metadata: () => ({ ...mambaMetadata, 'ssm.time_step_rank': 4, 'ssm.group_count': 2 }),
    change: (part) => (part === 'decay' ? mapped((value) => -Math.exp(value)) : undefined),
  },
};

const mambaMetadata = {
  embedding_length: 16,
  block_count: 2,
  'ssm.inner_size': 32,
  'ssm.state_size': 4,
  'ssm.conv_kernel': 4,
  'attention.layer_norm_rms_epsilon': 1e-5,
};

test.each(Object.entries(twins))('%s', async (kind, rules) => {
  // What GGUF files of an architecture do not say is what its published models have.
  const published = kind === 'mamba2' ? { time_step_limit: [0, { __float__: 'Infinity' }] } : {};
  const files = await tinyNetwork(kind, published);
  expectClose(await logitsOf(await ggufTwin(files, rules)), await logitsOf(files));
});

test.each(['llama with llama3 scaling', 'mistral with yarn', 'qwen2', 'qwen3', 'gemma3'])(
  '%s by the converter of @gallop/formats',
  async (kind) => {
    const published = kind === 'qwen2' ? { use_sliding_window: false } : {};
    const files = await tinyNetwork(kind, published);
    const bytes = await collectChunks(encodeGguf(huggingFaceToGguf(files, 'F32')));
    expectClose(await logitsOf(await openGguf(memorySource(bytes))), await logitsOf(files));
  },
);

test('t5', async () => {
  const files = await tinyNetwork('t5', { relative_attention_max_distance: 128 });
  const twin = await ggufTwin(files, {
    architecture: 't5',
    naming: t5Architecture.naming,
    metadata: () => ({
      embedding_length: 16,
      block_count: 2,
      feed_forward_length: 24,
      'attention.head_count': 4,
      'attention.key_length': 8,
      'attention.relative_buckets_count': 8,
      'attention.layer_norm_rms_epsilon': 1e-6,
      decoder_start_token_id: 0,
    }),
  });
  const logits = async (source: ModelFiles): Promise<Float32Array> => {
    const model = await loadEncoderDecoder(source, backend, { activations: 'f32' });
    return everyLogit(model.encode(Int32Array.of(7, 3, 30)));
  };
  expectClose(await logits(twin), await logits(files));
});
