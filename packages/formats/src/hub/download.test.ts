/** Downloads from a local server that behaves like the hub: layout of the cache, and every way a transfer can go wrong. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeHub, startFakeHub } from '../testing/fake-hub.ts';
import { type DownloadOptions, downloadHubFile, type HubFile } from './download.ts';
import { listHubFiles } from './list.ts';

const content = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 167 + (index >> 8)) & 255);
let hub: FakeHub;
let cacheFolder: string;
let blobs: string;

beforeEach(async () => {
  hub = await startFakeHub();
  cacheFolder = mkdtempSync(join(tmpdir(), 'gallop-hub-'));
  blobs = join(cacheFolder, 'models--team--model', 'blobs');
});

afterEach(async () => {
  await hub.close();
  rmSync(cacheFolder, { recursive: true });
});

function download(path: string, options: DownloadOptions = {}): Promise<HubFile> {
  const retry = { attempts: 3, pauseMilliseconds: 1, idleMilliseconds: 300 };
  return downloadHubFile('team/model', path, { hubUrl: hub.url, cacheFolder, retry, ...options });
}

const storageRequests = (): string[] => hub.log.filter((line) => line.startsWith('storage') && !line.endsWith('=0-0'));
const bytesOf = (file: HubFile): Uint8Array => new Uint8Array(readFileSync(file.path));

function putPartial(etag: string, bytes: Uint8Array): void {
  mkdirSync(blobs, { recursive: true });
  writeFileSync(join(blobs, `${etag}.incomplete`), bytes);
}

test('a file lands in the layout shared with Python, and is not fetched twice', async () => {
  const etag = hub.put('sub/model.gguf', content);
  const received: number[] = [];
  const file = await download('sub/model.gguf', { onProgress: (progress) => received.push(progress.receivedBytes) });
  expect(file).toMatchObject({ commit: hub.commit, fromCache: false });
  expect(file.path).toBe(join(cacheFolder, 'models--team--model/snapshots', hub.commit, 'sub/model.gguf'));
  expect(lstatSync(file.path).isSymbolicLink()).toBe(true);
  expect(readlinkSync(file.path)).toBe(`../../../blobs/${etag}`);
  expect(bytesOf(file)).toEqual(content);
  expect(readFileSync(join(cacheFolder, 'models--team--model/refs/main'), 'utf8')).toBe(hub.commit);
  expect(readdirSync(blobs)).toEqual([etag]);
  expect(received[0]).toBe(0);
  expect(received.at(-1)).toBe(content.length);
  expect(received).toEqual([...received].sort((a, b) => a - b));
  expect(await download('sub/model.gguf')).toMatchObject({ fromCache: true });
  expect(storageRequests()).toHaveLength(1);
});

test('a commit in the cache needs no network at all', async () => {
  hub.put('a.bin', content);
  await download('a.bin', { revision: hub.commit });
  const requests = hub.log.length;
  expect(await download('a.bin', { revision: hub.commit })).toMatchObject({ fromCache: true });
  expect(hub.log).toHaveLength(requests);
});

test('small files carry git hashes; an empty one is fine', async () => {
  hub.put('config.json', new TextEncoder().encode('{"a": 1}'), { isLarge: false });
  hub.put('empty', new Uint8Array(0), { isLarge: false });
  expect(readFileSync((await download('config.json')).path, 'utf8')).toBe('{"a": 1}');
  expect(statSync((await download('empty')).path).size).toBe(0);
});

test('the access token stays with the hub', async () => {
  hub.put('a.bin', content);
  await download('a.bin', { accessToken: 'hf_secret' });
  expect(hub.storageAuthorizations).toEqual([]);
});

test('a broken connection goes on where it broke', async () => {
  hub.put('a.bin', content);
  hub.faults.push({ kind: 'cut', afterBytes: 100_000 }, { kind: 'cut', afterBytes: 50_000 });
  const file = await download('a.bin');
  expect(bytesOf(file)).toEqual(content);
  const starts = storageRequests().map((line) => Number(/bytes=(\d+)-/.exec(line)?.[1] ?? 0));
  expect(starts).toEqual([0, 100_000, 150_000]);
});

test('a body shorter than announced is completed', async () => {
  hub.put('a.bin', content);
  hub.faults.push({ kind: 'short', bytes: 1000 });
  expect(bytesOf(await download('a.bin'))).toEqual(content);
  expect(storageRequests()[1]).toContain('bytes=1000-');
});

test('what an earlier attempt left is used', async () => {
  const etag = hub.put('a.bin', content);
  putPartial(etag, content.subarray(0, 200_000));
  expect(bytesOf(await download('a.bin'))).toEqual(content);
  expect(storageRequests()[0]).toContain('bytes=200000-');
});

test('a partial file with other bytes, or too many, is dropped', async () => {
  const etag = hub.put('a.bin', content);
  putPartial(etag, new Uint8Array(200_000));
  expect(bytesOf(await download('a.bin'))).toEqual(content);
  const other = hub.put('b.bin', content.subarray(1));
  putPartial(other, new Uint8Array(400_000));
  expect(bytesOf(await download('b.bin'))).toEqual(content.subarray(1));
});

test('a server that ignores ranges is read from the start', async () => {
  const etag = hub.put('a.bin', content);
  putPartial(etag, content.subarray(0, 200_000));
  hub.faults.push({ kind: 'noRanges' });
  expect(bytesOf(await download('a.bin'))).toEqual(content);
});

test('416 and server errors are survived', async () => {
  const etag = hub.put('a.bin', content);
  putPartial(etag, content.subarray(0, 5));
  hub.faults.push({ kind: 'status', status: 416 }, { kind: 'status', status: 503 });
  expect(bytesOf(await download('a.bin'))).toEqual(content);
});

test('wrong content is refused and removed', async () => {
  hub.put('a.bin', content, { claimedEtag: 'a'.repeat(64) });
  await expect(download('a.bin')).rejects.toMatchObject({ code: 'checksum-mismatch' });
  expect(readdirSync(blobs)).toEqual([]);
  expect(existsSync(join(cacheFolder, 'models--team--model/snapshots'))).toBe(false);
});

test('a server that keeps failing ends in an error, with what arrived kept', async () => {
  const etag = hub.put('a.bin', content);
  hub.faults.push({ kind: 'cut', afterBytes: 1000 });
  for (let index = 0; index < 3; index++) hub.faults.push({ kind: 'status', status: 503 });
  await expect(download('a.bin')).rejects.toMatchObject({ code: 'download-failed' });
  expect(readdirSync(blobs)).toEqual([`${etag}.incomplete`]);
  expect(statSync(join(blobs, `${etag}.incomplete`)).size).toBe(1000);
});

test('silence counts as a broken connection', async () => {
  hub.put('a.bin', content);
  hub.faults.push({ kind: 'stall', afterBytes: 1000 });
  expect(bytesOf(await download('a.bin'))).toEqual(content);
});

test('refusals say what to do', async () => {
  hub.put('a.bin', content);
  await expect(download('absent.bin')).rejects.toMatchObject({ code: 'not-found' });
  await expect(downloadHubFile('team/other', 'a.bin', { hubUrl: hub.url, cacheFolder })).rejects.toMatchObject({
    code: 'not-found',
  });
  hub.refuse = 401;
  await expect(download('a.bin')).rejects.toThrow(/accessToken/);
  hub.refuse = 500;
  await expect(download('a.bin')).rejects.toMatchObject({ code: 'download-failed' });
});

test('cancelling rejects with the reason and keeps what arrived', async () => {
  const etag = hub.put('a.bin', content);
  hub.slow = 2000;
  const controller = new AbortController();
  const reason = new Error('changed my mind');
  const running = download('a.bin', {
    signal: controller.signal,
    onProgress: ({ receivedBytes }) => receivedBytes > 10_000 && controller.abort(reason),
  });
  await expect(running).rejects.toBe(reason);
  expect(statSync(join(blobs, `${etag}.incomplete`)).size).toBeGreaterThan(10_000);
  hub.slow = undefined;
  expect(bytesOf(await download('a.bin'))).toEqual(content);
});

test.skipIf(!existsSync('/dev/full'))('a full disk is an error of its own', async () => {
  const etag = hub.put('a.bin', content);
  mkdirSync(blobs, { recursive: true });
  symlinkSync('/dev/full', join(blobs, `${etag}.incomplete`));
  await expect(download('a.bin')).rejects.toMatchObject({ code: 'storage-failed' });
  expect(existsSync(join(blobs, etag))).toBe(false);
});

test('a file larger than the free space is refused before a byte is fetched', async () => {
  hub.put('a.bin', content, { claimedSize: 2 ** 52 });
  await expect(download('a.bin')).rejects.toMatchObject({ code: 'storage-failed' });
  expect(storageRequests()).toEqual([]);
});

test('a killed process leaves nothing half-written, and the next one goes on', async () => {
  const etag = hub.put('a.bin', content);
  hub.slow = 2000;
  const script = fileURLToPath(new URL('../testing/download-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@gallop/source', script, hub.url, cacheFolder, 'a.bin'], {
    stdio: 'ignore',
  });
  const incomplete = join(blobs, `${etag}.incomplete`);
  while (!existsSync(incomplete) || statSync(incomplete).size < 20_000) await delay(10);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(readdirSync(blobs).sort()).toEqual([`${etag}.incomplete`, `${etag}.lock`]);
  hub.slow = undefined;
  expect(bytesOf(await download('a.bin'))).toEqual(content);
  expect(storageRequests()[1]).toMatch(/bytes=\d{5,}-/);
  expect(readdirSync(blobs)).toEqual([etag]);
});

test('two downloads of one file transfer it once', async () => {
  hub.put('a.bin', content);
  hub.slow = 20_000;
  const files = await Promise.all([download('a.bin'), download('a.bin')]);
  expect(files.map((file) => file.fromCache).sort()).toEqual([false, true]);
  expect(storageRequests()).toHaveLength(1);
});

test('names from outside cannot leave the cache', async () => {
  hub.put('a.bin', content, { claimedEtag: '../../evil' });
  await expect(download('a.bin')).rejects.toMatchObject({ code: 'download-failed' });
  for (const path of ['../x', 'a/../../x', '/etc/passwd', 'a\\b', '']) {
    await expect(download(path)).rejects.toMatchObject({ code: 'invalid-argument' });
  }
  await expect(download('a.bin', { revision: '../..' })).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(downloadHubFile('../..', 'a.bin', { cacheFolder })).rejects.toMatchObject({ code: 'invalid-argument' });
  expect(existsSync(join(dirname(cacheFolder), 'evil'))).toBe(false);
});

test('without network the last known state of a branch serves', async () => {
  hub.put('a.bin', content);
  await download('a.bin');
  const unreachable = { hubUrl: 'http://127.0.0.1:1' };
  expect(await download('a.bin', unreachable)).toMatchObject({ fromCache: true, commit: hub.commit });
  await expect(download('b.bin', unreachable)).rejects.toMatchObject({ code: 'download-failed' });
});

test('the files of a repository are listed', async () => {
  hub.put('a.bin', content);
  expect(await listHubFiles('team/model', { hubUrl: hub.url })).toEqual([{ path: 'a.bin', sizeBytes: content.length }]);
  await expect(listHubFiles('team/other', { hubUrl: hub.url })).rejects.toMatchObject({ code: 'not-found' });
});
