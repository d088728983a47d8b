/**
 * Brings the content of a URL into a partial file, going on where an earlier attempt stopped: bytes already there are
 * hashed, the rest is asked for by range. Broken connections are retried with growing pauses; what arrived is kept.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { GallopError } from '@gallop/core';
import { type ContentCheck, contentCheck } from './content-check.ts';
import type { FileFacts, HubAccess } from './file-facts.ts';
import { onDisk, statusError } from './hub-errors.ts';

export interface RetryPolicy {
  /** Attempts in a row that may bring nothing new. Default 5. */
  readonly attempts?: number;
  /** Pause before the second attempt; doubles each time. Default 500. */
  readonly pauseMilliseconds?: number;
  /** Silence after which a connection counts as broken. Default 30000. */
  readonly idleMilliseconds?: number;
}

export interface TransferOptions {
  readonly retry: RetryPolicy;
  readonly onReceived: (bytes: number) => void;
}

/** An attempt that ended early and may be repeated. */
class BrokenTransfer extends Error {}

/**
 * Completes the partial file at `path`.
 * @returns whether the content has its checksum.
 * @throws GallopError `download-failed`, `not-found`, `storage-failed`; the signal's reason when aborted.
 */
export async function transfer(
  access: HubAccess,
  facts: FileFacts,
  path: string,
  options: TransferOptions,
): Promise<boolean> {
  const file = await onDisk(`write ${path}`, () => open(path, 'a+'));
  try {
    const partial = await PartialFile.resume(file, path, facts);
    options.onReceived(partial.received);
    await completeFile(access, facts, partial, options);
    await onDisk(`write ${path}`, () => file.sync());
    return partial.check.matches();
  } finally {
    await file.close();
  }
}

/** The bytes on disk together with their running checksum. */
class PartialFile {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #facts: FileFacts;
  check: ContentCheck;
  received = 0;

  private constructor(file: FileHandle, path: string, facts: FileFacts) {
    this.#file = file;
    this.#path = path;
    this.#facts = facts;
    this.check = contentCheck(facts.etag, facts.size);
  }

  static async resume(file: FileHandle, path: string, facts: FileFacts): Promise<PartialFile> {
    const partial = new PartialFile(file, path, facts);
    const { size } = await file.stat();
    if (size > facts.size) await partial.restart();
    else await partial.#readBack(size);
    return partial;
  }

  async #readBack(size: number): Promise<void> {
    const buffer = new Uint8Array(1 << 20);
    while (this.received < size) {
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, this.received);
      if (bytesRead === 0) break;
      this.check.update(buffer.subarray(0, bytesRead));
      this.received += bytesRead;
    }
  }

  async append(chunk: Uint8Array): Promise<void> {
    if (this.received + chunk.length > this.#facts.size) {
      throw new GallopError(
        'download-failed',
        `Expected ${this.#facts.size} bytes of ${this.#facts.url}; more arrived. The server's file differs from its description.`,
      );
    }
    await onDisk(`write ${this.#path}`, async () => {
      for (let done = 0; done < chunk.length; ) {
        done += (await this.#file.write(chunk, done, chunk.length - done)).bytesWritten;
      }
    });
    this.check.update(chunk);
    this.received += chunk.length;
  }

  async restart(): Promise<void> {
    await onDisk(`write ${this.#path}`, () => this.#file.truncate(0));
    this.check = contentCheck(this.#facts.etag, this.#facts.size);
    this.received = 0;
  }
}

async function completeFile(
  access: HubAccess,
  facts: FileFacts,
  partial: PartialFile,
  { retry, onReceived }: TransferOptions,
): Promise<void> {
  const { attempts = 5, pauseMilliseconds = 500, idleMilliseconds = 30_000 } = retry;
  for (let failures = 0; partial.received < facts.size; ) {
    const before = partial.received;
    try {
      await attempt(access, facts, partial, idleMilliseconds, onReceived);
    } catch (error) {
      access.signal?.throwIfAborted();
      if (!(error instanceof BrokenTransfer)) throw error;
      failures = partial.received > before ? 1 : failures + 1;
      if (failures >= attempts) {
        throw new GallopError(
          'download-failed',
          `Expected ${facts.size} bytes of ${facts.url}; the connection broke after ${partial.received} (${error.message}). Try again: the download goes on from there.`,
          { cause: error },
        );
      }
      await delay(pauseMilliseconds * 2 ** (failures - 1), undefined, access.signal && { signal: access.signal });
    }
  }
}

async function attempt(
  access: HubAccess,
  facts: FileFacts,
  partial: PartialFile,
  idleMilliseconds: number,
  onReceived: (bytes: number) => void,
): Promise<void> {
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(new Error(`no data for ${idleMilliseconds} ms`)), idleMilliseconds);
  const signal = access.signal === undefined ? idle.signal : AbortSignal.any([access.signal, idle.signal]);
  try {
    const response = await request(access, facts, partial.received, signal);
    if (!(await accept(response, facts, partial))) throw new BrokenTransfer(`status ${response.status}`);
    for await (const chunk of chunksOf(response)) {
      await partial.append(chunk);
      onReceived(partial.received);
      timer.refresh();
    }
  } catch (error) {
    if (idle.signal.aborted) throw new BrokenTransfer(String(idle.signal.reason), { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    idle.abort();
  }
  if (partial.received < facts.size) throw new BrokenTransfer('the body ended early');
}

async function request(access: HubAccess, facts: FileFacts, from: number, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (access.accessToken !== undefined) headers.authorization = `Bearer ${access.accessToken}`;
  if (from > 0) headers.range = `bytes=${from}-`;
  try {
    return await access.fetch(facts.url, { headers, signal });
  } catch (cause) {
    throw new BrokenTransfer((cause as Error).message, { cause });
  }
}

/** Whether the body continues the partial file; where the server starts over, the file does too. */
async function accept(response: Response, facts: FileFacts, partial: PartialFile): Promise<boolean> {
  const { status } = response;
  if (status === 206) {
    const range = response.headers.get('content-range');
    if (range?.startsWith(`bytes ${partial.received}-`)) return true;
  } else if (status === 200) {
    if (partial.received > 0) await partial.restart();
    return true;
  }
  await response.body?.cancel();
  // 416: the server's file is shorter than the partial one.
  if (status === 416 || status === 206) await partial.restart();
  else if (status !== 408 && status !== 429 && status < 500) throw statusError(status, facts.url);
  return false;
}

async function* chunksOf(response: Response): AsyncIterable<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  for (;;) {
    let result: Awaited<ReturnType<typeof reader.read>>;
    try {
      result = await reader.read();
    } catch (cause) {
      throw new BrokenTransfer((cause as Error).message, { cause });
    }
    if (result.done) return;
    yield result.value;
  }
}
