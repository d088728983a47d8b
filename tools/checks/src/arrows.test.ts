/** The arrow check on small workspaces in which one violation at a time is planted. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkArrows, findCycle } from './arrows.ts';
import { specifiersOf } from './imports.ts';

let root: string;

const write = (file: string, content: string | object): void => {
  const full = path.join(root, file);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, typeof content === 'string' ? content : JSON.stringify(content));
};

const writePackage = (folder: string, dependencies: readonly string[], extra: object = {}): void => {
  const named = Object.fromEntries(dependencies.map((name) => [`@gallop/${name}`, 'workspace:^']));
  const name = `@gallop/${path.basename(folder)}`;
  write(`${folder}/package.json`, { name, exports: { '.': './src/index.ts' }, dependencies: named, ...extra });
  const references = dependencies.map((dependency) => ({ path: `../${dependency}` }));
  write(`${folder}/tsconfig.json`, { references });
};

const problems = (): readonly string[] => checkArrows(root).problems;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'gallop-arrows-'));
  write('package.json', { name: 'workspace', devDependencies: { vitest: '5' } });
  const names = ['core', 'tensor', 'models', 'speculative'];
  write('tsconfig.json', { references: names.map((name) => ({ path: `packages/${name}` })) });
  writePackage('packages/core', []);
  writePackage('packages/tensor', ['core']);
  writePackage('packages/models', ['core', 'tensor']);
  writePackage('packages/speculative', ['core']);
  write('packages/core/src/index.ts', "import { readFile } from 'node:fs';\nexport const core = readFile;\n");
  write('packages/tensor/src/index.ts', "export { core } from '@gallop/core';\nimport './other.ts';\n");
  write('packages/tensor/src/index.test.ts', "import { test } from 'vitest';\n");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a workspace that keeps the rules has no problems', () => {
  expect(problems()).toEqual([]);
});

test('an import against the arrows is found, of whatever form', () => {
  write('packages/core/src/static.ts', "import type { Tensor } from '@gallop/tensor';\n");
  write('packages/core/src/dynamic.ts', "export const load = () => import('@gallop/tensor');\n");
  write('packages/core/src/again.ts', "export * from '@gallop/tensor';\n");
  const found = problems();
  expect(found).toHaveLength(3);
  for (const problem of found) expect(problem).toContain('no arrow from packages/core to packages/tensor');
});

test('a method that depends on a model against the rules is found in package.json alone', () => {
  writePackage('packages/models', ['core', 'tensor', 'speculative']);
  expect(problems()).toEqual(['packages/models/package.json depends on @gallop/speculative, to which it has no arrow']);
});

test('files of another package are reached neither by path nor by an entry that it does not export', () => {
  write('packages/tensor/src/deep.ts', "import '@gallop/core/src/index.ts';\nimport '../../core/src/index.ts';\n");
  write('packages/tensor/src/worker.ts', "new Worker(new URL('../../core/src/worker.ts', import.meta.url));\n");
  const found = problems();
  expect(found).toHaveLength(3);
  expect(found.join('\n')).toContain('"@gallop/core/src/index.ts", which @gallop/core does not export');
  expect(found.join('\n')).toContain('leaves its package by "../../core/src/worker.ts"');
});

test('a test may read a file outside the packages; published code may not', () => {
  const located = "export const models = new URL('../../../models', import.meta.url);\n";
  write('packages/core/src/real.test.ts', located);
  write('packages/core/src/testing/shared.ts', located);
  write(
    'packages/core/src/case.test.ts',
    "export const data = new URL('../../tensor/cases/one.json', import.meta.url);\n",
  );
  expect(problems()).toEqual([]);
  write('packages/core/src/code.test.ts', "import '../../tensor/src/index.ts';\n");
  expect(problems()).toHaveLength(1);
  rmSync(path.join(root, 'packages/core/src/code.test.ts'));
  write('packages/core/src/real.ts', located);
  expect(problems()).toHaveLength(1);
});

test('what package.json does not declare may not be imported, except test tools in tests', () => {
  write('packages/core/src/main.ts', "import 'vitest';\n");
  write('packages/speculative/src/index.ts', "import '@gallop/tensor';\n");
  expect(problems()).toEqual([
    'packages/core/src/main.ts imports vitest, which package.json does not declare',
    'packages/speculative/src/index.ts imports @gallop/tensor, which package.json does not declare',
  ]);
});

test('a package that the rules do not know and a missing reference are found', () => {
  writePackage('packages/novelty', []);
  write('packages/models/tsconfig.json', { references: [{ path: '../core' }] });
  expect(problems()).toEqual([
    'packages/novelty is not in the table of arrows; add it there',
    'tsconfig.json does not reference packages/novelty',
    'packages/models/tsconfig.json does not reference packages/tensor',
  ]);
});

test('a cycle through development dependencies is found', () => {
  writePackage('packages/core', [], { devDependencies: { '@gallop/models': 'workspace:^' } });
  expect(problems().join()).toMatch(/in a cycle: .*@gallop\/core → @gallop\/models/);
});

test('cycles are named from the package where they close', () => {
  const graph = { a: ['b'], b: ['c', 'd'], c: [], d: ['b'] };
  expect(findCycle(new Map(Object.entries(graph)))).toEqual(['b', 'd', 'b']);
  expect(findCycle(new Map(Object.entries({ ...graph, d: ['c'] })))).toBeUndefined();
});

test('specifiers are read from code, not from comments or strings', () => {
  const source = "// import 'a'\nconst text = \"import 'b'\";\nimport 'c';\nexport type X = typeof import('d');\n";
  expect(specifiersOf(source)).toEqual(['c', 'd']);
});
