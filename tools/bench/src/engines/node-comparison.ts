/** The engines in Node: our native and wasm backends, and node-llama-cpp when it is asked for. */

import { GallopError } from '@gallop/core';
import type { DecodeOptions } from '../commands/decode.ts';
import { describeMachine } from '../harness/machine.ts';
import { findPeer } from '../inputs/peers.ts';
import type { DecodeGoals } from '../report/decode-sections.ts';
import { atLeast, atMost } from '../report/goal.ts';
import type { Comparison } from './comparison.ts';
import type { Engine } from './engine.ts';
import { gallopInNode, type NodeBackend } from './gallop-node.ts';
import { nodeLlamaCpp } from './node-llama-cpp.ts';

/** Matrix units make prompts cheaper than on other machines, so more is asked of them there. */
const goalsOf = (instructions: readonly string[]): DecodeGoals => ({
  native: {
    decode: atLeast(2.5),
    prefill: atLeast(instructions.includes('amx_int8') ? 3 : 1.5),
    firstToken: atMost(1),
    memory: atMost(1),
  },
  wasm: { decode: atLeast(0.5) },
});

/** @throws GallopError `not-found` without the peer */
export const compareInNode = async (options: DecodeOptions): Promise<Comparison> => {
  const { against, threads, code } = options;
  const engines: Engine[] = [];
  const skipped: string[] = [];
  for (const backend of ['native', 'wasm'] satisfies NodeBackend[]) {
    try {
      engines.push(gallopInNode(backend, threads, code));
    } catch (error) {
      if (!GallopError.isInstance(error, 'backend-unavailable')) throw error;
      skipped.push(`backend ${backend}: ${error.message}`);
    }
  }
  if (against === 'node-llama-cpp') {
    engines.push(nodeLlamaCpp(findPeer(against, options.peers), threads, code));
  }
  return {
    engines,
    skipped,
    goals: goalsOf(describeMachine().instructions),
    readsMemory: true,
    tuning: { workShare: 1, runs: 2 },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
};
