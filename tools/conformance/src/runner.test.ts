/** Tests of the runner itself, with adapters and cases made up here: it must be able to fail. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareOutputs } from './compare.ts';
import { register } from './registry.ts';
import { runFolders } from './runner.ts';

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'gallop-conformance-'));
  // The formats area serves as home for the adapters of this test.
  register('formats', 'made-up', 'double', ({ inputs }) => ({ value: (inputs.value as number) * 2 }));
  register('formats', '*', 'anywhere', ({ method }) => ({ method }));
  register('formats', 'made-up', 'throws', () => {
    throw new RangeError('broken');
  });
  register('formats', 'made-up', 'model', ({ params, modelFolder }) => ({ path: modelFolder(params.model as string) }));
  register('formats', 'made-up', 'real', async ({ realFile }) => ({ path: await realFile() }));
});

afterAll(() => rmSync(root, { recursive: true }));

function put(path: string, fields: Record<string, unknown>): void {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, JSON.stringify({ method: 'made-up', params: {}, tolerance: 'exact', ...fields }));
}

async function run(folder: string): Promise<string[]> {
  const lines: string[] = [];
  await runFolders([join(root, folder)], (line) => lines.push(line));
  return lines;
}

test('each outcome has its line and its count', async () => {
  put('all/formats/made-up/double-1.json', { operation: 'double', 'in.value': 2, 'out.value': 4 });
  put('all/formats/made-up/double-2.json', { operation: 'double', 'in.value': 2, 'out.value': 5 });
  put('all/formats/made-up/other-1.json', { operation: 'other', 'out.value': 5 });
  put('all/formats/made-up/real-1.json', {
    operation: 'real',
    params: { file: 'absent.gguf', sha256: '0' },
    'out.path': '',
  });
  put('all/formats/made-up/throws-1.json', { operation: 'throws', 'out.value': 5 });
  put('all/formats/models/x/config.json', { operation: 'double', 'in.value': 2, 'out.value': 0 });
  writeFileSync(join(root, 'all/formats/made-up/tokenizer.json'), '{"version": 1}');
  const lines = await run('all');
  expect(lines.map((line) => line.replace(/:? .*/, ''))).toEqual(['ok', 'FAIL', 'unknown', 'skipped', 'FAIL', '1']);
  expect(lines[1]).toContain('value: expected 5, received 4');
  expect(lines[4]).toContain('RangeError: broken');
  expect(lines.at(-1)).toBe('1 passed, 2 failed, 1 unknown, 1 skipped');
});

test('a folder may be given at any depth, and an operation may serve every method', async () => {
  put('deep/formats/made-up/double-1.json', { operation: 'double', 'in.value': 1, 'out.value': 2 });
  put('deep/formats/rare/anywhere-1.json', { method: 'rare', operation: 'anywhere', 'out.method': 'rare' });
  for (const folder of ['deep', 'deep/formats', 'deep/formats/made-up', 'deep/formats/made-up/double-1.json']) {
    expect((await run(folder)).at(-1)).toMatch(/^[12] passed, 0 failed, 0 unknown$/);
  }
});

test('a copied folder outside any area finds its adapter by method', async () => {
  put('copied/double-1.json', { operation: 'double', 'in.value': 1, 'out.value': 2 });
  expect((await run('copied')).at(-1)).toBe('1 passed, 0 failed, 0 unknown');
});

test('models are found beside the cases, with or without the prefix', async () => {
  mkdirSync(join(root, 'shared/formats/models/tiny'), { recursive: true });
  const path = join(root, 'shared/formats/models/tiny');
  put('shared/formats/made-up/model-1.json', { operation: 'model', params: { model: 'tiny' }, 'out.path': path });
  put('shared/formats/made-up/model-2.json', {
    operation: 'model',
    params: { model: 'models/tiny' },
    'out.path': path,
  });
  put('shared/formats/made-up/model-3.json', { operation: 'model', params: { model: 'absent' }, 'out.path': path });
  expect((await run('shared')).at(-1)).toBe('2 passed, 1 failed, 0 unknown');
});

const floats = (...data: number[]) => ({ dtype: 'F32', shape: [data.length], data: Float32Array.from(data) });
const integers = (...data: number[]) => ({ dtype: 'I32', shape: [data.length], data: Int32Array.from(data) });
const loose = { abs: 0.01, rel: 0.1 };

test('tensors are compared within the tolerance; the worst element is named', () => {
  expect(compareOutputs({ x: floats(1, 2) }, { x: [1.05, 2.1] }, loose, false)).toBeUndefined();
  expect(compareOutputs({ x: floats(1, 2, 3) }, { x: [1.2, 2, 9] }, loose, false)).toBe('x[2]: expected 3, received 9');
  expect(compareOutputs({ x: floats(1) }, { x: [1.0001] }, 'exact', false)).toContain('x[0]');
  expect(compareOutputs({ x: floats(1) }, {}, loose, false)).toContain('missing');
  expect(compareOutputs({ x: floats(1) }, { x: [1, 2] }, loose, false)).toContain('1 elements');
  expect(compareOutputs({ x: floats(1, 2) }, { x: { data: [1, 2], shape: [2, 1] } }, loose, false)).toContain('shape');
});

test('infinities and NaN equal themselves only', () => {
  const special = floats(Number.NaN, Number.NEGATIVE_INFINITY, -0);
  expect(
    compareOutputs({ x: special }, { x: [Number.NaN, Number.NEGATIVE_INFINITY, 0] }, 'exact', false),
  ).toBeUndefined();
  expect(compareOutputs({ x: floats(1) }, { x: [Number.NaN] }, loose, false)).toContain('x[0]');
  expect(compareOutputs({ x: floats(Number.NaN) }, { x: [1] }, loose, false)).toContain('x[0]');
  expect(compareOutputs({ x: floats(Number.NEGATIVE_INFINITY) }, { x: [-1e38] }, loose, false)).toContain('x[0]');
});

test('a relative tolerance lets no integer differ', () => {
  expect(compareOutputs({ x: integers(50000) }, { x: [50001] }, loose, false)).toContain('x[0]');
  expect(compareOutputs({ x: integers(50000) }, { x: [50001] }, { abs: 1, rel: 0 }, false)).toBeUndefined();
});

test('JSON values are compared deeply', () => {
  const expected = { list: [{ a: 1, b: 'x' }], none: null };
  expect(
    compareOutputs({ x: expected }, { x: { list: [{ a: 1, b: 'x' }], none: null } }, 'exact', true),
  ).toBeUndefined();
  expect(compareOutputs({ x: expected }, { x: { list: [{ a: 2, b: 'x' }], none: null } }, 'exact', true)).toContain(
    'x.list[0].a',
  );
  expect(
    compareOutputs({ x: expected }, { x: { list: [{ a: 1, b: 'x', c: 0 }], none: null } }, 'exact', true),
  ).toContain('.c');
  expect(compareOutputs({ x: [1] }, { x: Int32Array.of(1) }, 'exact', true)).toBeUndefined();
  expect(compareOutputs({ x: '1' }, { x: 1 }, 'exact', true)).toContain('x');
});
