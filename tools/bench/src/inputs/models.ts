/** The model files to measure: those that were named, or the two real models of the workspace. */

import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { GallopError } from '@gallop/core';

/** What `pnpm run models:fetch` puts into the models folder. */
export const realModels: readonly string[] = ['SmolLM2-135M-Instruct.Q4_1.gguf', 'gemma-3-270m-q4_k_m.gguf'];

/**
 * @param named paths of the command line; without any, the real models in `folder`
 * @throws GallopError `not-found` or `invalid-argument` (a directory) for the first that cannot be measured
 */
export const findModels = (named: readonly string[], folder: string): readonly string[] => {
  const files = named.length > 0 ? named : realModels.map((name) => path.join(folder, name));
  for (const file of files) {
    if (!existsSync(file)) {
      const remedy =
        named.length > 0
          ? 'name an existing GGUF file'
          : 'fetch it with "npm run models:fetch", or name one by --model';
      throw new GallopError('not-found', `Expected a model file; received ${file}, which does not exist; ${remedy}.`);
    }
    if (!statSync(file).isFile()) {
      throw new GallopError(
        'invalid-argument',
        `Expected a model file; received the folder ${file}; name a GGUF file.`,
      );
    }
  }
  return files.map((file) => path.resolve(file));
};

/** The name of a model file in tables. */
export const modelName = (file: string): string => path.basename(file).replace(/\.gguf$/, '');
