/** Conversion of small made-up checkpoints: names, row order, norms, hyper-parameters and tokenizers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dequantize } from '../blocks/dequantize.ts';
import { type GgufFile, openGguf } from '../gguf/read.ts';
import { encodeGguf } from '../gguf/write.ts';
import { openSafetensors, type SafetensorsFile } from '../safetensors/read.ts';
import { encodeSafetensors, type SafetensorsTensorInput } from '../safetensors/write.ts';
import { memorySource } from '../source/byte-source.ts';
import { collectChunks } from '../source/chunks.ts';
import { type HuggingFaceModel, huggingFaceToGguf } from './hugging-face-model.ts';
import { openHuggingFaceFolder } from './open-hugging-face-folder.ts';
import type { GgufRecipe } from './recipe.ts';

const llama = {
  model_type: 'llama',
  hidden_size: 4,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 4,
  num_hidden_layers: 1,
  intermediate_size: 6,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  vocab_size: 8,
  tie_word_embeddings: false,
  bos_token_id: 1,
  eos_token_id: [2, 3],
};

/** A tensor whose element (row, column) is 10·row + column. */
function tensor(name: string, ...shape: number[]): SafetensorsTensorInput {
  const columns = shape.at(-1)!;
  const length = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length }, (_, index) => 10 * Math.floor(index / columns) + (index % columns));
  return { name, dtype: 'F32', shape, data: new Uint8Array(values.buffer) };
}

const layerTensors = [
  tensor('model.layers.0.self_attn.q_proj.weight', 8, 4),
  tensor('model.layers.0.self_attn.q_proj.bias', 8),
  tensor('model.layers.0.self_attn.k_proj.weight', 4, 4),
  tensor('model.layers.0.self_attn.v_proj.weight', 4, 4),
  tensor('model.layers.0.input_layernorm.weight', 4),
  tensor('model.layers.0.post_attention_layernorm.weight', 4),
];
const tensors = [tensor('model.embed_tokens.weight', 8, 4), tensor('lm_head.weight', 8, 4), ...layerTensors];

const weightsOf = async (list: SafetensorsTensorInput[]): Promise<SafetensorsFile> =>
  openSafetensors(memorySource(await collectChunks(encodeSafetensors(list))));

async function convert(
  config: Record<string, unknown>,
  list: SafetensorsTensorInput[] = tensors,
  rest: Partial<HuggingFaceModel> = {},
  recipe: GgufRecipe = 'F32',
): Promise<GgufFile> {
  const model = { name: 'tiny', config: JSON.stringify(config), weights: await weightsOf(list), ...rest };
  return openGguf(memorySource(await collectChunks(encodeGguf(huggingFaceToGguf(model, recipe)))));
}

async function values(file: GgufFile, name: string): Promise<number[]> {
  const found = file.tensor(name);
  return Array.from(dequantize(found.type, await file.read(found)));
}

test('query and key rows of a Llama model become neighbouring pairs', async () => {
  const file = await convert(llama);
  expect(file.metadata.string('general.architecture')).toBe('llama');
  const rows = async (name: string): Promise<number[]> =>
    (await values(file, name)).filter((_, index) => index % 4 === 0);
  expect(await rows('blk.0.attn_q.weight')).toEqual([0, 20, 10, 30, 40, 60, 50, 70]);
  expect(await rows('blk.0.attn_k.weight')).toEqual([0, 20, 10, 30]);
  expect(await rows('blk.0.attn_v.weight')).toEqual([0, 10, 20, 30]);
  expect(await values(file, 'blk.0.attn_q.bias')).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  expect(file.tensor('token_embd.weight').dimensions).toEqual([4, 8]);
  expect(await values(file, 'blk.0.ffn_norm.weight')).toEqual([0, 1, 2, 3]);
});

