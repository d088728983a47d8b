/**
 * A local server that behaves like the Hugging Face hub, for tests: `resolve` answers with the hub's headers and, for
 * large files, redirects to storage on another origin; storage serves ranges. Faults are queued and used up one by one.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the next storage request does instead of answering well. */
export type Fault =
  | { readonly kind: 'cut'; readonly afterBytes: number }
  | { readonly kind: 'short'; readonly bytes: number }
  | { readonly kind: 'stall'; readonly afterBytes: number }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'noRanges' };

interface StoredFile {
  readonly content: Uint8Array;
  readonly isLarge: boolean;
  /** What the hub claims, where it should lie. */
  readonly claimedEtag?: string;
  readonly claimedSize?: number;
}

export interface FakeHub {
  readonly url: string;
  readonly storageUrl: string;
  readonly commit: string;
  /** "METHOD path range" of every request; storage requests start with "storage". */
  readonly log: string[];
  /** Authorization headers that storage received. */
  readonly storageAuthorizations: string[];
  readonly faults: Fault[];
  /** Status that every hub request gets, when set. */
  refuse: number | undefined;
  /** Bytes per 10 ms that storage sends, when set. */
  slow: number | undefined;
  put(path: string, content: Uint8Array, file?: Partial<StoredFile>): string;
  close(): Promise<void>;
}

const repo = 'team/model';

/** Starts both servers. The repository is `team/model`, its only branch `main`. */
export async function startFakeHub(): Promise<FakeHub> {
  const files = new Map<string, StoredFile>();
  const hub = {
    commit: createHash('sha1').update('commit').digest('hex'),
    log: [] as string[],
    storageAuthorizations: [] as string[],
    faults: [] as Fault[],
    refuse: undefined as number | undefined,
    slow: undefined as number | undefined,
    url: '',
    storageUrl: '',
    put(path: string, content: Uint8Array, file: Partial<StoredFile> = {}): string {
      const stored = { isLarge: true, ...file, content };
      files.set(path, stored);
      return etagOf(stored);
    },
    async close() {
      for (const server of [main, storage]) server.closeAllConnections();
      await Promise.all([main, storage].map((server) => new Promise((done) => server.close(done))));
    },
  };
  const main = createServer((request, response) => {
    hub.log.push(describe(request));
    answerHub(hub, files, request, response);
  });
  const storage = createServer((request, response) => {
    hub.log.push(`storage ${describe(request)}`);
    if (request.headers.authorization !== undefined) hub.storageAuthorizations.push(request.headers.authorization);
    const file = [...files.values()].find((candidate) => request.url === storagePath(candidate));
    if (file === undefined) response.writeHead(404).end();
    else serve(hub, file, request, response);
  });
  hub.url = await listen(main);
  hub.storageUrl = await listen(storage);
  return hub;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const describe = (request: IncomingMessage): string =>
  `${request.method} ${request.url} ${request.headers.range ?? ''}`.trim();

function etagOf(file: StoredFile): string {
  if (file.claimedEtag !== undefined) return file.claimedEtag;
  if (file.isLarge) return createHash('sha256').update(file.content).digest('hex');
  return createHash('sha1').update(`blob ${file.content.length}\0`).update(file.content).digest('hex');
}

const storagePath = (file: StoredFile): string => `/${encodeURIComponent(etagOf(file))}`;

function answerHub(
  hub: FakeHub,
  files: ReadonlyMap<string, StoredFile>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (hub.refuse !== undefined) {
    response.writeHead(hub.refuse, { 'content-type': 'application/json' }).end('{"error":"refused"}');
    return;
  }
  const url = new URL(request.url ?? '', hub.url);
  if (url.pathname === `/api/models/${repo}/tree/main`) {
    const entries = [...files].map(([path, file]) => ({
      type: 'file',
      path,
      size: file.content.length,
      oid: etagOf(file),
    }));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(entries));
    return;
  }
  const match = new RegExp(`^/${repo}/resolve/(main|${hub.commit})/(.+)$`).exec(url.pathname);
  const file = match === null ? undefined : files.get(decodeURIComponent(match[2]));
  if (file === undefined) {
    response.writeHead(404, { 'x-error-code': match === null ? 'RepoNotFound' : 'EntryNotFound' }).end('not found');
    return;
  }
  response.setHeader('x-repo-commit', hub.commit);
  if (file.isLarge) {
    response.setHeader('x-linked-etag', `"${etagOf(file)}"`);
    response.setHeader('x-linked-size', String(file.claimedSize ?? file.content.length));
    response.writeHead(302, { location: `${hub.storageUrl}${storagePath(file)}` }).end();
  } else serve(hub, file, request, response);
}

function serve(hub: FakeHub, file: StoredFile, request: IncomingMessage, response: ServerResponse): void {
  const isProbe = request.headers.range === 'bytes=0-0';
  const fault = isProbe ? undefined : hub.faults.shift();
  if (fault?.kind === 'status') {
    response.writeHead(fault.status).end();
    return;
  }
  const total = file.claimedSize ?? file.content.length;
  const range = fault?.kind === 'noRanges' ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const from = range === null ? 0 : Number(range[1]);
  const to = range === null || range[2] === '' ? total : Math.min(total, Number(range[2]) + 1);
  response.setHeader('etag', file.isLarge ? '"storage-etag"' : `"${etagOf(file)}"`);
  if (range !== null && from >= total) {
    response.writeHead(416, { 'content-range': `bytes */${total}` }).end();
    return;
  }
  const length = fault?.kind === 'short' ? Math.min(fault.bytes, to - from) : to - from;
  const headers = { 'content-length': length, ...(range && { 'content-range': `bytes ${from}-${to - 1}/${total}` }) };
  response.writeHead(range === null ? 200 : 206, headers);
  send(hub, file.content.subarray(from, from + length), fault, response);
}

function send(hub: FakeHub, body: Uint8Array, fault: Fault | undefined, response: ServerResponse): void {
  if (fault?.kind === 'cut') {
    response.write(body.subarray(0, fault.afterBytes), () => setTimeout(() => response.destroy(), 20));
  } else if (fault?.kind === 'stall') response.write(body.subarray(0, fault.afterBytes));
  else if (hub.slow === undefined) response.end(body);
  else drip(body, hub.slow, response);
}

function drip(body: Uint8Array, bytes: number, response: ServerResponse): void {
  if (response.destroyed) return;
  if (body.length <= bytes) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, bytes));
  setTimeout(() => drip(body.subarray(bytes), bytes, response), 10);
}
