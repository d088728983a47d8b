/**
 * A ByteSource over a file in Node. Reads go straight from the file into the caller's memory (a backend's weights, for
 * instance, shared or not), at once through `readSync` or in Node's thread pool through `read`.
 */
import { closeSync, fstatSync, openSync, read as readCallback, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { GallopError } from '@gallop/core';
import { type ByteSource, requireRange, shortRead } from './byte-source.ts';

const readAsync = promisify(readCallback);
/** Node refuses single reads of 2 GiB and more. */
const LARGEST_READ = 1 << 30;

/** A source over a file, which always has the synchronous path. */
export interface FileSource extends ByteSource {
  readSync(offset: number, into: Uint8Array): void;
}

/**
 * Opens a regular file for reading.
 * @throws GallopError `not-found`, or `invalid-argument` for a directory or another thing that is not a plain file.
 */
export function openFile(path: string): FileSource {
  let descriptor: number | undefined = openDescriptor(path);
  const status = fstatSync(descriptor);
  if (!status.isFile()) {
    closeSync(descriptor);
    const found = status.isDirectory() ? 'a directory' : 'something else';
    throw new GallopError('invalid-argument', `Expected a file at ${path}; found ${found}. Name the file itself.`);
  }
  const opened = (): number => {
    if (descriptor !== undefined) return descriptor;
    throw new GallopError('invalid-state', `Expected an open file; ${path} was closed. Open it again.`);
  };
  const source: FileSource = {
    name: path,
    size: status.size,
    async read(offset, length, into) {
      requireRange(source, offset, length, into);
      const target = into === undefined ? new Uint8Array(length) : into.subarray(0, length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await readAsync(
          opened(),
          target,
          done,
          Math.min(length - done, LARGEST_READ),
          offset + done,
        );
        if (bytesRead === 0) throw shortRead(source, offset, length, done);
        done += bytesRead;
      }
      return target;
    },
    readSync(offset, into) {
      requireRange(source, offset, into.length);
      for (let done = 0; done < into.length; ) {
        const count = readSync(opened(), into, done, Math.min(into.length - done, LARGEST_READ), offset + done);
        if (count === 0) throw shortRead(source, offset, into.length, done);
        done += count;
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
  return source;
}

function openDescriptor(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new GallopError('not-found', `Expected a file at ${path}; there is none. Check the path.`, { cause });
    }
    throw new GallopError('invalid-argument', `Expected a readable file at ${path}; opening it failed (${code}).`, {
      cause,
    });
  }
}
