/**
 * Finds the real model files that some cases run over, in the folder `GALLOP_MODELS` or else `models/` of this
 * repository, and checks their SHA-256 once per process.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SkipCase } from './registry.ts';

const hashes = new Map<string, Promise<string>>();

/** The folder that holds real model files. */
export function modelsFolder(): string {
  return process.env.GALLOP_MODELS || fileURLToPath(new URL('../../../models', import.meta.url));
}

/** Path of a real file. @throws SkipCase when it is absent, Error when it is another file of the same name. */
export async function findRealFile(name: string, sha256: string): Promise<string> {
  const path = join(modelsFolder(), name);
  if (!existsSync(path))
    throw new SkipCase(`${name} is not in ${modelsFolder()}; set GALLOP_MODELS or run models:fetch`);
  let hash = hashes.get(path);
  if (hash === undefined) {
    hash = hashFile(path);
    hashes.set(path, hash);
  }
  const found = await hash;
  if (found !== sha256) throw new Error(`expected ${path} with SHA-256 ${sha256}; it has ${found}`);
  return path;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
