/**
 * The package check: builds and packs every publishable package, lints the tarballs, and uses them in a project outside
 * the workspace: imported on the pinned and on the system's Node, compiled against, and built into a page.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand } from './command.ts';
import { buildPage, compileTypes, importInNode, installTarballs, startPrograms } from './consumer.ts';
import { judgeTarball, packPackage, type Tarball } from './tarball.ts';
import { type Findings, findPackages } from './workspace.ts';

const say = (line: string): void => console.error(`[packages] ${line} …`);

const useTarballs = async (tarballs: readonly Tarball[], folder: string, root: string): Promise<string[]> => {
  say(`installing ${tarballs.length} tarballs in a project of their own`);
  installTarballs(tarballs, folder);
  const nodes = new Set([process.execPath, process.env.GALLOP_SYSTEM_NODE ?? process.execPath]);
  const problems: string[] = [];
  for (const node of nodes) {
    say(`importing every entry with ${runCommand(node, ['--version'], folder).trim()}`);
    problems.push(...importInNode(tarballs, folder, node));
  }
  problems.push(...startPrograms(tarballs, folder, process.execPath));
  say('compiling against the declarations');
  problems.push(...compileTypes(tarballs, folder, root));
  say('building a page with Vite');
  return [...problems, ...(await buildPage(tarballs, folder))];
};

/** Checks every package that is not private. */
export async function checkPackages(root: string): Promise<Findings> {
  const packages = findPackages(root).filter(({ manifest }) => !manifest.private);
  const folder = mkdtempSync(path.join(tmpdir(), 'gallop-packages-'));
  try {
    say(`building ${packages.length} packages`);
    runCommand(
      'turbo',
      ['run', 'build', '--filter=./packages/*', '--concurrency=2', '--output-logs=errors-only'],
      root,
    );
    say('packing and linting');
    const tarballs = packages.map((found) => packPackage(found, folder));
    const lint = await Promise.all(tarballs.map(judgeTarball));
    return { problems: [...lint.flat(), ...(await useTarballs(tarballs, folder, root))], warnings: [] };
  } catch (error) {
    return { problems: [(error as Error).message], warnings: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
