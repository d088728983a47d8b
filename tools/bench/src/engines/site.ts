/**
 * The measuring page as a web site on this machine: bundled by Vite like a user's page, with the model file and the peer's
 * files beside it, with or without the headers that let a page share memory between threads.
 */

import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { Code } from '../harness/worker-process.ts';

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};
const PAGE = '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>';

export interface Site extends AsyncDisposable {
  /** Address of the page; `isolated`: cross-origin isolated. */
  page(isolated: boolean): string;
  /** Where the page fetches a model file. */
  modelUrl(file: string): string;
}

/** Bundles the page into a folder. */
const bundle = async (folder: string, code: Code): Promise<void> => {
  await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: [...(code === 'source' ? ['@gallop/source'] : []), 'browser', 'import', 'default'] },
    worker: { format: 'es' },
    build: {
      outDir: folder,
      target: 'esnext',
      assetsInlineLimit: 0,
      rollupOptions: {
        input: fileURLToPath(new URL('../pages/page.ts', import.meta.url)),
        output: { entryFileNames: 'page.js' },
      },
    },
  });
};

const send = (response: ServerResponse, file: string, headers: Readonly<Record<string, string>>): void => {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile() !== true) {
    response.writeHead(404).end();
    return;
  }
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
  response.writeHead(200, { ...headers, 'Content-Type': type, 'Content-Length': found.size });
  createReadStream(file).pipe(response);
};

/** Bundles the page and serves it on two ports of this machine, one of them isolated. */
export const openSite = async (peerFiles: string, code: Code): Promise<Site> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gallop-bench-site-'));
  await bundle(folder, code);
  const models = new Map<string, string>();
  const serve = async (headers: Readonly<Record<string, string>>): Promise<ReturnType<typeof createServer>> => {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://site').pathname;
      const model = models.get(url);
      if (url === '/') response.writeHead(200, { ...headers, 'Content-Type': 'text/html' }).end(PAGE);
      else if (model !== undefined) send(response, model, headers);
      else if (url.startsWith('/peer/')) send(response, path.join(peerFiles, url.slice('/peer/'.length)), headers);
      else send(response, path.join(folder, url), headers);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  };
  const servers = [await serve({}), await serve(ISOLATION)];
  return {
    page: (isolated) => `http://127.0.0.1:${(servers[isolated ? 1 : 0].address() as AddressInfo).port}/`,
    modelUrl: (file) => {
      const url = `/models/${path.basename(file)}`;
      models.set(url, file);
      return url;
    },
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
      rmSync(folder, { recursive: true });
    },
  };
};
