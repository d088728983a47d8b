/** Writes a file in Node so that it appears complete or not at all, whatever happens on the way. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { GallopError } from '@gallop/core';

/**
 * Writes chunks to a file beside the target, then gives it the target's name, replacing what was there.
 * @throws GallopError `storage-failed` when the disk refuses; whatever the chunks' producer throws.
 */
export async function writeChunks(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const aside = `${path}.${process.pid}.part`;
  const file = await onDisk(path, () => open(aside, 'w'));
  try {
    for await (const chunk of chunks) await onDisk(path, () => writeAll(file, chunk));
    await onDisk(path, () => file.sync());
    await file.close();
    await onDisk(path, () => rename(aside, path));
  } catch (error) {
    await file.close().catch(() => {});
    await rm(aside, { force: true });
    throw error;
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    done += (await file.write(chunk, done, chunk.length - done)).bytesWritten;
  }
}

async function onDisk<Result>(path: string, operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new GallopError(
      'storage-failed',
      `Expected to write ${path}; the system answered ${code}. Check the folder and the space left in it.`,
      { cause },
    );
  }
}
