/** The program as a user runs it: a child process, its two streams and its exit status. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { collectChunks, encodeGguf } from '@gallop/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byteModelParts } from './testing/byte-model.ts';

const entry = path.join(import.meta.dirname, 'main.ts');
const folder = mkdtempSync(path.join(tmpdir(), 'gallop-bench-'));
const model = path.join(folder, 'tiny.gguf');
beforeAll(async () => writeFileSync(model, await collectChunks(encodeGguf(byteModelParts(['Ġth', 'ing'])))));
afterAll(() => rmSync(folder, { recursive: true }));

const bench = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, ['--conditions=@gallop/source', entry, ...args], {
    encoding: 'utf8',
    env: { ...process.env, GALLOP_MODELS: folder, GALLOP_BENCH_PEERS: folder },
  });

describe('a wrong command line', () => {
  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown benchmark', ['fly'], /unknown command 'fly'/],
    ['an unknown library', ['decode', '--against', 'ollama'], /Allowed choices are node-llama-cpp, wllama/],
    ['no rounds', ['decode', '--rounds', '0'], /Expected a whole number from 1/],
    ['too few new tokens', ['decode', '--new-tokens', '1'], /Expected a whole number from 2/],
    ['words for rows', ['verify', '--rows', '1,many'], /Expected a whole number from 1/],
  ];
  it.each(wrong)('%s: status 2 and an explanation', (_, args, message) => {
    const { status, stdout, stderr } = bench(...args);
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([2, '']);
  });
});

describe('what is missing', () => {
  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['a model', ['decode', '--model', 'none.gguf'], /^bench: not-found: Expected a model file; received none\.gguf/],
    ['the real models', ['verify'], /^bench: not-found: .*npm run models:fetch/],
    ['node-llama-cpp', ['decode', '--model', model, '--against', 'node-llama-cpp'], /^bench: not-found: .*npm install/],
    ['wllama', ['decode', '--model', model, '--against', 'wllama'], /^bench: not-found: .*@wllama\/wllama@3\.8\.1/],
    ['a variant', ['verify', '--model', model, '--variant', 'mmx'], /^bench: invalid-argument: .*received mmx/],
    ['context', ['decode', '--model', model, '--prompt-tokens', '500'], /^bench: context-overflow: .*500 \+ 128/],
  ];
  it.each(wrong)('%s: status 1 and one line', (_, args, message) => {
    const { status, stdout, stderr } = bench(...args, '--source');
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([1, '']);
  });
});

interface Figures {
  readonly benchmarks: readonly {
    readonly results: readonly {
      readonly engines: readonly { readonly name: string; readonly runs: readonly Record<string, unknown>[] }[];
      readonly passes: readonly { readonly rows: number; readonly minimum: number; readonly count: number }[];
      readonly variant: string;
    }[];
  }[];
}

describe('a tiny model, without other libraries', () => {
  const json = path.join(folder, 'figures.json');
  const figures = (): Figures['benchmarks'][number] =>
    (JSON.parse(readFileSync(json, 'utf8')) as Figures).benchmarks[0];

  it('is decoded by every backend alike', () => {
    const work = ['--prompt-tokens', '8', '--new-tokens', '6', '--rounds', '1', '--threads', '1'];
    const { status, stdout, stderr } = bench('decode', '--model', model, ...work, '--source', '--json', json);
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/decode, tokens\/s +\d/);
    expect(stdout).toMatch(/where the time to the first token goes/);
    const [{ engines }] = figures().results;
    const tokens = new Set(engines.flatMap(({ runs }) => runs.map((run) => String(run.tokens))));
    expect(tokens.size).toBe(1);
    for (const { runs } of engines) {
      expect(runs).toHaveLength(1);
      for (const run of runs) {
        expect(run.decodeTokensPerSecond).toBeGreaterThan(0);
        expect(run.peakMemoryBytes).toBeGreaterThan(1e7);
        expect(run.startToFirstTokenMilliseconds).toBeGreaterThan(20);
      }
    }
  });

  it('is measured pass by pass, and the document gets the table', () => {
    const document = path.join(folder, 'doc.md');
    writeFileSync(document, 'before\n<!-- bench:verify -->\n<!-- /bench:verify -->\nafter\n');
    const work = ['--rows', '1,3', '--contexts', '5', '--rounds', '4', '--variant', 'relaxed', '--threads', '1'];
    const chart = path.join(folder, 'chart.svg');
    const output = ['--json', json, '--update', document, '--chart', chart, '--markdown'];
    const { status, stdout, stderr } = bench('verify', '--model', model, ...work, '--source', ...output);
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/\| wasm relaxed \| [\d.]+ \| [\d.]+ \|/);
    expect(figures().results).toMatchObject([
      {
        variant: 'relaxed',
        passes: [
          { rows: 1, count: 4 },
          { rows: 3, count: 4 },
        ],
      },
    ]);
    expect(readFileSync(document, 'utf8')).toMatch(/^before\n<!-- bench:verify -->\n\nMeasured [\s\S]*after\n$/);
    expect(readFileSync(chart, 'utf8')).toContain('<svg');
  });
});
