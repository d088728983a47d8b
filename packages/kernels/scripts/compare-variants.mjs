/**
 * Builds test/compare-variants.c for one variant of the kernels and runs it: every command must have the bits that
 * portable code computes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { common, compileAll } from './compile.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'src/c');

/**
 * @param flags of the variant; @param link for the program; @param emulator runs the program, on a foreign machine
 * @returns the exit status: 0 when nothing differs
 */
export async function compareVariants(name, { compiler, flags, link = [], emulator }) {
  const folder = mkdtempSync(join(tmpdir(), `gallop-${name}-`));
  const program = join(folder, 'compare');
  try {
    const all = [...common, ...flags, `-I${source}`, `-I${join(root, 'test')}`, `-DTESTED_VARIANT=${name}`];
    await compileAll(compiler, [
      [...all, `-DVARIANT_NAME=${name}`, '-c', join(source, 'run.c'), '-o', join(folder, `${name}.o`)],
      // The program only needs the comparison, so the oracle may be slow: -O1 compiles it in seconds.
      [...common, '-O1', '-DVARIANT_NAME=portable', '-c', join(source, 'run.c'), '-o', join(folder, 'portable.o')],
      [...all, '-Wno-unused-function', '-c', join(root, 'test/compare-variants.c'), '-o', join(folder, 'compare.o')],
    ]);
    const objects = ['compare', name, 'portable'].map((object) => join(folder, `${object}.o`));
    await compileAll(compiler, [[...link, ...objects, '-o', program, '-lm']]);
    const command = emulator ? [emulator, program] : [program];
    return spawnSync(command[0], command.slice(1), { stdio: 'inherit' }).status;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Says how it went, and sets the exit status. */
export function report(name, status) {
  console.log(
    status === 0 ? `${name} computes the bits that portable code computes` : `${name} differs (status ${status})`,
  );
  process.exitCode = status === 0 ? 0 : 1;
}
