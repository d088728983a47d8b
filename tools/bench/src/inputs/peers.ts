/**
 * The libraries to compare with. They are no dependencies of the workspace: a benchmark looks for them in a folder that
 * the user fills with npm, and says how when one is missing.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { GallopError } from '@gallop/core';

/** Package and the version that the documented figures were measured with. */
export const peerVersions: Readonly<Record<string, string>> = {
  'node-llama-cpp': '3.22.1',
  '@wllama/wllama': '3.8.1',
  '@huggingface/tokenizers': '0.2.0',
};

export interface Peer {
  readonly name: string;
  /** The version that was found. */
  readonly version: string;
  /** Its package folder. */
  readonly folder: string;
}

/** Finds a peer below `folder/node_modules`. @throws GallopError `not-found` saying how to install it */
export const findPeer = (name: string, folder: string): Peer => {
  const require = createRequire(path.join(path.resolve(folder), 'peers.js'));
  const [manifest] = [`./node_modules/${name}/package.json`].flatMap((request) => {
    try {
      return [require.resolve(request)];
    } catch {
      return [];
    }
  });
  if (manifest === undefined) {
    throw new GallopError(
      'not-found',
      `Expected ${name} in the folder of --peers or GALLOP_BENCH_PEERS; received ${folder}, which does not hold it; install it with "npm install --prefix ${folder} ${name}@${peerVersions[name]}".`,
    );
  }
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return { name, version, folder: path.dirname(manifest) };
};
