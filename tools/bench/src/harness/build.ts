/** Builds the packages as they are published, so that what is measured is what users run. Cached: costs a second. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GallopError } from '@gallop/core';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** @throws GallopError `invalid-state` with the last lines of the build when it fails */
export const buildPackages = (): void => {
  const args = ['run', 'build', '--filter=@gallop/bench', '--concurrency=2', '--output-logs=errors-only'];
  const built = spawnSync('turbo', args, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' });
  if (built.status === 0) return;
  const reason = built.error?.message ?? `${built.stdout}\n${built.stderr}`.trim().split('\n').slice(-20).join('\n');
  throw new GallopError(
    'invalid-state',
    `Expected the packages to build; received a failure; mend it, or measure the sources with --source.\n${reason}`,
  );
};
