/** Lists the files of a repository of the Hugging Face hub, through the official library. */
import { GallopError } from '@gallop/core';
import { repoId } from './cache-layout.ts';
import { type HubOptions, hubAccess } from './download.ts';
import { statusError } from './hub-errors.ts';

export interface HubEntry {
  readonly path: string;
  readonly sizeBytes: number;
}

/** All files of a repository, in the hub's order. @throws GallopError `not-found`, `download-failed`. */
export async function listHubFiles(repo: string, options: HubOptions = {}): Promise<HubEntry[]> {
  const { listFiles, HubApiError } = await import('@huggingface/hub');
  const { revision = 'main', signal } = options;
  const access = hubAccess(options);
  const entries: HubEntry[] = [];
  try {
    const listing = listFiles({
      repo: repoId(repo, options.repoType),
      revision,
      recursive: true,
      hubUrl: access.hubUrl,
      ...(access.accessToken !== undefined && { accessToken: access.accessToken }),
      fetch: (url, init) => access.fetch(url, { ...init, ...(signal && { signal }) }),
    });
    for await (const entry of listing) {
      if (entry.type === 'file') entries.push({ path: entry.path, sizeBytes: entry.size });
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if (GallopError.isInstance(cause)) throw cause;
    if (cause instanceof HubApiError) throw statusError(cause.statusCode, `${repo} at ${revision}`);
    throw new GallopError('download-failed', `Expected the files of ${repo}; ${(cause as Error).message}.`, { cause });
  }
  return entries;
}
