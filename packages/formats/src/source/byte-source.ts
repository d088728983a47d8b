/**
 * Random access to the bytes of a file, wherever it lies. Readers of this package ask a source for exactly the ranges
 * they need, so a model of many gigabytes never passes through the JavaScript heap as a whole. Sources exist for bytes
 * in memory and Blobs (here), HTTP ranges (`http-source.ts`) and files in Node (`file-source.ts`).
 */
import { GallopError, requireArgument } from '@gallop/core';

/** Read access to a fixed sequence of bytes. */
export interface ByteSource {
  /** What to call the source in error messages: a path, a URL, "memory". */
  readonly name: string;
  /** Number of bytes. */
  readonly size: number;
  /**
   * Reads `length` bytes starting at `offset`. With `into`, fills its first `length` bytes and returns that part of it;
   * without, returns bytes that the caller must not change (a memory source answers with a view of itself).
   * @throws GallopError `invalid-argument` for a range outside the source, `invalid-file` when the bytes cannot be had.
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  /** The same without waiting, where the source can: fills the whole of `into` from `offset` on. */
  readSync?(offset: number, into: Uint8Array): void;
  /** Gives back what the source holds open; reading afterwards is an error. */
  close(): void;
}

/** Throws `invalid-argument` unless the range lies inside the source and `into` has room for it. */
export function requireRange(source: ByteSource, offset: number, length: number, into?: Uint8Array): void {
  requireArgument(
    Number.isSafeInteger(offset) &&
      Number.isSafeInteger(length) &&
      offset >= 0 &&
      length >= 0 &&
      offset + length <= source.size,
    () => `Expected a range within the ${source.size} bytes of ${source.name}; received ${length} bytes at ${offset}.`,
  );
  requireArgument(
    into === undefined || into.length >= length,
    () => `Expected room for ${length} bytes; received an array of ${into!.length}; pass a longer one.`,
  );
}

/** A source over bytes that are in memory already; reading copies nothing unless `into` is given. */
export function memorySource(bytes: Uint8Array, name = 'memory'): ByteSource {
  const source: ByteSource = {
    name,
    size: bytes.length,
    async read(offset, length, into) {
      requireRange(source, offset, length, into);
      const part = bytes.subarray(offset, offset + length);
      if (into === undefined) return part;
      into.set(part);
      return into.subarray(0, length);
    },
    readSync(offset, into) {
      requireRange(source, offset, into.length);
      into.set(bytes.subarray(offset, offset + into.length));
    },
    close() {},
  };
  return source;
}

/** A source over a Blob or File (a file input, a response, `fs.openAsBlob`); each read slices the blob. */
export function blobSource(blob: Blob, name = 'blob'): ByteSource {
  const source: ByteSource = {
    name,
    size: blob.size,
    async read(offset, length, into) {
      requireRange(source, offset, length, into);
      let bytes: Uint8Array;
      try {
        bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        throw new GallopError('invalid-file', `Expected to read ${name}; the blob could not be read. Open it again.`, {
          cause,
        });
      }
      if (bytes.length !== length) throw shortRead(source, offset, length, bytes.length);
      if (into === undefined) return bytes;
      into.set(bytes);
      return into.subarray(0, length);
    },
    close() {},
  };
  return source;
}

/** The error for a source that gave fewer bytes than it holds by its own account. */
export function shortRead(source: ByteSource, offset: number, expected: number, received: number): GallopError {
  return new GallopError(
    'invalid-file',
    `Expected ${expected} bytes at ${offset} of ${source.name}; received ${received}. The file was cut or replaced while it was read; open it again.`,
  );
}
