/** The tokenizer libraries to compare: ours, Hugging Face's for JavaScript, and its Rust library through Python. */

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { GallopError } from '@gallop/core';
import { type Code, runWorker } from '../harness/worker-process.ts';
import { findPeer } from '../inputs/peers.ts';
import type { TokenizeRun, TokenizeTask } from '../workers/tokenize.ts';

/** What every library is told. */
export type TokenizeWork = Omit<TokenizeTask, 'entry'>;

export interface TokenizerLibrary {
  readonly name: string;
  /** @throws GallopError when it fails or exceeds the time limit */
  run(work: TokenizeWork): Promise<TokenizeRun>;
}

/** Libraries that are there, and why others are not. */
export interface TokenizerLibraries {
  readonly libraries: readonly TokenizerLibrary[];
  readonly skipped: readonly string[];
}

export const OURS = 'gallop';
export const JAVASCRIPT = '@huggingface/tokenizers';
export const RUST = 'tokenizers (Rust)';

/** A library that is quadratic in a worst case would run for hours. */
const LIMIT_MILLISECONDS = 60_000;

const script = fileURLToPath(new URL('../workers/tokenize.py', import.meta.url));

const inNode = (name: string, entry: string | undefined, code: Code): TokenizerLibrary => ({
  name,
  run: (work) =>
    runWorker<TokenizeTask, TokenizeRun>('tokenize', entry === undefined ? work : { ...work, entry }, {
      code,
      limitMilliseconds: LIMIT_MILLISECONDS,
    }),
});

const inPython = (python: string): TokenizerLibrary => ({
  name: RUST,
  run: async ({ tokenizer, corpus, warmUpMilliseconds }) => {
    const args = [script, tokenizer, corpus, String(warmUpMilliseconds)];
    const { status, stdout, stderr, signal } = spawnSync(python, args, {
      encoding: 'utf8',
      timeout: LIMIT_MILLISECONDS,
    });
    if (status === 0) return JSON.parse(stdout) as TokenizeRun;
    throw new GallopError('invalid-state', `The Rust tokenizers ended with ${signal ?? status}: ${stderr.slice(-500)}`);
  },
});

/** @param python the interpreter to look for the Rust library in */
export const tokenizerLibraries = (peers: string, python: string, code: Code): TokenizerLibraries => {
  const libraries = [inNode(OURS, undefined, code)];
  const skipped: string[] = [];
  try {
    const { folder } = findPeer(JAVASCRIPT, peers);
    libraries.push(inNode(JAVASCRIPT, path.join(folder, 'dist', 'tokenizers.mjs'), code));
  } catch (error) {
    if (!GallopError.isInstance(error, 'not-found')) throw error;
    skipped.push(error.message);
  }
  const probe = spawnSync(python, ['-c', 'import tokenizers'], { encoding: 'utf8' });
  if (probe.status === 0) libraries.push(inPython(python));
  else {
    skipped.push(
      `${RUST}: ${python} cannot import it; install it with "pip install tokenizers", or name an interpreter that has it by GALLOP_BENCH_PYTHON.`,
    );
  }
  return { libraries, skipped };
};
