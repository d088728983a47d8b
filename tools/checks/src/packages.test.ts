/** The package check's judgements on small packages made by the test; nothing is downloaded. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildPage, compileTypes, entriesOf, importInNode, startPrograms } from './consumer.ts';
import { judgeContents, judgeTarball, packPackage, type Tarball } from './tarball.ts';
import type { Manifest } from './workspace.ts';

const repository = path.resolve(import.meta.dirname, '../../..');
let folder: string;

const manifest = (exports: Record<string, unknown>): Manifest =>
  ({
    ...{ name: '@gallop/sample', version: '1.0.0', type: 'module', license: 'Apache-2.0', sideEffects: false },
    ...{ engines: { node: '>=20' }, files: ['dist'], exports, devDependencies: { tool: '1' } },
  }) as Manifest;

const mainEntry = {
  '.': { '@gallop/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
};

/** Writes a package into `target` and returns it as a workspace package. */
const writePackage = (
  target: string,
  code: string,
  found: Manifest,
): { path: string; folder: string; manifest: Manifest } => {
  mkdirSync(path.join(target, 'dist'), { recursive: true });
  writeFileSync(path.join(target, 'package.json'), JSON.stringify(found));
  writeFileSync(path.join(target, 'README.md'), '# sample\n');
  writeFileSync(path.join(target, 'LICENSE'), 'free\n');
  writeFileSync(path.join(target, 'dist', 'index.js'), code);
  writeFileSync(path.join(target, 'dist', 'index.d.ts'), 'export declare const value: number;\n');
  return { path: 'packages/sample', folder: target, manifest: found };
};

/** A stand-in for what npm installs: the package unpacked below node_modules of the consumer. */
const install = (code: string, exports: Record<string, unknown> = mainEntry): Tarball => {
  const found = manifest(exports);
  writePackage(path.join(folder, 'node_modules', '@gallop', 'sample'), code, found);
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'consumer', type: 'module' }));
  return { file: '', manifest: found, files: [], readme: '' };
};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gallop-package-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a sound package packs without complaints', async () => {
  const tarball = packPackage(
    writePackage(path.join(folder, 'sample'), 'export const value = 1;\n', manifest({ '.': './dist/index.js' })),
    folder,
  );
  expect(tarball.files.toSorted()).toEqual([
    'LICENSE',
    'README.md',
    'dist/index.d.ts',
    'dist/index.js',
    'package.json',
  ]);
  expect(await judgeTarball(tarball)).toEqual([]);
});

test('an entry whose file is not published is found by publint', async () => {
  const tarball = packPackage(
    writePackage(path.join(folder, 'sample'), '', manifest({ '.': './dist/absent.js' })),
    folder,
  );
  expect((await judgeTarball(tarball)).join()).toMatch(/@gallop\/sample publint: .*absent\.js/);
});

test('contents: tests, build information, the source condition and missing documents are found', () => {
  const files = ['dist/index.js', 'dist/index.test.d.ts', 'dist/x.tsbuildinfo', 'LICENSE'];
  const found = judgeContents({ manifest: { ...manifest(mainEntry), dependencies: { a: 'workspace:^' } }, files });
  expect(found.map((problem) => problem.split(';')[0])).toEqual([
    'publishes dist/index.test.d.ts',
    'publishes dist/x.tsbuildinfo',
    'publishes no README.md',
    'publishes the condition @gallop/source',
    'publishes a workspace: version',
  ]);
});

test('entries are the exports with JavaScript behind them', () => {
  const exports = {
    ...mainEntry,
    './node': './dist/node.js',
    './package.json': './package.json',
    './*': './dist/*.js',
  };
  expect(entriesOf({ manifest: manifest(exports) })).toEqual([
    { specifier: '@gallop/sample', browser: true },
    { specifier: '@gallop/sample/node', browser: false },
  ]);
  expect(entriesOf({ manifest: { ...manifest(mainEntry), name: '@gallop/backend-native' } })[0]?.browser).toBe(false);
});

test('imports in Node: one that works, one that throws, one that exports nothing', () => {
  expect(importInNode([install('export const value = 1;\n')], folder, process.execPath)).toEqual([]);
  const broken = importInNode([install("throw new Error('not today');\n")], folder, process.execPath);
  expect(broken.join()).toMatch(/importing @gallop\/sample in Node v.*not today/s);
  expect(importInNode([install('')], folder, process.execPath).join()).toContain('it exports nothing');
});

test('a program that does not start is found', () => {
  const tarball = install("import './absent.js';\n");
  const withProgram = { ...tarball, manifest: { ...tarball.manifest, bin: { sample: './dist/index.js' } } };
  expect(startPrograms([tarball], folder, process.execPath)).toEqual([]);
  expect(startPrograms([withProgram], folder, process.execPath).join()).toMatch(/starting sample of.*absent\.js/s);
});

test('declarations that do not compile are found', () => {
  const tarball = install('export const value = 1;\n');
  writeFileSync(
    path.join(folder, 'node_modules', '@gallop', 'sample', 'dist', 'index.d.ts'),
    "export { absent } from './absent.js';\n",
  );
  expect(compileTypes([tarball], folder, repository).join()).toContain('absent.js');
});

test('a page builds, and a Node module in a browser build is found', async () => {
  expect(await buildPage([install('export const value = 1;\n')], folder)).toEqual([]);
  const tarball = install("import { readFileSync } from 'node:fs';\nexport const value = readFileSync;\n");
  expect(await buildPage([tarball], folder)).toContain('@gallop/sample imports node:fs in a browser build');
});

test('a WebAssembly module that the page would lack is found', async () => {
  const located = "export const module = new URL('./seen.wasm', import.meta.url).href;\n";
  const tarball = { ...install(located), files: ['dist/seen.wasm', 'dist/unseen.wasm'] };
  for (const file of tarball.files) {
    writeFileSync(path.join(folder, 'node_modules', '@gallop', 'sample', file), new Uint8Array(10_000));
  }
  expect(await buildPage([tarball], folder)).toEqual(['a page built with Vite lacks unseen.wasm']);
});
