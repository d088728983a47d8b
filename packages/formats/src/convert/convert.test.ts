/** Types that recipes choose, and conversion of whole files. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dequantize } from '../blocks/dequantize.ts';
import { openGguf } from '../gguf/read.ts';
import { encodeGguf, type GgufModel, ggufStrings } from '../gguf/write.ts';
import { memorySource } from '../source/byte-source.ts';
import { collectChunks } from '../source/chunks.ts';
import { openFile } from '../source/file-source.ts';
import { writeChunks } from '../source/write-file.ts';
import { convertModel } from './convert-model.ts';
import { ggufRecipe, type ModelFacts, typeFor } from './recipe.ts';
import { requantizeGguf } from './requantize-gguf.ts';

const model: ModelFacts = { layers: 16, headsPerKeyValueHead: 4, tiedHead: false };
const type = (recipe: string, name: string, dimensions = [2048, 512], facts = model): string =>
  typeFor(ggufRecipe(recipe), name, dimensions, facts);

test('a mixture gives more bits where they count', () => {
  const layersOf = (recipe: string, part: string): string[] =>
    Array.from({ length: 16 }, (_, layer) => type(recipe, `blk.${layer}.${part}.weight`));
  const k6 = [0, 1, 4, 7, 10, 13, 14, 15];
  expect(layersOf('Q4_K_M', 'attn_v')).toEqual(
    Array.from({ length: 16 }, (_, i) => (k6.includes(i) ? 'Q6_K' : 'Q4_K')),
  );
  expect(layersOf('Q4_K_M', 'attn_q')).toEqual(Array(16).fill('Q4_K'));
  expect(layersOf('Q4_K_S', 'ffn_down').slice(0, 3)).toEqual(['Q5_K', 'Q5_K', 'Q4_K']);
  expect(layersOf('Q3_K_M', 'ffn_down').slice(0, 2)).toEqual(['Q5_K', 'Q4_K']);
  expect(type('Q2_K', 'blk.0.attn_v.weight')).toBe('Q4_K');
  expect(type('Q2_K', 'blk.0.attn_v.weight', [2048, 512], { ...model, headsPerKeyValueHead: 1 })).toBe('Q3_K');
});

test('head, embedding, vectors and routers have their own rules', () => {
  expect(type('Q4_K_M', 'output.weight')).toBe('Q6_K');
  expect(type('Q4_K_M', 'token_embd.weight')).toBe('Q4_K');
  expect(type('Q4_K_M', 'token_embd.weight', [2048, 512], { ...model, tiedHead: true })).toBe('Q6_K');
  expect(type('Q8_0', 'output.weight')).toBe('Q8_0');
  expect(type('Q4_K_M', 'blk.0.attn_norm.weight', [2048])).toBe('F32');
  expect(type('Q4_K_M', 'blk.0.attn_q.bias', [2048])).toBe('F32');
  expect(type('Q4_K_M', 'blk.0.ffn_gate_inp.weight', [2048, 8])).toBe('F32');
});

test('rows that blocks do not divide fall back', () => {
  expect(type('Q4_K_M', 'blk.0.attn_q.weight', [640, 8])).toBe('Q5_0');
  expect(type('Q4_K_M', 'blk.0.attn_v.weight', [640, 8])).toBe('Q8_0');
  expect(type('IQ4_XS', 'blk.0.attn_q.weight', [640, 8])).toBe('IQ4_NL');
  expect(type('Q4_0', 'blk.0.attn_q.weight', [20, 8])).toBe('F16');
  expect(() => ggufRecipe('Q9')).toThrow(/Q4_K_M/);
});

const values = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, index) => Math.sin(index * 0.7 + seed));
const floats = (length: number, seed: number): Uint8Array => new Uint8Array(values(length, seed).buffer);

const original: GgufModel = {
  metadata: [
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['llama.block_count', { type: 'u32', value: 1 }],
    ['llama.attention.head_count', { type: 'u32', value: 2 }],
    ['tokenizer.ggml.tokens', ggufStrings(['a', 'b'])],
    ['split.count', { type: 'u16', value: 1 }],
  ],
  tensors: [
    { name: 'token_embd.weight', type: 'F32', dimensions: [256, 1100], data: floats(256 * 1100, 1) },
    { name: 'blk.0.attn_q.weight', type: 'F32', dimensions: [256, 8], data: floats(256 * 8, 2) },
    { name: 'output_norm.weight', type: 'F32', dimensions: [256], data: floats(256, 3) },
  ],
};

test('a file is converted tensor by tensor', async () => {
  const source = await openGguf(memorySource(await collectChunks(encodeGguf(original))));
  const names: string[] = [];
  const model = requantizeGguf(source, 'Q4_K_M', { onTensor: (name) => names.push(name) });
  const file = await openGguf(memorySource(await collectChunks(encodeGguf(model))));
  expect(file.tensors.map((tensor) => tensor.type)).toEqual(['Q6_K', 'Q4_K', 'F32']);
  expect(names).toEqual(original.tensors.map((tensor) => tensor.name));
  expect(file.metadata.number('general.file_type')).toBe(15);
  expect(file.metadata.has('split.count')).toBe(false);
  expect([...file.metadata.strings('tokenizer.ggml.tokens')!]).toEqual(['a', 'b']);
  const embedding = dequantize('Q6_K', await file.read(file.tensor('token_embd.weight')));
  const worst = values(256 * 1100, 1).reduce(
    (most, value, index) => Math.max(most, Math.abs(value - embedding[index])),
    0,
  );
  expect(worst).toBeLessThan(0.05);
});

test('a conversion can be cancelled', async () => {
  const source = await openGguf(memorySource(await collectChunks(encodeGguf(original))));
  const controller = new AbortController();
  const model = requantizeGguf(source, 'Q4_0', {
    signal: controller.signal,
    onTensor: () => controller.abort(new Error('stop')),
  });
  await expect(collectChunks(encodeGguf(model))).rejects.toThrow('stop');
});

const gemma = `${process.env.GALLOP_MODELS ?? new URL('../../../../models', import.meta.url).pathname}/gemma-3-270m-q4_k_m.gguf`;

test.skipIf(!existsSync(gemma))(
  'a real Q4_K_M file has the types that the recipe chooses (needs the Gemma 3 file)',
  async () => {
    const file = await openGguf(openFile(gemma));
    const chosen = requantizeGguf(file, 'Q4_K_M').tensors.map((tensor) => `${tensor.name} ${tensor.type}`);
    expect(chosen).toEqual(file.tensors.map((tensor) => `${tensor.name} ${tensor.type}`));
    file.close();
  },
);

test('a model on disk is converted in one call, or nothing is written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gallop-convert-'));
  const [source, target] = [join(folder, 'source.gguf'), join(folder, 'target.gguf')];
  await writeChunks(source, encodeGguf(original));
  await convertModel(source, target, 'Q8_0');
  const file = await openGguf(openFile(target));
  expect(file.tensors.map((tensor) => tensor.type)).toEqual(['Q8_0', 'Q8_0', 'F32']);
  file.close();
  rmSync(target);
  await expect(convertModel(source, target, 'Q9')).rejects.toMatchObject({ code: 'unsupported' });
  await expect(convertModel(`${source}-absent`, target, 'Q8_0')).rejects.toMatchObject({ code: 'not-found' });
  const stop = new Error('stop');
  const onTensor = (name: string): void => {
    if (name === 'output_norm.weight') throw stop;
  };
  await expect(convertModel(source, target, 'Q8_0', { onTensor })).rejects.toBe(stop);
  await expect(convertModel(source, join(folder, 'absent/target.gguf'), 'Q8_0')).rejects.toMatchObject({
    code: 'storage-failed',
  });
  expect(readdirSync(folder)).toEqual(['source.gguf']);
  rmSync(folder, { recursive: true });
});
