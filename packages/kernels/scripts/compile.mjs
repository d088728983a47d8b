/** How the machine's C compiler is called: flags that keep rounding the same everywhere, and several files at once. */
import { execFile } from 'node:child_process';
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

/** Runs the compiler once per list of arguments, at the same time. */
export async function compileAll(compiler, calls) {
  await Promise.all(
    calls.map(async (args) => {
      const { stderr } = await promisify(execFile)(compiler, args);
      process.stderr.write(stderr);
    }),
  );
}
