/** Browsers: modules are fetched, helpers are workers made from a text. */
import { type Helper, type HelperStart, helperProgram } from './helper.ts';

export async function compileModule(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

export function machineThreads(): number {
  return navigator.hardwareConcurrency || 1;
}

export function requestedVariant(): string | undefined {
  return undefined;
}

export function startHelper(start: HelperStart): Promise<Helper> {
  const program = `${helperProgram}
onmessage = ({ data }) => serve(data, () => postMessage('ready'));`;
  const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
  const worker = new Worker(url);
  return new Promise<Helper>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message || 'the worker did not start'));
    worker.onmessage = () => resolve({ terminate: () => worker.terminate() });
    worker.postMessage(start);
  }).finally(() => URL.revokeObjectURL(url));
}
