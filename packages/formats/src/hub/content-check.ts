/**
 * Checks content against the etag under which the hub keeps it: a SHA-256 of the bytes for large files, git's SHA-1 of
 * "blob <size>\0" and the bytes for others. Any other etag says nothing about the content.
 */
import { createHash, type Hash } from 'node:crypto';

export interface ContentCheck {
  update(bytes: Uint8Array): void;
  /** Whether the bytes so far have the expected checksum; true where the etag is not one. Ends the check. */
  matches(): boolean;
}

/** Starts a check of content of the given size. */
export function contentCheck(etag: string, size: number): ContentCheck {
  const hash = startHash(etag, size);
  return {
    update: (bytes) => {
      hash?.update(bytes);
    },
    matches: () => hash === undefined || hash.digest('hex') === etag,
  };
}

function startHash(etag: string, size: number): Hash | undefined {
  if (/^[0-9a-f]{64}$/.test(etag)) return createHash('sha256');
  if (/^[0-9a-f]{40}$/.test(etag)) return createHash('sha1').update(`blob ${size}\0`);
  return undefined;
}
