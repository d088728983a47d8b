/**
 * Checks the NEON kernels against the portable ones, on any Linux machine: cross-compiles for arm64 and runs under
 * qemu-user (on arm64 itself, with the machine's compiler). Skips with the reason where a tool is missing.
 */
import { spawnSync } from 'node:child_process';
import { compareVariants, report } from './compare-variants.mjs';
import { neonFlags } from './compile.mjs';

const has = (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;

const native = process.arch === 'arm64';
const compiler = native ? 'cc' : 'aarch64-linux-gnu-gcc';
const emulator = native ? undefined : 'qemu-aarch64-static';
const missing = [compiler, emulator].find((name) => name && !has(name));

if (missing) console.log(`skipped: ${missing} is not installed (Debian: gcc-aarch64-linux-gnu, qemu-user-static)`);
else report('neon', await compareVariants('neon', { compiler, flags: neonFlags, link: ['-static'], emulator }));
