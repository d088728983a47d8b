/**
 * The machine's read bandwidth, measured by a small C program that is compiled when it is needed: decoding reads all
 * weights for each token, so this is its ceiling. Without a C compiler it is unknown.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Bytes a second, or why they are unknown. */
export type ReadBandwidth = { readonly bytesPerSecond: number } | { readonly missing: string };

/** Larger than any cache; threads share it. */
const MEBIBYTES = 1024;
const PASSES = 15;

const compilers = (): readonly string[] => (process.env.CC ? [process.env.CC] : ['cc', 'gcc', 'clang']);

/** Measures the best speed of `threads` threads reading memory in a row; takes one or two seconds. */
export const measureReadBandwidth = (threads: number): ReadBandwidth => {
  const compiler = compilers().find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  if (compiler === undefined)
    return { missing: `no C compiler was found (${compilers().join(', ')}; CC names another)` };
  const folder = mkdtempSync(path.join(tmpdir(), 'gallop-bandwidth-'));
  try {
    const program = path.join(folder, 'read-bandwidth');
    const source = fileURLToPath(new URL('./read-bandwidth.c', import.meta.url));
    const compiled = spawnSync(compiler, ['-O3', '-march=native', '-pthread', source, '-o', program], {
      encoding: 'utf8',
    });
    if (compiled.status !== 0) return { missing: `${compiler} failed: ${compiled.stderr.trim().split('\n')[0] ?? ''}` };
    const run = spawnSync(program, [String(threads), String(MEBIBYTES), String(PASSES)], { encoding: 'utf8' });
    const bytesPerSecond = Number(run.stdout?.split(' ')[0]);
    return run.status === 0 && bytesPerSecond > 0
      ? { bytesPerSecond }
      : { missing: `it ended with status ${run.status}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
};
