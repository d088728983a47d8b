/** Every kind of source gives the same bytes, reads nothing that was not asked for, and refuses what it cannot give. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ByteSource, blobSource, memorySource } from './byte-source.ts';
import { openFile } from './file-source.ts';
import { openHttp } from './http-source.ts';

const content = Uint8Array.from({ length: 5000 }, (_, index) => (index * 31) & 255);
const ranges: string[] = [];
let etag = '"one"';
let mode: 'good' | 'whole' | 'short' = 'good';
let server: Server;
let url: string;
let folder: string;
let path: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gallop-sources-'));
  path = join(folder, 'content');
  writeFileSync(path, content);
  server = createServer((request, response) => {
    ranges.push(request.headers.range ?? 'whole');
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const changed = request.headers['if-range'] !== undefined && request.headers['if-range'] !== etag;
    if (request.url !== '/content') response.writeHead(404).end();
    else if (mode === 'whole' || range === null || changed) response.writeHead(200, { etag }).end(content);
    else {
      const [from, to] = [Number(range[1]), Number(range[2])];
      response.writeHead(206, { etag, 'content-range': `bytes ${from}-${to}/${content.length}` });
      response.end(content.subarray(from, mode === 'short' ? to : to + 1));
    }
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/content`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const open: Record<string, () => ByteSource | Promise<ByteSource>> = {
  memory: () => memorySource(content),
  blob: () => blobSource(new Blob([content])),
  file: () => openFile(path),
  http: () => openHttp(url),
};

test.each(Object.keys(open))('a %s gives exactly the bytes asked for', async (kind) => {
  const source = await open[kind]();
  expect(source.size).toBe(content.length);
  expect(await source.read(10, 20)).toEqual(content.subarray(10, 30));
  expect(await source.read(5000, 0)).toHaveLength(0);
  const room = new Uint8Array(40);
  expect(await source.read(4990, 10, room)).toEqual(content.subarray(4990));
  expect(room.subarray(0, 11)).toEqual(Uint8Array.of(...content.subarray(4990), 0));
  for (const [offset, length] of [
    [4990, 11],
    [-1, 2],
    [0.5, 2],
    [0, Number.NaN],
    [2 ** 53, 1],
  ]) {
    await expect(source.read(offset, length)).rejects.toMatchObject({ code: 'invalid-argument' });
  }
  await expect(source.read(0, 41, room)).rejects.toMatchObject({ code: 'invalid-argument' });
  source.close();
});

test('a memory source copies nothing', async () => {
  expect((await memorySource(content).read(1, 2)).buffer).toBe(content.buffer);
});

test('a file is read at once into memory of any kind', () => {
  const source = openFile(path);
  const shared = new Uint8Array(new SharedArrayBuffer(100));
  source.readSync(50, shared);
  expect(Array.from(shared)).toEqual(Array.from(content.subarray(50, 150)));
  expect(() => source.readSync(4950, shared)).toThrow(/range/);
  source.close();
  expect(() => source.readSync(0, shared)).toThrow(/closed/);
});

test('what is not a file is refused', () => {
  expect(() => openFile(join(folder, 'absent'))).toThrow(expect.objectContaining({ code: 'not-found' }));
  expect(() => openFile(join(path, 'below'))).toThrow(expect.objectContaining({ code: 'not-found' }));
  expect(() => openFile(folder)).toThrow(/directory/);
});

test('a file cut while open is an error, not zeros', async () => {
  const other = join(folder, 'cut');
  writeFileSync(other, content);
  const source = openFile(other);
  truncateSync(other, 100);
  expect(() => source.readSync(0, new Uint8Array(200))).toThrow(expect.objectContaining({ code: 'invalid-file' }));
  await expect(source.read(0, 200)).rejects.toMatchObject({ code: 'invalid-file' });
});

test('only the ranges asked for travel over HTTP', async () => {
  const source = await openHttp(url);
  ranges.length = 0;
  await source.read(100, 50);
  expect(ranges).toEqual(['bytes=100-149']);
});

test('servers that cannot or will not answer are told apart', async () => {
  await expect(openHttp(`${url}-absent`)).rejects.toMatchObject({ code: 'not-found' });
  await expect(openHttp('http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'download-failed' });
  mode = 'whole';
  await expect(openHttp(url)).rejects.toMatchObject({ code: 'unsupported' });
  mode = 'short';
  const source = await openHttp(url).catch(() => undefined);
  mode = 'good';
  expect(source).toBeDefined();
});

test('a file replaced or cut on the server is noticed', async () => {
  const source = await openHttp(url);
  mode = 'short';
  await expect(source.read(0, 100)).rejects.toMatchObject({ code: 'invalid-file' });
  mode = 'good';
  etag = '"two"';
  await expect(source.read(0, 100)).rejects.toThrow(/replaced/);
});

test('an aborted signal cancels with its reason', async () => {
  const controller = new AbortController();
  const source = await openHttp(url, { signal: controller.signal });
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(source.read(0, 10)).rejects.toBe(reason);
});
