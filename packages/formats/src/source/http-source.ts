/**
 * A ByteSource over HTTP range requests: one small request learns the size, then each read fetches its own range and
 * nothing else. A strong ETag travels back as `If-Range`, so a file that is replaced on the server while it is being
 * read gives an error instead of a mixture of two files.
 */
import { GallopError } from '@gallop/core';
import { type ByteSource, requireRange, shortRead } from './byte-source.ts';

export interface HttpSourceOptions {
  /** Replaces the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Sent with every request, for instance an authorisation. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Cancels the requests under way and those to come. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a file on a server that answers range requests.
 * @throws GallopError `not-found` (404), `unsupported` (no ranges), `download-failed` (anything else).
 */
export async function openHttp(url: string | URL, options: HttpSourceOptions = {}): Promise<ByteSource> {
  const name = String(url);
  const request = options.fetch ?? fetch;
  const ask = async (first: number, last: number, validator?: string): Promise<Response> => {
    const headers: Record<string, string> = { ...options.headers, range: `bytes=${first}-${last}` };
    if (validator !== undefined) headers['if-range'] = validator;
    let response: Response;
    try {
      response = await request(name, { headers, ...(options.signal && { signal: options.signal }) });
    } catch (cause) {
      options.signal?.throwIfAborted();
      throw new GallopError('download-failed', `Expected an answer from ${name}; the request failed. Try again.`, {
        cause,
      });
    }
    if (response.status === 206) return response;
    await response.body?.cancel();
    throw statusError(name, response.status, validator !== undefined);
  };

  const first = await ask(0, 0);
  const size = Number(/^bytes 0-0\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
  await first.body?.cancel();
  if (!Number.isSafeInteger(size)) {
    throw new GallopError(
      'unsupported',
      `Expected a Content-Range with the size of ${name}; received ${first.headers.get('content-range')}. Download the file instead.`,
    );
  }
  const etag = first.headers.get('etag');
  const validator = etag?.startsWith('"') ? etag : undefined;

  let open = true;
  const source: ByteSource = {
    name,
    size,
    async read(offset, length, into) {
      requireRange(source, offset, length, into);
      if (!open) throw new GallopError('invalid-state', `Expected an open source; ${name} was closed. Open it again.`);
      const target = into === undefined ? new Uint8Array(length) : into.subarray(0, length);
      if (length === 0) return target;
      const response = await ask(offset, offset + length - 1, validator);
      const received = await fill(target, response, options.signal);
      if (received !== length) throw shortRead(source, offset, length, received);
      return target;
    },
    close() {
      open = false;
    },
  };
  return source;
}

/** Copies a body into the target; returns the number of bytes received, at most one chunk more than there is room. */
async function fill(target: Uint8Array, response: Response, signal: AbortSignal | undefined): Promise<number> {
  let received = 0;
  try {
    for await (const chunk of response.body ?? []) {
      if (received + chunk.length > target.length) return received + chunk.length;
      target.set(chunk, received);
      received += chunk.length;
    }
  } catch {
    signal?.throwIfAborted();
  }
  return received;
}

function statusError(name: string, status: number, changed: boolean): GallopError {
  if (status === 404) return new GallopError('not-found', `Expected a file at ${name}; the server has none (404).`);
  if (status === 200 && changed) {
    return new GallopError('invalid-file', `Expected ${name} to stay the same; it was replaced. Open it again.`);
  }
  if (status === 200) {
    return new GallopError(
      'unsupported',
      `Expected a server that answers range requests; ${name} sends whole files only. Download the file instead.`,
    );
  }
  return new GallopError('download-failed', `Expected a part of ${name}; the server answered ${status}.`);
}
