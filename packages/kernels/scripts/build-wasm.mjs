/**
 * Builds the wasm modules with npm's clang, which itself runs as wasm: no system compiler is needed. One compilation per
 * instruction set, one worker each; two links of each, over plain and over shared memory.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const instructionSets = { simd: ['-msimd128'], relaxed: ['-msimd128', '-mrelaxed-simd'] };
const flags = [
  '--target=wasm32-wasip1',
  '-O3',
  '-std=gnu11',
  '-ffp-contract=off',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-matomics',
  '-mbulk-memory',
  '-mnontrapping-fptoint',
  '-nostdlib',
];
const link = ['-Wl,--no-entry', '-Wl,--import-memory', '-Wl,--export=__stack_pointer', '-Wl,--export=__heap_base'];
const layout = ['-Wl,--stack-first', '-Wl,-z,stack-size=262144', '-Wl,--max-memory=4294967296', '-Wl,--strip-all'];

/** The modules that `buildWasm` writes. */
export const wasmModules = Object.keys(instructionSets).flatMap((set) => [`${set}.wasm`, `${set}-threads.wasm`]);

async function compile({ set, source, build }) {
  const { runClang } = await import('@yowasp/clang');
  const files = Object.fromEntries(readdirSync(source).map((name) => [name, readFileSync(join(source, name), 'utf8')]));
  const run = async (args, inputs) => {
    try {
      return await runClang(['clang', ...flags, ...instructionSets[set], `-DVARIANT_NAME=${set}`, ...args], inputs, {
        stdout: null,
        stderr: (bytes) => bytes && process.stderr.write(bytes),
      });
    } catch (error) {
      throw new Error(`clang failed on the ${set} kernels: ${error.message}`);
    }
  };
  const objects = {};
  for (const name of ['run', 'wasm-main'])
    objects[`${name}.o`] = (await run(['-c', `${name}.c`, '-o', `${name}.o`], files))[`${name}.o`];
  for (const [suffix, extra] of Object.entries({ '': [], '-threads': ['-Wl,--shared-memory'] })) {
    const name = `${set}${suffix}.wasm`;
    const output = await run([...Object.keys(objects), ...link, ...layout, ...extra, '-o', name], objects);
    writeFileSync(join(build, `gallop-${name}`), output[name]);
  }
}

/** Compiles every module from `source` into `build`. */
export async function buildWasm(source, build) {
  mkdirSync(build, { recursive: true });
  await Promise.all(
    Object.keys(instructionSets).map(
      (set) =>
        new Promise((resolve, reject) => {
          new Worker(new URL(import.meta.url), { workerData: { set, source, build } })
            .once('error', reject)
            .once('exit', resolve);
        }),
    ),
  );
}

if (!isMainThread) await compile(workerData);
