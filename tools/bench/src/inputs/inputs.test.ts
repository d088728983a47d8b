import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { tokenizerFromJson } from '@gallop/tokenizer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cacheBytesPerToken, weightBytesPerToken } from '../bandwidth/bytes-per-token.ts';
import { byteModel } from '../testing/byte-model.ts';
import { findBrowser } from './browser.ts';
import { corpora, splitDocuments } from './corpora.ts';
import { findModels, modelName } from './models.ts';
import { findPeer } from './peers.ts';
import { modelPrompt } from './prompt.ts';
import { tokenizerJson } from './vocabulary.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gallop-bench-inputs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('what is missing is told with what to do', () => {
  test('models', () => {
    expect(() => findModels([], folder)).toThrow(/SmolLM2.*does not exist; fetch it with "npm run models:fetch"/);
    expect(() => findModels([path.join(folder, 'no.gguf')], '')).toThrow(/no\.gguf, which does not exist; name an/);
    expect(() => findModels([folder], '')).toThrow(/received the folder/);
    const file = path.join(folder, 'x.Q4_1.gguf');
    writeFileSync(file, '');
    expect(findModels([file], '').map(modelName)).toEqual(['x.Q4_1']);
  });

  test('peers', () => {
    expect(() => findPeer('node-llama-cpp', folder)).toThrow(
      `install it with "npm install --prefix ${folder} node-llama-cpp@3.22.1"`,
    );
    const peer = path.join(folder, 'node_modules', 'node-llama-cpp');
    mkdirSync(peer, { recursive: true });
    writeFileSync(path.join(peer, 'package.json'), '{"version": "3.22.9"}');
    expect(findPeer('node-llama-cpp', folder)).toMatchObject({ version: '3.22.9' });
  });

  test('browsers', () => {
    expect(() => findBrowser({ PATH: folder })).toThrow(/CHROME_PATH/);
    const browser = path.join(folder, 'google-chrome');
    writeFileSync(browser, '');
    expect(findBrowser({ PATH: folder })).toBe(browser);
    expect(findBrowser({ CHROME_PATH: browser, PATH: '' })).toBe(browser);
    expect(() => findBrowser({ CHROME_PATH: '/no/such/browser', PATH: folder })).toThrow(/\/no\/such\/browser/);
  });
});

describe('texts', () => {
  test('prompts have exactly the length asked for, and begin alike', async () => {
    using file = await byteModel();
    const [short, long] = [7, 9000].map((count) => modelPrompt(file.metadata, count));
    expect([short.ids.length, long.ids.length]).toEqual([7, 9000]);
    expect(long.ids.slice(0, 7)).toEqual(short.ids);
    expect(long.text.startsWith('Alice was beginning')).toBe(true);
  });

  test('documents are cut at line ends and lose nothing', () => {
    const text = Array.from({ length: 999 }, (_, line) => `line ${line}\n`).join('');
    const documents = splitDocuments(text);
    expect(documents.length).toBeGreaterThan(1);
    expect(documents.join('')).toBe(text);
    expect(documents.every((document) => document.endsWith('\n'))).toBe(true);
    expect(splitDocuments('x'.repeat(100), 10).join('')).toHaveLength(10);
  });

  test('every corpus has texts, and warms up with others', () => {
    for (const { name, warmUp, documents } of corpora()) {
      expect(Buffer.byteLength(documents.join('')), name).toBeGreaterThan(100_000);
      expect(warmUp.join('').length, name).toBeGreaterThan(10_000);
      expect(documents).not.toContain(warmUp[0]);
    }
  });

  test('a vocabulary grows by joined words that are really used', async () => {
    using file = await byteModel(['Ġth', 'ing', 'Ġword']);
    const small = tokenizerFromJson(
      tokenizerJson(file.metadata, file.metadata.strings('tokenizer.ggml.tokens')!.length),
    );
    const large = tokenizerFromJson(tokenizerJson(file.metadata, small.vocabularySize + 2));
    expect(large.vocabularySize).toBe(small.vocabularySize + 2);
    expect(large.encode(' thing wording').length).toBeLessThan(small.encode(' thing wording').length);
    expect(large.decode(large.encode(' thing wording'))).toBe(' thing wording');
    expect(() => tokenizerJson(file.metadata, 10_000)).toThrow(/ask for fewer/);
  });
});

test('bytes per token: a tied table counts whole, another only by a row; windows bound the cache', async () => {
  using tied = await byteModel();
  using split = await byteModel([], { tied: false });
  const table = tied.tensor('token_embd.weight');
  const whole = tied.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(weightBytesPerToken(tied)).toBe(whole);
  expect(weightBytesPerToken(split)).toBe(whole + table.byteLength / table.dimensions[1]);
  // two layers, two key heads of 16, keys and values, two bytes each
  expect(cacheBytesPerToken(tied, 100)).toBe(2 * 2 * 32 * 2 * 100);
  using windowed = await byteModel([], { architecture: 'gemma3' });
  expect(cacheBytesPerToken(windowed, 100)).toBe(2 * 2 * 32 * 2 * 8);
});