test('other families keep their rows; a tied head is left out', async () => {
  const file = await convert({ ...llama, model_type: 'qwen2', tie_word_embeddings: true });
  expect(await values(file, 'blk.0.attn_q.bias')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(file.find('output.weight')).toBeUndefined();
});

test('Gemma norms are stored with 1 added, under Gemma names', async () => {
  const gemma = { ...llama, model_type: 'gemma3_text', sliding_window: 512, rope_local_base_freq: 10_000 };
  const file = await convert(gemma);
  expect(file.metadata.string('general.architecture')).toBe('gemma3');
  expect(file.metadata.number('gemma3.attention.sliding_window')).toBe(512);
  expect(await values(file, 'blk.0.post_attention_norm.weight')).toEqual([1, 2, 3, 4]);
  await expect(convert({ ...gemma, rope_local_base_freq: 500 })).rejects.toMatchObject({ code: 'unsupported' });
});

test('hyper-parameters come in both styles of configuration', async () => {
  const file = await convert({
    ...llama,
    rope_theta: undefined,
    rope_parameters: { rope_theta: 5e5, rope_type: 'default' },
  });
  expect(file.metadata.number('llama.rope.freq_base')).toBe(5e5);
  expect(file.metadata.number('llama.attention.head_count_kv')).toBe(1);
  expect(file.metadata.number('llama.rope.dimension_count')).toBe(4);
  const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 16 };
  const scaled = await convert({ ...llama, rope_scaling: yarn });
  expect(scaled.metadata.string('llama.rope.scaling.type')).toBe('yarn');
  expect(scaled.metadata.number('llama.rope.scaling.original_context_length')).toBe(16);
});

test("Llama 3's rotary scaling becomes a tensor of divisors", async () => {
  const rope_scaling = {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 32,
  };
  const file = await convert({ ...llama, head_dim: 8, num_attention_heads: 1, rope_theta: 10, rope_scaling });
  const factors = await values(file, 'rope_freqs.weight');
  // Pairs turn 5.09, 2.86, 1.61 and 0.906 times within 32 positions: kept, two between, divided.
  expect(factors[0]).toBe(1);
  expect(factors[3]).toBe(8);
  const between = (turns: number): number => 1 / ((1 - (turns - 1) / 3) / 8 + (turns - 1) / 3);
  expect(factors[1]).toBeCloseTo(between(32 / (2 * Math.PI * 10 ** 0.25)), 5);
  expect(factors[2]).toBeCloseTo(between(32 / (2 * Math.PI * 10 ** 0.5)), 5);
});

test('what GGUF has no name for is refused', async () => {
  await expect(convert({ ...llama, model_type: 'unheard-of' })).rejects.toThrow(/unheard-of/);
  await expect(convert(llama, [...tensors, tensor('model.layers.0.mystery.weight', 2, 2)])).rejects.toThrow(/mystery/);
  await expect(convert({ ...llama, hidden_size: 'four' })).rejects.toMatchObject({ code: 'invalid-file' });
  await expect(convert(llama, [{ ...tensors[0], dtype: 'I32' }])).rejects.toThrow(/I32/);
});

test('tensors are quantised by the recipe', async () => {
  const wide = { ...llama, hidden_size: 256, vocab_size: 3 };
  const list = [tensor('model.embed_tokens.weight', 3, 256), tensor('model.layers.0.mlp.up_proj.weight', 6, 256)];
  const file = await convert({ ...wide, tie_word_embeddings: true }, list, {}, 'Q4_K_M');
  expect(file.tensors.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'token_embd.weight Q6_K',
    'blk.0.ffn_up.weight Q4_K',
  ]);
});

const byteLevel = {
  model: { type: 'BPE', vocab: { a: 0, b: 3, ab: 4 }, merges: [['a', 'b']], byte_fallback: false },
  added_tokens: [
    { id: 1, content: '<s>', special: true },
    { id: 2, content: '</s>', special: true },
    { id: 5, content: '<tool>', special: false },
  ],
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Digits', individual_digits: true },
      { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    ],
  },
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  },
};

