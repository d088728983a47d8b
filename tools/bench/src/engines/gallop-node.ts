/** Gallop in Node, through the package that users install. */

import { nativeVariants } from '@gallop/backend-native';
import { wasmVariants } from '@gallop/backend-wasm';
import { type Code, runWorker } from '../harness/worker-process.ts';
import type { GallopTask } from '../workers/gallop-generate.ts';
import type { Engine, EngineRun } from './engine.ts';

export type NodeBackend = GallopTask['backend'];

/** The instruction set that a backend chooses on this machine. */
export const chosenVariant = (backend: NodeBackend): string =>
  backend === 'native'
    ? (process.env.GALLOP_NATIVE_VARIANT ?? nativeVariants()[0])
    : (process.env.GALLOP_WASM_VARIANT ?? wasmVariants()[0]);

/** @throws GallopError `backend-unavailable` when the machine cannot run the backend */
export const gallopInNode = (backend: NodeBackend, threads: readonly number[], code: Code): Engine => ({
  name: `gallop ${backend} (${chosenVariant(backend)})`,
  role: { side: 'ours', conditions: 'node', label: backend, goals: backend },
  start: { threads: Math.max(...threads) },
  axes: [{ name: 'threads', values: threads }],
  run: ({ model, promptIds, newTokens }, settings): Promise<EngineRun> =>
    runWorker<GallopTask, EngineRun>(
      'gallop-generate',
      { model, promptIds, newTokens, backend, threads: Number(settings.threads) },
      { code },
    ),
});
