/** Hugging Face checkpoints: a folder, the hub's cache, files in memory, from ids to text. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { collectChunks, encodeSafetensors, type HuggingFaceModel, splitSafetensors } from '@gallop/formats';
import { tinyCheckpoint } from '@gallop/models/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { generate } from '../generate/generate.ts';
import { loadModel } from './load-model.ts';

const [hidden, vocab] = [16, 12];
const words = ['<s>', '</s>', ...'abcdefghij'];

const config = {
  model_type: 'llama',
  hidden_size: hidden,
  intermediate_size: 24,
  num_attention_heads: 2,
  num_hidden_layers: 1,
  vocab_size: vocab,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  eos_token_id: [1, 11],
};
const shapes = {
  'model.embed_tokens.weight': [vocab, hidden],
  'model.norm.weight': [hidden],
  'model.layers.0.input_layernorm.weight': [hidden],
  'model.layers.0.post_attention_layernorm.weight': [hidden],
  ...Object.fromEntries(
    ['q', 'k', 'v', 'o'].map((name) => [`model.layers.0.self_attn.${name}_proj.weight`, [hidden, hidden]]),
  ),
  'model.layers.0.mlp.gate_proj.weight': [24, hidden],
  'model.layers.0.mlp.up_proj.weight': [24, hidden],
  'model.layers.0.mlp.down_proj.weight': [hidden, 24],
};
const tokenizer = JSON.stringify({
  version: '1.0',
  added_tokens: [],
  pre_tokenizer: { type: 'Whitespace' },
  model: { type: 'WordLevel', vocab: Object.fromEntries(words.map((word, id) => [word, id])), unk_token: '<s>' },
});

let folder: string;
let files: HuggingFaceModel;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gallop-checkpoint-'));
  files = await tinyCheckpoint(config, shapes);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Writes the checkpoint, its weights in parts of at most `partBytes`. */
async function write(into: string, partBytes?: number): Promise<void> {
  mkdirSync(into, { recursive: true });
  writeFileSync(path.join(into, 'config.json'), files.config);
  writeFileSync(path.join(into, 'tokenizer.json'), tokenizer);
  const tensors = await Promise.all(
    files.weights.tensors.map(async (tensor) => ({ ...tensor, data: await files.weights.read(tensor) })),
  );
  if (partBytes === undefined) {
    writeFileSync(path.join(into, 'model.safetensors'), await collectChunks(encodeSafetensors(tensors)));
    return;
  }
  const { parts, index } = splitSafetensors(tensors, partBytes);
  writeFileSync(path.join(into, 'model.safetensors.index.json'), index);
  for (const part of parts)
    writeFileSync(path.join(into, part.fileName), await collectChunks(encodeSafetensors(part.tensors)));
}

const tokensOf = async (source: Parameters<typeof loadModel>[0]): Promise<readonly number[]> => {
  using model = await loadModel(source, { backend: 'reference' });
  return (await generate(model, 'a b c', { maxTokens: 6 }).result).tokens;
};

describe('loadModel', () => {
  it('loads a folder, whole or in parts, and files in memory, to the same model', async () => {
    await write(path.join(folder, 'whole'));
    await write(path.join(folder, 'parts'), 2000);
    const expected = await tokensOf({ ...files, tokenizer });
    expect(expected.length).toBeGreaterThan(0);
    expect(await tokensOf(path.join(folder, 'whole'))).toEqual(expected);
    expect(await tokensOf(path.join(folder, 'parts'))).toEqual(expected);
  });

  it('ends generations where config.json says so', async () => {
    using model = await loadModel({ ...files, tokenizer }, { backend: 'reference' });
    expect([...model.codec.endOfGeneration].sort((a, b) => a - b)).toEqual([1, 11]);
    expect(model.hasChatTemplate).toBe(false);
  });

  it('takes a chat template from a file of its own', async () => {
    using model = await loadModel(
      { ...files, tokenizer, chatTemplate: '{% for message in messages %}{{ message.content }} {% endfor %}' },
      { backend: 'reference' },
    );
    expect(model.hasChatTemplate).toBe(true);
    expect([...model.codec.encodeChat([{ role: 'user', content: 'a b' }])]).toEqual([2, 3]);
  });

  it('says what is missing', async () => {
    await expect(loadModel(files, { backend: 'reference' })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('tokenizer.json'),
    });
    await expect(loadModel(folder)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('config.json'),
    });
  });

  it('loads a repository from the cache of the hub when there is no network', async () => {
    const repository = path.join(folder, 'models--owner--name');
    await write(path.join(repository, 'snapshots', 'a'.repeat(40)));
    mkdirSync(path.join(repository, 'refs'));
    writeFileSync(path.join(repository, 'refs', 'main'), 'a'.repeat(40));
    vi.stubEnv('HF_HUB_CACHE', folder);
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9');
    expect(await tokensOf('hf:owner/name')).toEqual(await tokensOf({ ...files, tokenizer }));
  });
});