test('a byte-level tokenizer keeps its merges and gets its name', async () => {
  const tokenizerConfig = { bos_token: '<s>', eos_token: { content: '</s>' }, chat_template: '{{ messages }}' };
  const { metadata } = await convert(llama, tensors, {
    tokenizer: JSON.stringify(byteLevel),
    tokenizerConfig: JSON.stringify(tokenizerConfig),
  });
  expect(metadata.string('tokenizer.ggml.model')).toBe('gpt2');
  expect(metadata.string('tokenizer.ggml.pre')).toBe('smollm');
  expect([...metadata.strings('tokenizer.ggml.tokens')!]).toEqual([
    'a',
    '<s>',
    '</s>',
    'b',
    'ab',
    '<tool>',
    '[PAD6]',
    '[PAD7]',
  ]);
  expect(Array.from(metadata.numbers('tokenizer.ggml.token_type') as Int32Array)).toEqual([1, 3, 3, 1, 1, 4, 5, 5]);
  expect([...metadata.strings('tokenizer.ggml.merges')!]).toEqual(['a b']);
  expect(metadata.number('tokenizer.ggml.bos_token_id')).toBe(1);
  expect(metadata.number('tokenizer.ggml.eos_token_id')).toBe(2);
  expect(metadata.boolean('tokenizer.ggml.add_bos_token')).toBe(true);
  expect(metadata.boolean('tokenizer.ggml.add_eos_token')).toBe(false);
  expect(metadata.string('tokenizer.chat_template')).toBe('{{ messages }}');
});

test('a SentencePiece tokenizer gets scores from its merges', async () => {
  const tokenizer = {
    model: {
      type: 'BPE',
      byte_fallback: true,
      unk_token: '<unk>',
      vocab: { '<unk>': 0, '<0x0A>': 1, a: 2, '▁': 3, '▁a': 4, aa: 5 },
      merges: ['a a', '▁ a'],
    },
    normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }] },
  };
  const { metadata } = await convert(llama, tensors, { tokenizer: JSON.stringify(tokenizer) });
  expect(metadata.string('tokenizer.ggml.model')).toBe('llama');
  expect(Array.from(metadata.numbers('tokenizer.ggml.token_type') as Int32Array)).toEqual([2, 6, 1, 1, 1, 1, 5, 5]);
  expect(Array.from(metadata.numbers('tokenizer.ggml.scores') as Float32Array)).toEqual([
    -2, -2, -2, -2, -1, 0, -2, -2,
  ]);
  expect(metadata.boolean('tokenizer.ggml.add_space_prefix')).toBe(true);
});

test('tokenizers without a name in GGUF are refused', async () => {
  const convertTokenizer = (tokenizer: unknown): Promise<GgufFile> =>
    convert(llama, tensors, { tokenizer: JSON.stringify(tokenizer) });
  const whitespace = { ...byteLevel, pre_tokenizer: { type: 'Whitespace' } };
  await expect(convertTokenizer(whitespace)).rejects.toThrow(/Whitespace/);
  await expect(convertTokenizer({ ...byteLevel, normalizer: { type: 'Lowercase' } })).rejects.toThrow(/Lowercase/);
  await expect(convertTokenizer({ model: { type: 'Unigram' } })).rejects.toThrow(/Unigram/);
  await expect(convertTokenizer({ model: { type: 'BPE', vocab: { a: 99 } } })).rejects.toThrow(/below 8/);
  await expect(convert(llama, tensors, { tokenizer: '{' })).rejects.toMatchObject({ code: 'invalid-file' });
});

test('a folder is opened, whole or in parts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gallop-checkpoint-'));
  await expect(openHuggingFaceFolder(folder)).rejects.toMatchObject({ code: 'not-found' });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(llama));
  await expect(openHuggingFaceFolder(folder)).rejects.toThrow(/model\.safetensors/);
  writeFileSync(join(folder, 'model.safetensors'), await collectChunks(encodeSafetensors(tensors)));
  const model = await openHuggingFaceFolder(folder);
  expect(model.weights.tensors).toHaveLength(tensors.length);
  expect(model.tokenizer).toBeUndefined();
  model.weights.close();
  rmSync(folder, { recursive: true });
});
