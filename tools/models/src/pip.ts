/** Downloads single wheels with the machine's own pip, which knows the machine's mirrors, proxies and certificates. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { GallopError } from '@gallop/core';

/** Resolves to the exit status, or to undefined when the program cannot be started. */
const statusOf = (child: ChildProcess): Promise<number | undefined> =>
  new Promise((resolve) => {
    const stop = (): void => void child.kill();
    process.once('exit', stop);
    child.once('error', () => resolve(undefined));
    child.once('close', (status) => {
      process.off('exit', stop);
      resolve(status ?? 1);
    });
  });

/**
 * The first of `python3` and `python` that has pip.
 *
 * @throws GallopError `not-found` when neither does.
 */
export async function findPython(): Promise<string> {
  for (const python of ['python3', 'python']) {
    const child = spawn(python, ['-m', 'pip', '--version'], { stdio: 'ignore' });
    if ((await statusOf(child)) === 0) return python;
  }
  throw new GallopError(
    'not-found',
    'expected Python 3 with pip, to download model files; found no python3 or python that runs "-m pip"; install it',
  );
}

/**
 * Downloads the wheel `name==version` into an empty folder and returns its path. pip's progress goes to stderr.
 *
 * @throws GallopError `download-failed` when pip fails.
 */
export async function downloadWheel(python: string, name: string, version: string, folder: string): Promise<string> {
  const options = ['--no-deps', '--only-binary=:all:', '--no-cache-dir', '--disable-pip-version-check'];
  const child = spawn(python, ['-m', 'pip', 'download', ...options, '--dest', folder, `${name}==${version}`], {
    stdio: ['ignore', process.stderr, process.stderr],
  });
  const status = await statusOf(child);
  const wheel = readdirSync(folder).find((file) => file.endsWith('.whl'));
  if (status !== 0 || wheel === undefined) {
    throw new GallopError(
      'download-failed',
      `expected pip to download ${name} ${version}; it ended with status ${status} (its output is above); ` +
        'check the network connection and try again',
    );
  }
  return path.join(folder, wheel);
}
