/**
 * Downloads files of the Hugging Face hub into the cache folder it shares with Python. The official library finds the
 * file; this module adds what it lacks: resuming, checksums, an atomic end (a blob appears complete or not at all, even
 * when the process is killed), progress, cancellation, and the cached copy when there is no network.
 */
import { mkdir, readFile, rename, rm, stat, statfs, symlink, writeFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { GallopError } from '@gallop/core';
import { isCommit, type RepoCache, type RepoType, repoCache, repoId } from './cache-layout.ts';
import { type FileFacts, fileFacts, type HubAccess, HubUnreachable } from './file-facts.ts';
import { withFileLock } from './file-lock.ts';
import { onDisk } from './hub-errors.ts';
import { type RetryPolicy, transfer } from './transfer.ts';

/** How to reach the hub and where to keep its files. */
export interface HubOptions {
  /** Branch, tag or commit. Default "main". */
  readonly revision?: string;
  readonly repoType?: RepoType;
  /** Default: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME/hub`, or `~/.cache/huggingface/hub`. */
  readonly cacheFolder?: string;
  /** Default: `HF_ENDPOINT`, or https://huggingface.co. */
  readonly hubUrl?: string;
  /** For private and gated repositories. Default: `HF_TOKEN`. */
  readonly accessToken?: string;
  /** Replaces the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Cancels; what has arrived is kept for the next time. */
  readonly signal?: AbortSignal;
}

export interface DownloadOptions extends HubOptions {
  /** Called as bytes arrive, counting those kept from an earlier attempt. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly retry?: RetryPolicy;
}

export interface DownloadProgress {
  readonly path: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** A file in the cache. */
export interface HubFile {
  /** Where to read it. */
  readonly path: string;
  /** The commit its snapshot belongs to. */
  readonly commit: string;
  /** True when nothing had to be transferred. */
  readonly fromCache: boolean;
}

/** How to reach the hub with these options. */
export function hubAccess(options: HubOptions): HubAccess {
  return {
    fetch: options.fetch ?? fetch,
    hubUrl: (options.hubUrl ?? process.env.HF_ENDPOINT ?? 'https://huggingface.co').replace(/\/+$/, ''),
    accessToken: options.accessToken ?? process.env.HF_TOKEN,
    signal: options.signal,
  };
}

/**
 * Makes sure that a file of a repository is in the cache.
 * @param repo "organisation/name".
 * @param path of the file within the repository.
 * @throws GallopError `not-found`, `download-failed`, `checksum-mismatch`, `storage-failed`; the signal's reason.
 */
export async function downloadHubFile(repo: string, path: string, options: DownloadOptions = {}): Promise<HubFile> {
  const { revision = 'main' } = options;
  options.signal?.throwIfAborted();
  const id = repoId(repo, options.repoType);
  const cache = repoCache(options.cacheFolder ?? (await defaultCacheFolder()), id);
  // Checked before anything is asked or written.
  const cached = cache.snapshot(isCommit(revision) ? revision : '', path);
  cache.ref(revision);
  if (isCommit(revision) && (await exists(cached))) return { path: cached, commit: revision, fromCache: true };
  const access = hubAccess(options);
  let facts: FileFacts;
  try {
    facts = await fileFacts(access, id, revision, path);
  } catch (error) {
    const known = error instanceof HubUnreachable ? await lastKnown(cache, revision, path) : undefined;
    if (known !== undefined) return known;
    throw error;
  }
  return keep(cache, access, facts, path, options);
}

async function defaultCacheFolder(): Promise<string> {
  const { getHFHubCachePath } = await import('@huggingface/hub');
  return getHFHubCachePath();
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The file as of the last time that the revision was looked up. */
async function lastKnown(cache: RepoCache, revision: string, path: string): Promise<HubFile | undefined> {
  const commit = await readFile(cache.ref(revision), 'utf8').catch(() => '');
  if (!isCommit(commit.trim())) return undefined;
  const pointer = cache.snapshot(commit.trim(), path);
  return (await exists(pointer)) ? { path: pointer, commit: commit.trim(), fromCache: true } : undefined;
}

/** Brings blob, link and revision into the cache, each complete before the next. */
async function keep(
  cache: RepoCache,
  access: HubAccess,
  facts: FileFacts,
  path: string,
  options: DownloadOptions,
): Promise<HubFile> {
  const blob = cache.blob(facts.etag);
  const pointer = cache.snapshot(facts.commit, path);
  const revision = options.revision ?? 'main';
  let fromCache = true;
  await onDisk(`create ${cache.folder}`, () => mkdir(dirname(blob), { recursive: true }));
  if (!(await exists(blob))) {
    await withFileLock(`${blob}.lock`, access.signal, async () => {
      if (await exists(blob)) return; // another process was faster
      fromCache = false;
      await fetchBlob(access, facts, blob, path, options);
    });
  }
  await onDisk(`write ${pointer}`, async () => {
    if (!(await exists(pointer))) await linkTo(blob, pointer);
    if (!isCommit(revision)) await replaceFile(cache.ref(revision), facts.commit);
  });
  return { path: pointer, commit: facts.commit, fromCache };
}

async function fetchBlob(
  access: HubAccess,
  facts: FileFacts,
  blob: string,
  path: string,
  { retry = {}, onProgress }: DownloadOptions,
): Promise<void> {
  const incomplete = `${blob}.incomplete`;
  const report = (receivedBytes: number): void => onProgress?.({ path, receivedBytes, totalBytes: facts.size });
  const kept = await stat(incomplete)
    .then((status) => status.size)
    .catch(() => 0);
  await requireSpace(dirname(blob), facts.size - kept);
  let intact = await transfer(access, facts, incomplete, { retry, onReceived: report });
  if (!intact) {
    await rm(incomplete, { force: true });
    // What an earlier attempt left may have been at fault: once more from the start.
    if (kept > 0) intact = await transfer(access, facts, incomplete, { retry, onReceived: report });
  }
  if (!intact) {
    await rm(incomplete, { force: true });
    throw new GallopError(
      'checksum-mismatch',
      `Expected ${path} with checksum ${facts.etag}; other bytes arrived and were removed. Try again.`,
    );
  }
  await onDisk(`write ${blob}`, () => rename(incomplete, blob));
}

async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bytes <= bavail * bsize) return;
  throw new GallopError(
    'storage-failed',
    `Expected room for ${bytes} bytes in ${folder}; ${bavail * bsize} are free. Free some space, or set cacheFolder or HF_HUB_CACHE.`,
  );
}

/** Links the snapshot's entry to the blob under its final name at once. */
async function linkTo(blob: string, pointer: string): Promise<void> {
  await mkdir(dirname(pointer), { recursive: true });
  const aside = `${pointer}.${process.pid}.link`;
  await rm(aside, { force: true });
  try {
    await symlink(relative(dirname(pointer), blob), aside);
  } catch (error) {
    // Windows without the right to make links: the snapshot holds the file itself, as in Python.
    if (process.platform !== 'win32') throw error;
    await rename(blob, pointer);
    return;
  }
  await rename(aside, pointer);
}

async function replaceFile(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return;
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}.new`;
  await writeFile(aside, text);
  await rename(aside, path);
}
