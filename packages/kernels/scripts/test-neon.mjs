/**
 * Checks the NEON kernels against the portable ones, on any Linux machine: cross-compiles test/compare-variants.c for
 * arm64 and runs it under qemu-user (on arm64 itself, with the machine's compiler). Skips with the reason where a tool is
 * missing.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { common, compileAll, neonFlags } from './compile.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'src/c');
const has = (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;

const native = process.arch === 'arm64';
const compiler = native ? 'cc' : 'aarch64-linux-gnu-gcc';
const emulator = native ? undefined : 'qemu-aarch64-static';
const missing = [compiler, emulator].find((name) => name && !has(name));

async function compareVariants() {
  const folder = mkdtempSync(join(tmpdir(), 'gallop-neon-'));
  const program = join(folder, 'compare');
  try {
    const flags = [...common, ...neonFlags, `-I${source}`, '-DTESTED_VARIANT=neon'];
    await compileAll(compiler, [
      [...flags, '-DVARIANT_NAME=neon', '-c', join(source, 'run.c'), '-o', join(folder, 'neon.o')],
      // The program only needs the comparison, so the oracle may be slow: -O1 compiles it in seconds.
      [...common, '-O1', '-DVARIANT_NAME=portable', '-c', join(source, 'run.c'), '-o', join(folder, 'portable.o')],
      [...flags, '-Wno-unused-function', '-c', join(root, 'test/compare-variants.c'), '-o', join(folder, 'compare.o')],
    ]);
    const objects = ['compare', 'neon', 'portable'].map((name) => join(folder, `${name}.o`));
    await compileAll(compiler, [['-static', ...objects, '-o', program, '-lm']]);
    const command = emulator ? [emulator, program] : [program];
    return spawnSync(command[0], command.slice(1), { stdio: 'inherit' }).status;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (missing) console.log(`skipped: ${missing} is not installed (Debian: gcc-aarch64-linux-gnu, qemu-user-static)`);
else {
  const status = await compareVariants();
  console.log(status === 0 ? 'neon computes the bits that portable code computes' : `neon differs (status ${status})`);
  process.exitCode = status === 0 ? 0 : 1;
}
