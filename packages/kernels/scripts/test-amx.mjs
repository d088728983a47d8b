/**
 * Checks the kernel for Intel's matrix unit against portable code, with a model of the unit's instructions instead of the
 * unit (test/tiles-model.h), so that it runs on every processor with AVX-512. Skips with the reason elsewhere.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareVariants, report } from './compare-variants.mjs';
import { findCompiler, variants } from './compile.mjs';

const runsVnni = 'int main(void) { __builtin_cpu_init(); return !__builtin_cpu_supports("avx512vnni"); }';

/** Whether a program of this machine's compiler can use AVX-512 with VNNI. */
function findVnni(compiler) {
  if (process.arch !== 'x64' || !compiler) return false;
  const folder = mkdtempSync(join(tmpdir(), 'gallop-vnni-'));
  const program = join(folder, 'probe');
  const built = spawnSync(compiler, ['-x', 'c', '-', '-o', program], { input: runsVnni });
  const works = built.status === 0 && spawnSync(program).status === 0;
  rmSync(folder, { recursive: true });
  return works;
}

const compiler = findCompiler();
if (!findVnni(compiler)) console.log('skipped: no C compiler, or no AVX-512 with VNNI');
else report('amx', await compareVariants('amx', { compiler, flags: [...variants.x64.avx512vnni, '-DGALLOP_TILES=2'] }));
