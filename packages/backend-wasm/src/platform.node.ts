/** Node: modules are read from disk, helpers are worker threads that never keep the process alive. */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Helper, type HelperStart, helperProgram } from './helper.ts';

export async function compileModule(url: URL): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(url));
}

export function machineThreads(): number {
  return availableParallelism();
}

/** The instruction set that the environment asks for. */
export function requestedVariant(): string | undefined {
  return process.env.GALLOP_WASM_VARIANT;
}

export function startHelper(start: HelperStart): Promise<Helper> {
  const program = `${helperProgram}
const { parentPort, workerData } = require('node:worker_threads');
serve(workerData, () => parentPort.postMessage('ready'));`;
  const worker = new Worker(program, { eval: true, workerData: start, execArgv: [] });
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', () => {
      worker.off('error', reject);
      worker.unref();
      resolve({ terminate: () => void worker.terminate() });
    });
  });
}
