/** What the checks know about the workspace: its packages and the files that git tracks. */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The fields of a package.json that the checks read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface WorkspacePackage {
  /** Folder relative to the root, such as `packages/core`. */
  readonly path: string;
  /** Full path of the folder. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Result of a check: problems fail it, warnings do not. */
export interface Findings {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Every package of the workspace, in the order of its path. */
export function findPackages(root: string): WorkspacePackage[] {
  return ['apps', 'packages', 'tools']
    .filter((group) => existsSync(path.join(root, group)))
    .flatMap((group) => readdirSync(path.join(root, group)).map((name) => `${group}/${name}`))
    .filter((relative) => existsSync(path.join(root, relative, 'package.json')))
    .map((relative) => {
      const folder = path.join(root, relative);
      const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
      return { path: relative, folder, manifest };
    });
}

/** Paths (relative to the root) of the files that git tracks and that exist. */
export function trackedFiles(root: string): string[] {
  const listing = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  return listing.split('\0').filter((file) => file !== '' && existsSync(path.join(root, file)));
}
