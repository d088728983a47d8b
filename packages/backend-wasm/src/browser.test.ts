/**
 * The backend in a real browser, bundled by Vite: on a page that may share memory and on one that may not. Needs
 * Chromium, as `chromium` on the path or where the environment variable CHROME_PATH says.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digest } from './testing/digest.ts';
import { createWasmBackend, wasmVariants } from './wasm-backend.ts';

const chromium = process.env.CHROME_PATH ?? 'chromium';
const found = spawnSync(chromium, ['--version'], { stdio: 'ignore' }).status === 0;

/** Opens the built page and waits for what it posts. */
function openPage(site: string, isolated: boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      if (request.method === 'POST') {
        let text = '';
        request.on('data', (part) => (text += part));
        request.on('end', () => finish(() => resolve(JSON.parse(text))));
        return;
      }
      const headers = isolated
        ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
        : {};
      if (request.url === '/') {
        response.writeHead(200, { 'Content-Type': 'text/html', ...headers });
        response.end('<!doctype html><script type="module" src="/page.js"></script>');
      } else if (request.url === '/page.js' || request.url?.startsWith('/assets/')) {
        const type = request.url.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
        response.writeHead(200, { 'Content-Type': type, ...headers });
        response.end(readFileSync(path.join(site, request.url)));
      } else response.writeHead(404).end();
    });
    const profile = mkdtempSync(path.join(tmpdir(), 'gallop-chromium-'));
    let browser: ReturnType<typeof spawn> | undefined;
    const timer = setTimeout(() => finish(() => reject(new Error('the page posted nothing'))), 40_000);
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
      browser?.once('exit', () => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
      browser?.kill();
      settle();
    };
    server.listen(0, '127.0.0.1', () => {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const options = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`];
      browser = spawn(chromium, [...options, address], { stdio: 'ignore' });
    });
  });
}

describe.skipIf(!found)(`in Chromium${found ? '' : ` (skipped: ${chromium} was not found; set CHROME_PATH)`}`, () => {
  const site = mkdtempSync(path.join(tmpdir(), 'gallop-page-'));
  let expected: number[];

  beforeAll(async () => {
    await build({
      configFile: false,
      logLevel: 'error',
      resolve: { conditions: ['@gallop/source', 'browser', 'default'] },
      build: {
        outDir: site,
        target: 'esnext',
        assetsInlineLimit: 0,
        rollupOptions: {
          input: fileURLToPath(new URL('./testing/browser-page.ts', import.meta.url)),
          output: { entryFileNames: 'page.js' },
        },
      },
    });
    const backend = await createWasmBackend({ variant: 'simd', threads: 1 });
    expected = await digest(backend);
    backend.dispose();
  });
  afterAll(() => rmSync(site, { recursive: true }));

  it.each([
    [true, 2],
    [false, 1],
  ])('cross-origin isolated: %s', async (isolated, most) => {
    const results = wasmVariants().flatMap((variant) => [1, most].map((threads) => [variant, threads, ...expected]));
    expect(await openPage(site, isolated)).toEqual(results);
  });
});
