/**
 * The package check: builds and packs every publishable package, lints the tarballs, and uses them in a project outside
 * the workspace: imported and made to generate on the pinned and on the system's Node, compiled against, built into a page,
 * and each alone with the example of its README.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand } from './command.ts';
import { buildPage, compileTypes, importInNode, installTarballs, startPrograms } from './consumer.ts';
import { generateEverywhere } from './generation.ts';
import { checkExamples } from './readme-examples.ts';
import { judgeTarball, packPackage, type Tarball } from './tarball.ts';
import { type Findings, findPackages } from './workspace.ts';

const say = (line: string): void => console.error(`[packages] ${line} …`);

const useTarballs = async (tarballs: readonly Tarball[], folder: string, root: string): Promise<Findings> => {
  say(`installing ${tarballs.length} tarballs in a project of their own`);
  installTarballs(tarballs, folder);
  const nodes = [...new Set([process.execPath, process.env.GALLOP_SYSTEM_NODE ?? process.execPath])];
  const problems: string[] = [];
  for (const node of nodes) {
    say(`importing every entry with ${runCommand(node, ['--version'], folder).trim()}`);
    problems.push(...importInNode(tarballs, folder, node));
  }
  problems.push(...startPrograms(tarballs, folder, process.execPath));
  say('generating with a real model');
  const generated = generateEverywhere(folder, nodes);
  say('compiling against the declarations');
  problems.push(...generated.problems, ...compileTypes(tarballs, folder, root));
  say('building a page with Vite');
  problems.push(...(await buildPage(tarballs, folder)));
  say('installing each package alone and running the example of its README');
  const examples = checkExamples(tarballs, folder, root);
  return {
    problems: [...problems, ...examples.problems],
    warnings: [...generated.warnings, ...examples.warnings],
  };
};

/** Checks every package that is not private. */
export async function checkPackages(root: string): Promise<Findings> {
  const packages = findPackages(root).filter(({ manifest }) => !manifest.private);
  const folder = mkdtempSync(path.join(tmpdir(), 'gallop-packages-'));
  try {
    say(`building ${packages.length} packages`);
    runCommand('turbo', ['run', 'build', '--concurrency=2', '--output-logs=errors-only'], root);
    say('packing and linting');
    const tarballs = packages.map((found) => packPackage(found, folder));
    const lint = (await Promise.all(tarballs.map(judgeTarball))).flat();
    const used = await useTarballs(tarballs, folder, root);
    return { problems: [...lint, ...used.problems], warnings: used.warnings };
  } catch (error) {
    return { problems: [(error as Error).message], warnings: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
