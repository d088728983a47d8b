/** How the machine's C compiler is called: flags that keep rounding the same everywhere, and several files at once. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

/** No fused multiply-add, and nothing that rounds differently. */
export const common = [
  '-O3',
  '-std=gnu11',
  '-ffp-contract=off',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
];

export const neonFlags = ['-march=armv8.2-a+dotprod+fp16'];

/** Instruction sets by processor architecture, the plainest first, with the flags that switch them on. */
export const variants = {
  x64: {
    portable: [],
    avx2: ['-mavx2', '-mf16c', '-mno-fma'],
    avx512vnni: [
      '-mavx512f',
      '-mavx512bw',
      '-mavx512vl',
      '-mavx512dq',
      '-mavx512vnni',
      '-mavx2',
      '-mf16c',
      '-mprefer-vector-width=512',
    ],
  },
  arm64: { portable: ['-march=armv8-a'], neon: neonFlags },
};

/** Intel's matrix unit, where the compiler knows it; asked for by name, because nobody measured it yet. */
export const amxFlags = [...variants.x64.avx512vnni, '-mamx-tile', '-mamx-int8', '-DGALLOP_TILES=1'];
export function knowsAmx(compiler) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  const flags = [...amxFlags, '-fsyntax-only', '-x', 'c', '-'];
  return spawnSync(compiler, flags, { input: '', stdio: 'pipe' }).status === 0;
}

/** The name of a C compiler that runs, if there is one. */
export function findCompiler() {
  for (const name of [process.env.CC, 'cc', 'gcc', 'clang'])
    if (name && spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0) return name;
  return undefined;
}

/** Runs the compiler once per list of arguments, at the same time. */
export async function compileAll(compiler, calls) {
  await Promise.all(
    calls.map(async (args) => {
      const { stderr } = await promisify(execFile)(compiler, args);
      process.stderr.write(stderr);
    }),
  );
}
