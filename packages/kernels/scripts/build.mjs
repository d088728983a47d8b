/**
 * Builds the kernels: `node scripts/build.mjs native` (the machine's C compiler, one object per instruction set, one
 * Node-API library) and `node scripts/build.mjs wasm` (npm's clang). Without an argument it builds what it can and says
 * what it left out. Outputs go to build/.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { opcodesHeader } from '../../tensor/src/opcodes.ts';
import { buildWasm, wasmModules } from './build-wasm.mjs';
import { amxFlags, common, compileAll, findCompiler, knowsAmx, variants } from './compile.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'src/c');
const build = join(root, 'build');
const require = createRequire(import.meta.url);

function upToDate(output) {
  if (!existsSync(output)) return false;
  const built = statSync(output).mtimeMs;
  return [fileURLToPath(import.meta.url), ...readdirSync(source).map((name) => join(source, name))].every(
    (file) => statSync(file).mtimeMs < built,
  );
}

function writeHeader() {
  const path = join(source, 'opcodes.h');
  const text = opcodesHeader();
  if (!existsSync(path) || require('node:fs').readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
}

export async function buildNative() {
  const list = variants[process.arch];
  const output = join(build, `gallop-${process.platform}-${process.arch}.node`);
  if (process.platform === 'win32' || !list)
    return `no native kernels for ${process.platform}-${process.arch}: the wasm backend is used`;
  if (upToDate(output)) return undefined;
  const compiler = findCompiler();
  if (!compiler) return 'no C compiler found (tried CC, cc, gcc, clang): the wasm backend is used';
  const headers = require('node-api-headers').include_dir;
  const withAmx = knowsAmx(compiler);
  const compiled = { ...list, ...(withAmx && { amx: amxFlags }) };
  const objects = Object.keys(compiled).map((name) => join(build, `${name}.o`));
  await compileAll(
    compiler,
    Object.entries(compiled).map(([name, flags], index) => [
      ...[...common, ...flags, '-fPIC', `-DVARIANT_NAME=${name}`],
      ...['-c', join(source, 'run.c'), '-o', objects[index]],
    ]),
  );
  const temporary = `${output}.${process.pid}`;
  const link = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
  execFileSync(
    compiler,
    [
      ...common,
      '-fPIC',
      '-shared',
      ...link,
      `-I${headers}`,
      '-DNODE_GYP_MODULE_NAME=gallop',
      ...(withAmx ? ['-DGALLOP_WITH_AMX'] : []),
      join(source, 'node-addon.c'),
      ...objects,
      '-o',
      temporary,
      '-lpthread',
      '-lm',
    ],
    { stdio: 'inherit' },
  );
  renameSync(temporary, output);
  for (const object of objects) rmSync(object);
  return undefined;
}

mkdirSync(build, { recursive: true });
writeHeader();
if (process.argv[2] !== 'native' && !wasmModules.every((name) => upToDate(join(build, `gallop-${name}`))))
  await buildWasm(source, build);
if (process.argv[2] !== 'wasm') {
  const reason = await buildNative();
  if (reason) console.error(`gallop kernels: ${reason}`);
}
