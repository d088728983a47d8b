/**
 * Where files of the Hugging Face hub lie on disk. The layout is the one that Python's huggingface_hub uses, so downloads
 * are shared with it:
 *
 *     models--org--name/blobs/<etag>                       contents
 *     models--org--name/refs/<revision>                    commit that a branch or tag stood at
 *     models--org--name/snapshots/<commit>/<path>          links to blobs
 *
 * Names that come from a server or a user are checked before they become part of a path.
 */
import { join } from 'node:path';
import { GallopError } from '@gallop/core';

export type RepoType = 'model' | 'dataset' | 'space';

/** A repository of the hub. */
export interface RepoId {
  readonly type: RepoType;
  /** `name` or `organisation/name`. */
  readonly name: string;
}

/** Paths of one repository in a cache folder. */
export interface RepoCache {
  readonly folder: string;
  blob(etag: string): string;
  ref(revision: string): string;
  snapshot(commit: string, path: string): string;
}

/** Checks a repository's name. @throws GallopError `invalid-argument`. */
export function repoId(name: string, type: RepoType = 'model'): RepoId {
  const parts = name.split('/');
  if (parts.length > 2 || !parts.every((part) => /^[\w.-]{1,96}$/.test(part) && !/^\.+$/.test(part))) {
    throw new GallopError('invalid-argument', `Expected a repository as "organisation/name"; received "${name}".`);
  }
  return { type, name };
}

/** The paths of a repository under a cache folder. */
export function repoCache(cacheFolder: string, repo: RepoId): RepoCache {
  const folder = join(cacheFolder, [`${repo.type}s`, ...repo.name.split('/')].join('--'));
  return {
    folder,
    blob: (etag) => join(folder, 'blobs', etag),
    ref: (revision) => join(folder, 'refs', ...safePath(revision, 'revision')),
    snapshot: (commit, path) => join(folder, 'snapshots', commit, ...safePath(path, 'path within a repository')),
  };
}

/** The segments of a relative path that stays below its folder. @throws GallopError `invalid-argument`. */
export function safePath(path: string, what: string): string[] {
  const segments = path.split('/');
  const safe = segments.every(
    (segment) => segment !== '' && segment !== '.' && segment !== '..' && !/[\\:\0]/.test(segment),
  );
  if (safe) return segments;
  throw new GallopError('invalid-argument', `Expected a plain ${what}; received ${JSON.stringify(path)}.`);
}

/** Whether a revision is a full commit hash, whose files never change. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}
