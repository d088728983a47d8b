/**
 * The engines in headless Chromium: our wasm backend and wllama, on a cross-origin isolated page with the best thread count
 * and on a plain page with one thread. Each measurement has a fresh browser.
 */

import path from 'node:path';
import { GallopError } from '@gallop/core';
import { chromium } from 'playwright-core';
import type { DecodeOptions } from '../commands/decode.ts';
import { findBrowser } from '../inputs/browser.ts';
import { findPeer } from '../inputs/peers.ts';
import type { PageRun, PageTask } from '../pages/protocol.ts';
import { atLeast } from '../report/goal.ts';
import type { Comparison } from './comparison.ts';
import type { Engine, EngineRun } from './engine.ts';
import { openSite, type Site } from './site.ts';

const LIMIT_MILLISECONDS = 900_000;

interface PageEngine {
  readonly engine: PageTask['engine'];
  readonly name: string;
  readonly isolated: boolean;
}

/** @throws GallopError `not-found` without the peer or a browser */
export const compareInBrowser = async ({ peers, threads, code }: DecodeOptions): Promise<Comparison> => {
  const peer = findPeer('@wllama/wllama', peers);
  const executable = findBrowser(process.env);
  const site = await openSite(path.join(peer.folder, 'esm'), code);
  const kinds = [true, false].flatMap((isolated): PageEngine[] => [
    { engine: 'gallop', name: `gallop wasm, ${conditionsOf(isolated)}`, isolated },
    { engine: 'wllama', name: `wllama ${peer.version}, ${conditionsOf(isolated)}`, isolated },
  ]);
  return {
    engines: kinds.map((kind) => pageEngine(kind, site, executable, threads)),
    goals: { browser: { decode: atLeast(5) } },
    readsMemory: false,
    tuning: { workShare: 0.25, runs: 1 },
    skipped: [],
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  };
};

const conditionsOf = (isolated: boolean): string => (isolated ? 'isolated page' : 'plain page');

const pageEngine = (
  { engine, name, isolated }: PageEngine,
  site: Site,
  executable: string,
  threads: readonly number[],
): Engine => ({
  name,
  role: {
    side: engine === 'gallop' ? 'ours' : 'peer',
    conditions: conditionsOf(isolated),
    label: conditionsOf(isolated),
    goals: 'browser',
  },
  start: { threads: isolated ? Math.max(...threads) : 1, ...(engine === 'wllama' && { flashAttention: true }) },
  axes: [
    { name: 'threads', values: isolated ? threads : [1] },
    ...(engine === 'wllama' ? [{ name: 'flashAttention', values: [true, false] }] : []),
  ],
  run: async ({ model, promptIds, promptText, newTokens }, settings): Promise<EngineRun> => {
    const { firstTokenAt, ...run } = await measureInPage(executable, site.page(isolated), {
      engine,
      modelUrl: site.modelUrl(model),
      promptIds,
      promptText,
      newTokens,
      threads: Number(settings.threads),
      flashAttention: settings.flashAttention === true,
    });
    return { ...run, startToFirstTokenMilliseconds: firstTokenAt };
  },
});

/** Opens a fresh browser at a page and lets it measure. @throws GallopError `invalid-state` when the page fails */
export const measureInPage = async (executable: string, page: string, task: PageTask): Promise<PageRun> => {
  const browser = await chromium.launch({ executablePath: executable, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const tab = await browser.newPage();
    tab.setDefaultTimeout(LIMIT_MILLISECONDS);
    await tab.goto(page);
    await tab.waitForFunction(() => window.measure !== undefined);
    const run = await tab.evaluate((given) => window.measure?.(given), task);
    if (run === undefined || run.threads !== task.threads) {
      throw new Error(`expected ${task.threads} threads; the page used ${run?.threads}`);
    }
    return run;
  } catch (error) {
    throw new GallopError('invalid-state', `The page with ${task.engine} failed: ${(error as Error).message}`);
  } finally {
    await browser.close();
  }
};
