/**
 * node-llama-cpp (llama.cpp in Node) at its best: processor only, its lowest public evaluation loop, a prompt in one batch,
 * and the thread count and flash attention setting that are fastest on this machine.
 */

import path from 'node:path';
import { type Code, runWorker } from '../harness/worker-process.ts';
import type { Peer } from '../inputs/peers.ts';
import type { LlamaTask } from '../workers/llama-generate.ts';
import type { Engine, EngineRun } from './engine.ts';

export const nodeLlamaCpp = (peer: Peer, threads: readonly number[], code: Code): Engine => ({
  name: `node-llama-cpp ${peer.version}`,
  role: { side: 'peer', conditions: 'node', label: 'node-llama-cpp', goals: '' },
  start: { threads: Math.max(...threads), flashAttention: true },
  axes: [
    { name: 'threads', values: threads },
    { name: 'flashAttention', values: [true, false] },
  ],
  run: (work, settings): Promise<EngineRun> =>
    runWorker<LlamaTask, EngineRun>(
      'llama-generate',
      {
        ...work,
        entry: path.join(peer.folder, 'dist', 'index.js'),
        threads: Number(settings.threads),
        flashAttention: settings.flashAttention === true,
      },
      { code },
    ),
});
