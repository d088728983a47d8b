/**
 * Runs golden cases: walks folders, gives each case to the adapter registered for `area/method/operation`, compares every
 * output, and prints one line a case and a closing count. The area is read from the path, so a folder may be given at any
 * depth: all goldens, one area, one method, or a copy of some cases.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { areaModules, loadArea } from './adapters/index.ts';
import { type GoldenCase, readCase } from './case-file.ts';
import { compareOutputs } from './compare.ts';
import { findRealFile } from './real-file.ts';
import { type Adapter, type CaseContext, findAdapter, SkipCase, type TensorValue } from './registry.ts';

export type Outcome = 'passed' | 'failed' | 'unknown' | 'skipped';

export type Totals = Record<Outcome, number>;

/** Runs every case under the given folders or files; `print` receives the report line by line. */
export async function runFolders(folders: readonly string[], print: (line: string) => void): Promise<Totals> {
  const totals: Totals = { passed: 0, failed: 0, unknown: 0, skipped: 0 };
  for (const folder of folders) {
    const root = resolve(folder);
    for (const path of casePaths(root)) {
      const outcome = await runFile(path, relative(dirname(root), path), print);
      if (outcome !== undefined) totals[outcome]++;
    }
  }
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
  print(`${totals.passed} passed, ${totals.failed} failed, ${totals.unknown} unknown${skipped}`);
  return totals;
}

/** Files that may be cases, in order of their names; folders of shared models are left out. */
function* casePaths(path: string): Iterable<string> {
  if (!statSync(path).isDirectory()) {
    yield path;
    return;
  }
  const byNumber = new Intl.Collator('en', { numeric: true });
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => byNumber.compare(a.name, b.name));
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) {
      // `<area>/models` holds models, while an area may itself be called `models`.
      if (entry.name === 'models' && isArea(basename(path))) continue;
      yield* casePaths(child);
    } else if (/\.(json|safetensors)$/.test(entry.name)) yield child;
  }
}

const isArea = (name: string): boolean => Object.hasOwn(areaModules, name);

async function runFile(path: string, label: string, print: (line: string) => void): Promise<Outcome | undefined> {
  let golden: GoldenCase | undefined;
  try {
    golden = await readCase(path);
  } catch (error) {
    print(`FAIL ${label}: ${message(error)}`);
    return 'failed';
  }
  if (golden === undefined) return undefined;
  const { outcome, detail } = await runCase(golden);
  const word = { passed: 'ok', failed: 'FAIL', unknown: 'unknown', skipped: 'skipped' }[outcome];
  print(`${word} ${label}${detail === '' ? '' : `: ${detail}`}`);
  return outcome;
}

/** Runs one case against its adapter. */
export async function runCase(golden: GoldenCase): Promise<{ outcome: Outcome; detail: string }> {
  try {
    const { area, adapter } = await locate(golden);
    if (adapter === undefined) {
      return { outcome: 'unknown', detail: `no adapter for ${area}/${golden.method}/${golden.operation}` };
    }
    const outputs = await adapter(contextOf(golden, area));
    const mismatch = compareOutputs(golden.expected, outputs, golden.tolerance, golden.isJson);
    return mismatch === undefined ? { outcome: 'passed', detail: '' } : { outcome: 'failed', detail: mismatch };
  } catch (error) {
    if (error instanceof SkipCase) return { outcome: 'skipped', detail: error.message };
    return { outcome: 'failed', detail: message(error) };
  }
}

function message(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/**
 * The area of a case and its adapter: `<area>/<method>` in its path, or else whichever area knows the operation, those
 * named in the path first.
 */
async function locate(golden: GoldenCase): Promise<{ area: string; adapter: Adapter | undefined }> {
  const { method, operation } = golden;
  const folders = dirname(golden.path).split(sep);
  const stated = folders.findLast((name, index) => isArea(name) && folders[index + 1] === method);
  const candidates =
    stated === undefined ? [...folders.filter(isArea).reverse(), ...Object.keys(areaModules)] : [stated];
  for (const area of candidates) {
    await loadArea(area);
    const adapter = findAdapter(area, method, operation);
    if (adapter !== undefined) return { area, adapter };
  }
  return { area: stated ?? folders.at(-2) ?? '', adapter: undefined };
}

function contextOf(golden: GoldenCase, area: string): CaseContext {
  const { path, method, operation, params, inputs, weights, randoms } = golden;
  return {
    area,
    method,
    operation,
    params,
    inputs,
    weights,
    randoms,
    tensor: (name) => requireTensor(inputs, name),
    modelFolder: (name) => findModel(path, name),
    realFile: () => findRealFile(String(params.file), String(params.sha256)),
  };
}

function requireTensor(inputs: Readonly<Record<string, unknown>>, name: string): TensorValue {
  const value = inputs[name];
  if (typeof value === 'object' && value !== null && 'dtype' in value) return value as TensorValue;
  throw new Error(`expected an input tensor ${name}; the case has ${Object.keys(inputs).join(', ')}`);
}

/** Looks for `models/<name>` in the folders above a case. */
function findModel(path: string, name: string): string {
  const plain = name.replace(/^models\//, '');
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'models', plain);
    if (existsSync(candidate)) return candidate;
  }
  throw new Error(`expected a folder models/${plain} above ${path}; there is none`);
}
