/**
 * The dependency-arrow check. It reads every import of every package and reports: an import that the architecture does
 * not allow, an import of another package's files other than through its exports, an import of something that
 * package.json does not declare, cycles between packages, and tsconfig references that are missing.
 *
 * An own script over TypeScript's import scanner rather than dependency-cruiser: the rules speak of workspace packages
 * and their manifests, which needs no module resolution.
 */

import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import ts from 'typescript';
import { applicationArrows, packageArrows } from './arrow-rules.ts';
import { type ImportSite, importsBelow } from './imports.ts';
import { type Findings, findPackages, type Manifest, type WorkspacePackage } from './workspace.ts';

type PackagesByName = ReadonlyMap<string, WorkspacePackage>;

const isTestFile = (file: string): boolean => /\.(test|bench)\.tsx?$/.test(file);

/** `@scope/name/sub/path` → `@scope/name` and `./sub/path` (`.` without one). */
const splitSpecifier = (specifier: string): { name: string; entry: string } => {
  const segments = specifier.split('/');
  const length = specifier.startsWith('@') ? 2 : 1;
  const rest = segments.slice(length).join('/');
  return { name: segments.slice(0, length).join('/'), entry: rest === '' ? '.' : `./${rest}` };
};

const folderName = (found: WorkspacePackage): string => path.basename(found.path);

/** Folder names under packages/ that this package may import, or undefined when the rules do not know it. */
const allowedTargets = (from: WorkspacePackage): readonly string[] | undefined => {
  if (from.path.startsWith('tools/')) return Object.keys(packageArrows);
  return from.path.startsWith('apps/') ? applicationArrows : packageArrows[folderName(from)];
};

const mayImport = (from: WorkspacePackage, to: WorkspacePackage): boolean => {
  const inTools = from.path.startsWith('tools/') && to.path.startsWith('tools/');
  return inTools || (to.path.startsWith('packages/') && (allowedTargets(from) ?? []).includes(folderName(to)));
};

const runtimeDependencies = (manifest: Manifest): Set<string> =>
  new Set(
    [manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies].flatMap((entries) =>
      Object.keys(entries ?? {}),
    ),
  );

const developmentDependencies = (manifest: Manifest): string[] => Object.keys(manifest.devDependencies ?? {});

const isBelow = (file: string, folder: string): boolean => file.startsWith(folder + path.sep);

/** Programs, as opposed to data that tests read. */
const isCode = (file: string): boolean => /\.([cm]?[jt]s|tsx)$/.test(file);

/**
 * True when a file reaches for another package's code, or when one that is published leaves its own package. Tests, what
 * they share (`src/testing`) and tools may read data anywhere, such as recorded cases.
 */
const leavesPackage = (from: WorkspacePackage, file: string, target: string, packages: PackagesByName): boolean => {
  if (isBelow(target, from.folder)) return false;
  const testing = isTestFile(file) || isBelow(file, path.join(from.folder, 'src', 'testing'));
  if (from.path.startsWith('packages/') && !testing) return true;
  return isCode(target) && [...packages.values()].some(({ folder }) => isBelow(target, folder));
};

/** Says what is wrong with one import, if anything. */
const judgeImport = (
  from: WorkspacePackage,
  { file, specifier }: ImportSite,
  packages: PackagesByName,
  testTools: ReadonlySet<string>,
): string | undefined => {
  if (specifier.startsWith('#') || isBuiltin(specifier)) return undefined;
  if (specifier.startsWith('.')) {
    return leavesPackage(from, file, path.resolve(path.dirname(file), specifier), packages)
      ? `leaves its package by "${specifier}"; import the other package by its name`
      : undefined;
  }
  const { name, entry } = splitSpecifier(specifier);
  if (name === from.manifest.name) return undefined;
  const test = isTestFile(file);
  const to = packages.get(name);
  if (to !== undefined && to.manifest.exports?.[entry] === undefined) {
    return `imports "${specifier}", which ${name} does not export`;
  }
  if (to !== undefined && !test && !mayImport(from, to)) {
    return `imports ${name}; the architecture has no arrow from ${from.path} to ${to.path}`;
  }
  const declared = runtimeDependencies(from.manifest);
  if (test) for (const extra of [...developmentDependencies(from.manifest), ...testTools]) declared.add(extra);
  return declared.has(name) ? undefined : `imports ${name}, which package.json does not declare`;
};

