/**
 * A project that uses the published packages as a stranger would: it installs the tarballs, imports every entry in Node,
 * compiles TypeScript against the declarations, and builds a page with Vite.
 */

import { readdirSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { build, type Plugin } from 'vite';
import { nodeOnlyEntries, nodeOnlyPackages, testEntries } from './arrow-rules.ts';
import { runCommand } from './command.ts';
import type { Tarball } from './tarball.ts';

/** A module that can be imported: the package's name with the path of one of its exports. */
interface Entry {
  readonly specifier: string;
  /** Also meant for browsers: not a package or an entry named for Node. */
  readonly browser: boolean;
}

/** The entries with JavaScript behind them, of one package. */
export function entriesOf({ manifest }: Pick<Tarball, 'manifest'>): Entry[] {
  return Object.entries(manifest.exports ?? {})
    .filter(([key, target]) => !key.includes('*') && !testEntries.includes(key) && /\.js"/.test(JSON.stringify(target)))
    .map(([key]) => ({
      specifier: path.posix.join(manifest.name, key),
      browser: !nodeOnlyEntries.includes(key) && !nodeOnlyPackages.some((name) => manifest.name.endsWith(`/${name}`)),
    }));
}

/** Installs the tarballs together; their dependencies on each other resolve to the tarballs too. */
export function installTarballs(tarballs: readonly Tarball[], folder: string): void {
  const dependencies = Object.fromEntries(tarballs.map(({ manifest, file }) => [manifest.name, `file:${file}`]));
  const overrides = Object.fromEntries(tarballs.map(({ manifest }) => [manifest.name, `$${manifest.name}`]));
  const manifest = { name: 'consumer', private: true, type: 'module', dependencies, overrides };
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  runCommand('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], folder);
}

const problemOf = (title: string, action: () => void): string[] => {
  try {
    action();
    return [];
  } catch (error) {
    return [`${title}: ${(error as Error).message}`];
  }
};

const importScript = `
const names = Object.keys(await import(process.argv[2]));
if (names.length === 0) throw new Error('it exports nothing');
process.exit(0);
`;

/** Imports every entry with the given Node binary, each in a process of its own. */
export function importInNode(tarballs: readonly Tarball[], folder: string, node: string): string[] {
  writeFileSync(path.join(folder, 'import.mjs'), importScript);
  const version = runCommand(node, ['--version'], folder).trim();
  return tarballs
    .flatMap(entriesOf)
    .flatMap(({ specifier }) =>
      problemOf(`importing ${specifier} in Node ${version}`, () => runCommand(node, ['import.mjs', specifier], folder)),
    );
}

/** Asks every program that a package brings for its help. */
export function startPrograms(tarballs: readonly Tarball[], folder: string, node: string): string[] {
  return tarballs.flatMap(({ manifest }) =>
    Object.entries(manifest.bin ?? {}).flatMap(([program, file]) =>
      problemOf(`starting ${program} of ${manifest.name}`, () =>
        runCommand(node, [path.join('node_modules', manifest.name, file), '--help'], folder),
      ),
    ),
  );
}

const importAll = (entries: readonly Entry[]): string => {
  const imports = entries.map(({ specifier }, index) => `import * as entry${index} from '${specifier}';`);
  const names = entries.map((_, index) => `entry${index}`).join(', ');
  return `${imports.join('\n')}\nexport const entries: object[] = [${names}];\nconsole.log(entries);\n`;
};

/** Compiles a file that imports every entry, with the repository's TypeScript and none of its settings. */
export function compileTypes(tarballs: readonly Tarball[], folder: string, root: string): string[] {
  writeFileSync(path.join(folder, 'types.ts'), importAll(tarballs.flatMap(entriesOf)));
  const options = {
    ...{ strict: true, noEmit: true, module: 'nodenext', target: 'es2023', skipLibCheck: false },
    ...{ lib: ['es2023', 'esnext', 'dom'], types: ['node'], typeRoots: [path.join(root, 'node_modules', '@types')] },
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['types.ts'] }));
  return problemOf('compiling against the declarations', () => runCommand('tsc', ['-p', '.'], folder));
}

/** Reports each module of Node that a Gallop package asks for in a browser build. */
const watchNodeModules = (found: Set<string>): Plugin => ({
  name: 'watch-node-modules',
  enforce: 'pre',
  resolveId(source, importer) {
    const owner = importer && /node_modules[\\/]((?:@gallop[\\/][\w-]+)|gallop)[\\/]/.exec(importer)?.[1];
    if (owner && isBuiltin(source)) found.add(`${owner} imports ${source} in a browser build`);
    return null;
  },
});

/** WebAssembly modules that a tarball brings but that the built page lacks: a bundler copies only what it can see. */
const missingModules = (tarballs: readonly Tarball[], page: string): string[] => {
  const built = readdirSync(page, { recursive: true, encoding: 'utf8' }).map((file) => path.basename(file));
  return tarballs
    .flatMap(({ files }) => files.filter((file) => file.endsWith('.wasm')))
    .map((file) => path.basename(file, '.wasm'))
    .filter((name) => !built.some((file) => file.startsWith(`${name}-`) && file.endsWith('.wasm')))
    .map((name) => `a page built with Vite lacks ${name}.wasm`);
};

/** Builds a page that imports every entry meant for browsers. */
export async function buildPage(tarballs: readonly Tarball[], folder: string): Promise<string[]> {
  const entries = tarballs.flatMap(entriesOf).filter(({ browser }) => browser);
  writeFileSync(path.join(folder, 'page.ts'), importAll(entries));
  writeFileSync(path.join(folder, 'index.html'), '<!doctype html><script type="module" src="./page.ts"></script>\n');
  const found = new Set<string>();
  try {
    await build({ root: folder, configFile: false, logLevel: 'silent', plugins: [watchNodeModules(found)] });
    return [...found, ...missingModules(tarballs, path.join(folder, 'dist'))];
  } catch (error) {
    return [...found, `building a page with Vite: ${(error as Error).message}`];
  }
}
