/**
 * Runs test/fuzz.c under the address and undefined-behaviour sanitizers, on portable code and on the best instruction
 * set of this machine: `node scripts/test-sanitize.mjs [seed] [lists]`. Skips with the reason where there is no compiler
 * or it has no sanitizers.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { common, compileAll, findCompiler, variants } from './compile.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [seed = '1', lists = '1500'] = process.argv.slice(2);

/** Checks of every pointer operation triple the compile time and find nothing that the address sanitizer does not. */
const sanitizers = [
  '-fsanitize=address,undefined',
  '-fno-sanitize=object-size,null,pointer-overflow,bounds',
  '-fno-sanitize-recover=all',
];

/** Exit status 2 for AVX-512 with VNNI, 1 for AVX2, 0 for neither; also shows whether sanitized programs run at all. */
const probe = `int main(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return 2;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c")) return 1;
#elif defined(__ARM_FEATURE_DOTPROD)
  return 1;
#endif
  return 0;
}`;

const environment = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' };

/** The plainest variant and the best one that runs here, or why none can be tested. */
function findVariants(compiler, folder) {
  const list = Object.keys(variants[process.arch] ?? {});
  if (!compiler) return { reason: 'no C compiler found (tried CC, cc, gcc, clang)' };
  if (list.length === 0) return { reason: `no native kernels for ${process.arch}` };
  const program = join(folder, 'probe');
  const compiled = spawnSync(compiler, [...sanitizers, '-x', 'c', '-', '-o', program], { input: probe });
  if (compiled.status !== 0) return { reason: `${compiler} has no address and undefined-behaviour sanitizers` };
  const { status } = spawnSync(program, { env: environment });
  if (status === null || status >= list.length) return { reason: 'sanitized programs do not run on this machine' };
  return { tested: [...new Set([list[0], list[status]])] };
}

async function buildFuzzers(compiler, folder, tested) {
  const calls = tested.map((name) => [
    ...[...common, '-O1', '-g1', ...sanitizers, ...variants[process.arch][name], `-DVARIANT_NAME=${name}`],
    ...['-c', join(root, 'src/c/run.c'), '-o', join(folder, `${name}.o`)],
  ]);
  await compileAll(compiler, calls);
  const links = tested.map((name) => [
    ...[...common, '-O1', '-g1', '-Wno-unused-function', ...sanitizers, `-DVARIANT_NAME=${name}`],
    ...[join(root, 'test/fuzz.c'), join(folder, `${name}.o`), '-o', join(folder, name), '-lpthread', '-lm'],
  ]);
  await compileAll(compiler, links);
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'gallop-sanitize-'));
  try {
    const compiler = findCompiler();
    const { reason, tested } = findVariants(compiler, folder);
    if (reason) return console.log(`skipped: ${reason}`);
    await buildFuzzers(compiler, folder, tested);
    for (const name of tested) {
      const options = { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', env: environment };
      const { status, stdout } = spawnSync(join(folder, name), [seed, lists], options);
      console.log(`${name}: ${status === 0 ? `no fault in ${stdout.trim()}` : `a fault (status ${status})`}`);
      if (status !== 0) process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await main();