const importProblems = (packages: PackagesByName, root: string, testTools: ReadonlySet<string>): string[] =>
  [...packages.values()].flatMap((from) =>
    importsBelow(path.join(from.folder, 'src')).flatMap((site) => {
      const problem = judgeImport(from, site, packages, testTools);
      return problem === undefined ? [] : [`${path.relative(root, site.file)} ${problem}`];
    }),
  );

/** Runtime dependencies on workspace packages that no rule allows, and packages that the rules do not know. */
const manifestProblems = (packages: PackagesByName): string[] =>
  [...packages.values()].flatMap((from) => {
    if (allowedTargets(from) === undefined) return [`${from.path} is not in the table of arrows; add it there`];
    return [...runtimeDependencies(from.manifest)]
      .map((name) => packages.get(name))
      .filter((to) => to !== undefined && !mayImport(from, to))
      .map((to) => `${from.path}/package.json depends on ${to?.manifest.name}, to which it has no arrow`);
  });

/** The first cycle among the packages' dependencies (development ones included), as a list of names. */
export function findCycle(dependencies: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const finished = new Set<string>();
  const visit = (name: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (finished.has(name)) return undefined;
    for (const next of dependencies.get(name) ?? []) {
      const cycle = visit(next, [...trail, name]);
      if (cycle) return cycle;
    }
    finished.add(name);
    return undefined;
  };
  for (const name of dependencies.keys()) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}

const cycleProblems = (packages: PackagesByName): string[] => {
  const dependencies = new Map(
    [...packages.values()].map(({ manifest }) => [
      manifest.name,
      [...runtimeDependencies(manifest), ...developmentDependencies(manifest)].filter((name) => packages.has(name)),
    ]),
  );
  const cycle = findCycle(dependencies);
  return cycle ? [`packages depend on each other in a cycle: ${cycle.join(' → ')}`] : [];
};

/** Folders (full paths) that a tsconfig.json references; undefined when there is no such file. */
const referencesOf = (folder: string): Set<string> | undefined => {
  const file = path.join(folder, 'tsconfig.json');
  if (!existsSync(file)) return undefined;
  const { config } = ts.parseConfigFileTextToJson(file, readFileSync(file, 'utf8')) as {
    config?: { references?: { path: string }[] };
  };
  return new Set((config?.references ?? []).map((reference) => path.resolve(folder, reference.path)));
};

const referenceProblems = (packages: PackagesByName, root: string): string[] => {
  const withTypes = [...packages.values()].filter(({ folder }) => referencesOf(folder) !== undefined);
  const rootReferences = referencesOf(root);
  const missingInRoot = withTypes
    .filter(({ folder }) => rootReferences?.has(folder) === false)
    .map((found) => `tsconfig.json does not reference ${found.path}`);
  const missingInPackages = withTypes.flatMap((from) =>
    withTypes
      .filter((to) => runtimeDependencies(from.manifest).has(to.manifest.name))
      .filter((to) => !referencesOf(from.folder)?.has(to.folder))
      .map((to) => `${from.path}/tsconfig.json does not reference ${to.path}`),
  );
  return [...missingInRoot, ...missingInPackages];
};

/** Checks the arrows of the workspace at `root`. */
export function checkArrows(root: string): Findings {
  const packages: PackagesByName = new Map(findPackages(root).map((found) => [found.manifest.name, found]));
  const rootManifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;
  const testTools = new Set(developmentDependencies(rootManifest));
  const problems = [
    ...manifestProblems(packages),
    ...importProblems(packages, root, testTools),
    ...cycleProblems(packages),
    ...referenceProblems(packages, root),
  ];
  return { problems, warnings: [] };
}
