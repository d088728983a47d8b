/** Towers and joins beyond the recorded cases: loaders that name each other, images and features that do not fit. */
import { createWasmBackend } from '@gallop/backend-wasm';
import { expect, test } from 'vitest';
import { loadLanguageModel } from './load.ts';
import { tinyCheckpoint } from './testing/index.ts';
import { tinyNetwork } from './testing/tiny-networks.ts';
import { loadVisionTower } from './vision-tower.ts';

const backend = await createWasmBackend({ threads: 1 });
const [hidden, wide, patch] = [16, 24, 4];

const config = {
  model_type: 'clip_vision_model',
  hidden_size: hidden,
  intermediate_size: wide,
  num_attention_heads: 2,
  num_hidden_layers: 1,
  image_size: [8, 12],
  patch_size: patch,
};
const both = (name: string, rows: number, columns?: number): Record<string, number[]> => ({
  [`${name}.weight`]: columns === undefined ? [rows] : [rows, columns],
  [`${name}.bias`]: [rows],
});
const layer = 'vision_model.encoder.layers.0.';
const shapes: Record<string, number[]> = {
  'vision_model.embeddings.class_embedding': [hidden],
  'vision_model.embeddings.patch_embedding.weight': [hidden, 3, patch, patch],
  'vision_model.embeddings.position_embedding.weight': [7, hidden],
  ...both('vision_model.pre_layrnorm', hidden),
  ...both(`${layer}layer_norm1`, hidden),
  ...both(`${layer}layer_norm2`, hidden),
  ...Object.assign(
    {},
    ...['q_proj', 'k_proj', 'v_proj', 'out_proj'].map((name) => both(`${layer}self_attn.${name}`, hidden, hidden)),
  ),
  ...both(`${layer}mlp.fc1`, wide, hidden),
  ...both(`${layer}mlp.fc2`, hidden, wide),
  ...both('vision_model.post_layernorm', hidden),
};

test('a tower takes images of its size, each by itself', async () => {
  const tower = await loadVisionTower(await tinyCheckpoint(config, shapes), backend, { activations: 'f32' });
  expect(tower).toMatchObject({ channels: 3, height: 8, width: 12, rows: 7 });
  const size = 3 * 8 * 12;
  const pixels = Float32Array.from({ length: 2 * size }, (_, i) => Math.sin(i));
  const together = tower.encode(pixels, { hidden: [0, 1] });
  const second = tower.encode(pixels.subarray(size));
  expect(together.lastHidden.subarray(7 * hidden)).toEqual(second.lastHidden);
  expect(together.pooled!.subarray(hidden)).toEqual(second.pooled);
  expect(together.hidden.get(1)).toEqual(together.lastHidden);
  expect(() => tower.encode(pixels.subarray(1))).toThrow(/whole images of 3 × 8 × 12/);
  expect(() => tower.encode(pixels, { hidden: [2] })).toThrow(/hidden layers are 0…1/);
  tower.dispose();
  expect(() => tower.encode(pixels)).toThrow(/disposed/);
});

test('loaders name the one that takes a model', async () => {
  await expect(loadLanguageModel(await tinyNetwork('t5'), backend)).rejects.toThrow(/loaded by loadEncoderDecoder/);
  await expect(loadLanguageModel(await tinyCheckpoint(config, shapes), backend)).rejects.toThrow(/loadVisionTower/);
  await expect(loadVisionTower(await tinyNetwork('qwen2'), backend)).rejects.toThrow(/loadLanguageModel/);
});

test.each([{ image_size: 0 }, { patch_size: 9 }, { num_attention_heads: 3 }, { image_size: [8, 16] }])(
  'a tower with %o is refused',
  async (change) => {
    await expect(
      loadVisionTower(await tinyCheckpoint({ ...config, ...change }, shapes), backend),
    ).rejects.toMatchObject({
      code: 'invalid-file',
    });
  },
);
