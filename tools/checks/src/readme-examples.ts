/**
 * The examples of the READMEs, tried as a reader would: for each package a project of its own, in which what the README's
 * `npm install` line names is installed from the tarballs and nothing else; the first TypeScript example is compiled with the
 * repository's TypeScript and run as written.
 */

import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './command.ts';
import type { Tarball } from './tarball.ts';
import type { Findings } from './workspace.ts';

/** The first example of a README and what it says to install. */
export interface ReadmeExample {
  readonly packages: readonly string[];
  readonly code: string | undefined;
  /** An example in JavaScript is only run. */
  readonly language: 'ts' | 'js';
}

/** Reads a README. Without an `npm install` line the package itself is meant. */
export function readExample(readme: string, name: string): ReadmeExample {
  const install = /^npm install +(.+)$/m.exec(readme)?.[1].split(/\s+/) ?? [];
  const [, language, code] = /^```(ts|js)\n(.*?)^```$/ms.exec(readme) ?? [];
  const packages = [...new Set([name, ...install.filter((word) => !word.startsWith('-'))])];
  return { packages, code, language: language === 'js' ? 'js' : 'ts' };
}

/** The tarballs that a project needs for these packages, their dependencies included. */
export function closureOf(names: readonly string[], tarballs: readonly Tarball[]): Tarball[] {
  const found = new Map<string, Tarball>();
  const visit = (name: string): void => {
    const tarball = tarballs.find(({ manifest }) => manifest.name === name);
    if (!tarball || found.has(name)) return;
    found.set(name, tarball);
    const { dependencies, peerDependencies, optionalDependencies } = tarball.manifest;
    for (const other of Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })) visit(other);
  };
  names.forEach(visit);
  return [...found.values()];
}

/** Installs the named packages; their dependencies come from tarballs too, not from the registry. */
function installAlone(names: readonly string[], tarballs: readonly Tarball[], folder: string): void {
  const needed = closureOf(names, tarballs);
  const address = (tarball: Tarball): string => `file:${tarball.file}`;
  const direct = needed.filter(({ manifest }) => names.includes(manifest.name));
  const dependencies = Object.fromEntries(direct.map((tarball) => [tarball.manifest.name, address(tarball)]));
  const overrides = Object.fromEntries(
    needed.map((tarball) => [
      tarball.manifest.name,
      direct.includes(tarball) ? `$${tarball.manifest.name}` : address(tarball),
    ]),
  );
  writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: 'reader', private: true, type: 'module', dependencies, overrides }),
  );
  runCommand('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], folder);
}

const options = {
  ...{ strict: true, noEmit: true, module: 'nodenext', target: 'es2023', skipLibCheck: true },
  lib: ['es2023', 'esnext', 'dom'],
};

function compileExample(folder: string, root: string): void {
  const types = { types: ['node'], typeRoots: [path.join(root, 'node_modules', '@types')] };
  writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...options, ...types }, files: ['example.ts'] }),
  );
  runCommand('tsc', ['-p', '.'], folder);
}

function tryExample(code: string, language: 'ts' | 'js', folder: string, root: string): void {
  const file = `example.${language}`;
  writeFileSync(path.join(folder, file), code);
  if (language === 'ts') compileExample(folder, root);
  runCommand(process.execPath, [file], folder);
}

/** Model files that the code names and that are not there. */
const missingModels = (code: string, folder: string): string[] =>
  [...code.matchAll(/'(models\/[^']+)'/g)]
    .map(([, file]) => file)
    .filter((file) => !existsSync(path.join(folder, file)));

function checkOne(tarball: Tarball, tarballs: readonly Tarball[], folder: string, root: string): Findings {
  const { name } = tarball.manifest;
  const target = path.join(folder, `alone-${name.replace(/\W+/g, '-')}`);
  mkdirSync(target);
  const models = path.resolve(process.env.GALLOP_MODELS || 'models');
  if (existsSync(models)) symlinkSync(models, path.join(target, 'models'));
  try {
    const { packages, code, language } = readExample(tarball.readme, name);
    installAlone(packages, tarballs, target);
    if (code === undefined) return { problems: [], warnings: [`the README of ${name} has no example`] };
    const missing = missingModels(code, target);
    if (missing.length > 0) {
      return {
        problems: [],
        warnings: [`the example of ${name} was not tried: no ${missing.join(', ')}; run models:fetch`],
      };
    }
    tryExample(code, language, target, root);
    return { problems: [], warnings: [] };
  } catch (error) {
    return { problems: [`the README example of ${name}: ${(error as Error).message}`], warnings: [] };
  }
}

/** Installs each package alone and tries its example. */
export function checkExamples(tarballs: readonly Tarball[], folder: string, root: string): Findings {
  const all = tarballs.map((tarball) => checkOne(tarball, tarballs, folder, root));
  return { problems: all.flatMap(({ problems }) => problems), warnings: all.flatMap(({ warnings }) => warnings) };
}
