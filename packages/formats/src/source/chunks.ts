/**
 * Files are written as a sequence of chunks, so that a model larger than memory can be converted tensor by tensor: the
 * encoders of this package are generators, and what receives the chunks (a file, a stream, a Blob) is the caller's choice.
 */
import { GallopError } from '@gallop/core';

/** Bytes to write: at once, or made piece by piece when their turn comes. */
export type TensorData = Uint8Array | (() => Iterable<Uint8Array> | AsyncIterable<Uint8Array>);

/** Gathers chunks into one array. */
export async function collectChunks(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    // A producer may use its buffer again.
    parts.push(chunk.slice());
    length += chunk.length;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Yields a tensor's bytes. @throws GallopError `invalid-argument` unless there are exactly `byteLength` of them. */
export async function* tensorChunks(name: string, data: TensorData, byteLength: number): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of data instanceof Uint8Array ? [data] : data()) {
    written += chunk.length;
    if (written > byteLength) break;
    yield chunk;
  }
  if (written !== byteLength) {
    throw new GallopError('invalid-argument', `Expected ${byteLength} bytes for tensor ${name}; received ${written}.`);
  }
}
