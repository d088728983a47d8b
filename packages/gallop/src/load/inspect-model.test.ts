import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GallopError } from '@gallop/core';
import { memorySource } from '@gallop/formats';
import { describe, expect, it, vi } from 'vitest';
import { inspectModel } from './inspect-model.ts';

/** A GGUF file with a string, a number and a list of strings as metadata, and one F32 tensor of 2 × 3. */
const smallGguf = (): Uint8Array => {
  const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
  const u64 = (value: number): number[] => [...u32(value), ...u32(0)];
  const text = (value: string): number[] => [...u64(value.length), ...new TextEncoder().encode(value)];
  const words = Array.from({ length: 8 }, (_, i) => `w${i}`);
  const header = [
    ...[...new TextEncoder().encode('GGUF'), ...u32(3), ...u64(1), ...u64(3)],
    ...[...text('general.architecture'), ...u32(8), ...text('toy')],
    ...[...text('toy.context_length'), ...u32(4), ...u32(77)],
    ...[...text('tokenizer.ggml.tokens'), ...u32(9), ...u32(8), ...u64(8), ...words.flatMap(text)],
    ...[...text('weight'), ...u32(2), ...u64(2), ...u64(3), ...u32(0), ...u64(0)],
  ];
  return Uint8Array.from([...header, ...new Array((32 - (header.length % 32)) % 32).fill(0), ...new Array(24).fill(0)]);
};

describe('inspectModel', () => {
  it('describes a file from its header', async () => {
    expect(await inspectModel(memorySource(smallGguf()))).toMatchObject({
      architecture: 'toy',
      parameters: 6,
      contextLength: 77,
      vocabSize: 8,
      tokenizer: undefined,
      chatTemplate: false,
      tensorTypes: [{ type: 'F32', tensors: 1, bytes: 24 }],
    });
  });

  it('shortens long metadata and takes Blobs too', async () => {
    const { metadata } = await inspectModel(new Blob([smallGguf() as Uint8Array<ArrayBuffer>]));
    expect(metadata.get('tokenizer.ggml.tokens')).toBe('8 × string: "w0", "w1", "w2", "w3", "w4", "w5", …');
  });

  it('closes a source that holds no model, and says what is wrong', async () => {
    let closed = false;
    const source = { ...memorySource(new Uint8Array(100)), close: () => (closed = true) as unknown as undefined };
    await expect(inspectModel(source)).rejects.toBeInstanceOf(GallopError);
    expect(closed).toBe(true);
  });

  it('reads from the Hugging Face cache, and explains a reference without a file', async () => {
    await expect(inspectModel('hf:owner/name')).rejects.toThrow(/hf:OWNER\/NAME\/FILE.*received "hf:owner\/name"/);
    const cache = mkdtempSync(path.join(tmpdir(), 'gallop-hub-'));
    const repository = path.join(cache, 'models--owner--name');
    const snapshot = path.join(repository, 'snapshots', 'a'.repeat(40));
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(path.join(repository, 'refs'));
    writeFileSync(path.join(repository, 'refs', 'main'), 'a'.repeat(40));
    writeFileSync(path.join(snapshot, 'toy.gguf'), smallGguf());
    vi.stubEnv('HF_HUB_CACHE', cache);
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9');
    expect(await inspectModel('hf:owner/name/toy.gguf')).toMatchObject({ architecture: 'toy' });
    vi.unstubAllEnvs();
    rmSync(cache, { recursive: true });
  });

  it('reports paths that do not exist and folders', async () => {
    await expect(inspectModel('no/such/file.gguf')).rejects.toMatchObject({ code: 'not-found' });
    await expect(inspectModel(new URL('.', import.meta.url))).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});
