// Makes a bare clone ready to run: the pinned pnpm through npm, the workspace's dependencies (which bring the pinned
// Node), and the compiled kernels. Plain JavaScript, because it runs on the Node that the machine has (20 or newer).
// Progress goes to stderr. What has been done is remembered under a key of the files that decide it, so a second call
// costs milliseconds.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashFiles, listFiles } from './file-key.mjs';
import { withLock } from './lock.mjs';
import { findNode } from './pinned-node.mjs';

/** The repository's root folder. */
export const root = path.resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** Folder of fetched model files: `GALLOP_MODELS`, or models/ in the repository. */
export const modelsFolder = path.resolve(process.env.GALLOP_MODELS || path.join(root, 'models'));

const toolsFolder = path.join(root, '.tools');
const pnpmFolder = path.join(toolsFolder, 'node_modules', 'pnpm');
const pnpmBinary = path.join(toolsFolder, 'node_modules', '.bin', process.platform === 'win32' ? 'pnpm.cmd' : 'pnpm');
const dependencyStamp = path.join(root, 'node_modules', '.gallop-setup.json');
const kernelFolder = path.join(root, 'packages', 'kernels');
const kernelStamp = path.join(root, 'node_modules', '.gallop-kernels.json');

/** Prints one line of progress. */
export const say = (line) => process.stderr.write(`[setup] ${line}\n`);

const readJson = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
};

/** Runs a set-up step to its end, its output on stderr; throws when it fails. */
const runStep = (title, command, args, options = {}) => {
  const started = performance.now();
  say(`${title} …`);
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.error) throw new Error(`${title}: could not run ${command}: ${result.error.message}`);
  if (result.status !== 0) {
    throw new Error(
      `${title}: ${command} ended with ${result.signal ?? `status ${result.status}`}; its output is above`,
    );
  }
  say(`${title}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
};

/** npm as a program and first arguments: the npm that started us, or the one on the path. */
const npmCommand = () => {
  const script = process.env.npm_execpath ?? '';
  return path.basename(script) === 'npm-cli.js' ? [process.execPath, script] : ['npm'];
};

/** Installs the pnpm that package.json pins into .tools, unless it is there. */
const ensurePnpm = () => {
  const pinned = readJson(path.join(root, 'package.json')).packageManager;
  if (`pnpm@${readJson(path.join(pnpmFolder, 'package.json'))?.version}` === pinned && existsSync(pnpmBinary)) return;
  mkdirSync(toolsFolder, { recursive: true });
  const [npm, ...first] = npmCommand();
  const options = ['--prefix', toolsFolder, '--no-audit', '--no-fund', '--ignore-scripts'];
  runStep(`installing ${pinned}`, npm, [...first, 'install', ...options, pinned], { shell: npm === 'npm' });
  // pnpm's own install script puts its native binary in place; run here because npm may be set to run none.
  runStep('unpacking pnpm', process.execPath, [path.join(pnpmFolder, 'install.js')]);
};

const runPnpm = (title, args, options) =>
  runStep(title, process.execPath, [path.join(pnpmFolder, 'bin', 'pnpm.mjs'), ...args], options);

/** The manifests and settings that decide what an installation contains. */
const dependencyFiles = () => {
  const workspaces = ['packages', 'apps', 'tools'].flatMap((group) => {
    const folder = path.join(root, group);
    return existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name, 'package.json')) : [];
  });
  const settings = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.pnpmfile.cjs'];
  return [...settings.map((name) => path.join(root, name)), ...workspaces].filter((file) => existsSync(file));
};

const dependencyKey = () => `${process.platform}-${process.arch}-${hashFiles(root, dependencyFiles())}`;

const installedNode = () => {
  const stamp = readJson(dependencyStamp);
  return stamp?.key === dependencyKey() && existsSync(stamp.node) && existsSync(pnpmBinary) ? stamp.node : undefined;
};

/** Installs the dependencies and returns the Node to run everything with. */
const installDependencies = () => {
  ensurePnpm();
  runPnpm('installing dependencies', ['install', '--frozen-lockfile']);
  const node = findNode(root);
  writeFileSync(dependencyStamp, JSON.stringify({ key: dependencyKey(), node }));
  return node;
};

/** What the compiled kernels are made from: the C sources, the build script, and the table of operations. */
const kernelKey = () => {
  const own = listFiles(kernelFolder, new Set(['node_modules', 'dist', 'build'])).filter(
    (file) => !file.endsWith('.ts'),
  );
  const operations = path.join(root, 'packages', 'tensor', 'src', 'opcodes.ts');
  return hashFiles(root, existsSync(operations) ? [...own, operations] : own);
};

const kernelsAreBuilt = () => {
  if (readJson(path.join(kernelFolder, 'package.json'))?.scripts?.['build:kernels'] === undefined) return true;
  const output = path.join(kernelFolder, 'build');
  return existsSync(output) && readdirSync(output).length > 0 && readJson(kernelStamp)?.key === kernelKey();
};

const buildKernels = (environment) => {
  const key = kernelKey();
  runPnpm('building the kernels', ['--filter', '@gallop/kernels', 'run', 'build:kernels'], { env: environment });
  writeFileSync(kernelStamp, JSON.stringify({ key }));
};

/** The Node that runs npm: inside an npm script, `node` may already be the pinned one. */
const systemNode = () => process.env.GALLOP_SYSTEM_NODE || process.env.npm_node_execpath || process.execPath;

/** The environment of every child process: the pinned tools first on the path, and where model files lie. */
const childEnvironment = (node) => ({
  ...process.env,
  PATH: [path.dirname(node), path.dirname(pnpmBinary), path.join(root, 'node_modules', '.bin'), process.env.PATH].join(
    path.delimiter,
  ),
  GALLOP_MODELS: modelsFolder,
  GALLOP_SYSTEM_NODE: systemNode(),
  TURBO_TELEMETRY_DISABLED: '1',
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE || path.join(root, 'node_modules', '.cache', 'node'),
});

/**
 * Does whatever set-up is still missing.
 *
 * @param {{ kernels: boolean }} needs whether the compiled kernels are needed
 * @returns {{ node: string, environment: Record<string, string> }} the Node to run with, and the environment to give it
 */
export const setUp = ({ kernels }) => {
  const lock = path.join(toolsFolder, 'setup.lock');
  const node = installedNode() ?? withLock(lock, () => installedNode() ?? installDependencies());
  const environment = childEnvironment(node);
  if (kernels && !kernelsAreBuilt()) withLock(lock, () => kernelsAreBuilt() || buildKernels(environment));
  return { node, environment };
};
