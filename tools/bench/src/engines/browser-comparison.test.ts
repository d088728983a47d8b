/** Our half of the browser benchmark: the page is bundled, served and measured; wllama needs a network and is not tried. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { collectChunks, encodeGguf } from '@gallop/formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBrowser } from '../inputs/browser.ts';
import type { PageTask } from '../pages/protocol.ts';
import { byteModelParts } from '../testing/byte-model.ts';
import { measureInPage } from './browser-comparison.ts';
import { openSite, type Site } from './site.ts';

const browser = ((): string | undefined => {
  try {
    return findBrowser(process.env);
  } catch {
    return undefined;
  }
})();

describe.skipIf(browser === undefined)('in a browser (skipped when none is found; set CHROME_PATH)', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gallop-bench-browser-'));
  const model = path.join(folder, 'tiny.gguf');
  let site: Site;
  beforeAll(async () => {
    writeFileSync(model, await collectChunks(encodeGguf(byteModelParts())));
    site = await openSite(folder, 'source');
  });
  afterAll(async () => {
    await site[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const measure = (isolated: boolean, task: Partial<PageTask>): ReturnType<typeof measureInPage> =>
    measureInPage(browser ?? '', site.page(isolated), {
      engine: 'gallop',
      modelUrl: site.modelUrl(model),
      promptIds: [65, 66, 67],
      promptText: 'abc',
      newTokens: 5,
      threads: 1,
      flashAttention: false,
      ...task,
    });

  test('an isolated page computes with threads, a plain one alone; both write the same', async () => {
    const [isolated, plain] = [await measure(true, { threads: 2 }), await measure(false, {})];
    expect([isolated.threads, plain.threads]).toEqual([2, 1]);
    expect(isolated.tokens).toHaveLength(5);
    expect(plain.tokens).toEqual(isolated.tokens);
    for (const run of [isolated, plain]) {
      expect(run.firstTokenAt).toBeGreaterThan(0);
      expect(run.decodeTokensPerSecond).toBeGreaterThan(0);
    }
  });

  test('what goes wrong in the page is told', async () => {
    await expect(measure(false, { modelUrl: '/nothing' })).rejects.toThrow(
      /The page with gallop failed: .*GallopError/,
    );
    await expect(measure(false, { threads: 2 })).rejects.toThrow(/expected 2 threads; the page used 1/);
    await expect(measure(false, { engine: 'wllama' })).rejects.toThrow(/The page with wllama failed/);
  });
});
