/** Runs programs for the checks: output is kept and shown only when the program fails. */

import { spawnSync } from 'node:child_process';

/** Runs a program to its end and returns its standard output; throws an Error with its output when it fails. */
export function runCommand(command: string, args: readonly string[], folder: string): string {
  const result = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    shell: process.platform === 'win32',
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    const output = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-30).join('\n');
    throw new Error(
      `${command} ${args.join(' ')} ended with ${result.signal ?? `status ${result.status}`}:\n${output}`,
    );
  }
  return result.stdout;
}
