/**
 * What the hub says about a file: size, checksum and the commit that the revision stands at. The official library asks
 * and interprets; its `fetch` is wrapped because the hub's own headers come with the first response, before the redirect
 * to storage whose headers the library sees.
 */
import { GallopError } from '@gallop/core';
import type { FileDownloadInfoOutput } from '@huggingface/hub';
import type { RepoId } from './cache-layout.ts';
import { statusError } from './hub-errors.ts';

/** How to reach the hub. */
export interface HubAccess {
  readonly fetch: typeof fetch;
  readonly hubUrl: string;
  readonly accessToken: string | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface FileFacts {
  readonly commit: string;
  /** Identifies the content: a SHA-256 (large files) or git's SHA-1. */
  readonly etag: string;
  readonly size: number;
  /** Where to fetch the content, with ranges. */
  readonly url: string;
}

/** Thrown when no server could be reached, so that a cached copy may serve instead. */
export class HubUnreachable extends GallopError {}

const hubHeaders = ['x-repo-commit', 'x-linked-etag', 'x-linked-size', 'x-error-code'];
const MOST_REDIRECTS = 6;

/** Asks the hub about one file. @throws GallopError `not-found`, `download-failed`; HubUnreachable without network. */
export async function fileFacts(access: HubAccess, repo: RepoId, revision: string, path: string): Promise<FileFacts> {
  const { fileDownloadInfo, HubApiError } = await import('@huggingface/hub');
  const what = `${path} of ${repo.name} at ${revision}`;
  const seen = new Headers();
  let info: FileDownloadInfoOutput | null;
  try {
    info = await fileDownloadInfo({
      repo,
      path: encodePath(path),
      revision,
      hubUrl: access.hubUrl,
      ...(access.accessToken !== undefined && { accessToken: access.accessToken }),
      fetch: (url, init) => probe(access, String(url), init ?? {}, seen),
    });
  } catch (cause) {
    access.signal?.throwIfAborted();
    if (GallopError.isInstance(cause)) throw cause;
    if (cause instanceof HubApiError) throw statusError(cause.statusCode, what);
    throw new GallopError('download-failed', `Expected facts about ${what}; ${(cause as Error).message}.`, { cause });
  }
  if (info === null) throw statusError(404, what);
  return checkFacts(info, seen, what);
}

/** A path as part of a URL. */
function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function checkFacts(info: FileDownloadInfoOutput, seen: Headers, what: string): FileFacts {
  const etag = (seen.get('x-linked-etag') ?? info.etag).replace(/^W\//, '').replace(/^"|"$/g, '');
  const commit = seen.get('x-repo-commit') ?? '';
  const size = Number(seen.get('x-linked-size') ?? info.size);
  // These become parts of paths.
  if (
    !/^[0-9A-Za-z_-]{1,128}$/.test(etag) ||
    !/^[0-9a-f]{40}$/.test(commit) ||
    !Number.isSafeInteger(size) ||
    size < 0
  ) {
    throw new GallopError(
      'download-failed',
      `Expected commit, checksum and size of ${what}; received "${commit}", "${etag}", ${size}. Is this a Hugging Face hub?`,
    );
  }
  return { commit, etag, size, url: info.url };
}

/** Asks for one byte, following redirects here so that the hub's headers are kept; the byte itself is dropped. */
async function probe(access: HubAccess, url: string, init: RequestInit, seen: Headers): Promise<Response> {
  const headers = new Headers(init.headers);
  // Plain ranges can be resumed and checked; the chunked storage protocol is not asked for.
  headers.set('accept', '*/*');
  for (let hop = 0; hop < MOST_REDIRECTS; hop++) {
    const response = await reach(access, url, { ...init, headers, redirect: 'manual' });
    for (const name of hubHeaders) {
      const value = response.headers.get(name);
      if (value !== null && !seen.has(name)) seen.set(name, value);
    }
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return readable(response);
    await response.body?.cancel();
    const next = new URL(location, url);
    if (next.origin !== new URL(url).origin) headers.delete('authorization');
    url = next.href;
  }
  throw new GallopError('download-failed', `Expected an end of redirects; received ${MOST_REDIRECTS} from ${url}.`);
}

/** A request whose failure to connect is told apart from an answer. */
async function reach(access: HubAccess, url: string, init: RequestInit): Promise<Response> {
  try {
    return await access.fetch(url, { ...init, ...(access.signal && { signal: access.signal }) });
  } catch (cause) {
    access.signal?.throwIfAborted();
    throw new HubUnreachable('download-failed', `Expected an answer from ${new URL(url).origin}; none came.`, {
      cause,
    });
  }
}

/** The response as the library wants it: with the size in Content-Range, also for empty files and without ranges. */
async function readable(response: Response): Promise<Response> {
  const headers = new Headers(response.headers);
  const isEmpty = response.status === 416 && headers.get('content-range') === 'bytes */0';
  if (!response.ok && !isEmpty) return response;
  await response.body?.cancel();
  if (isEmpty) headers.set('content-range', 'bytes 0-0/0');
  else if (response.status === 200 && headers.has('content-length')) {
    headers.set('content-range', `bytes 0-0/${headers.get('content-length')}`);
  }
  return new Response(null, { status: 200, headers });
}
