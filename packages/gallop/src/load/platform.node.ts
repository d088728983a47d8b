/** What loading a model needs of Node: files by path, the native backend, environment variables. */

import { fileURLToPath } from 'node:url';
import type { ByteSource } from '@gallop/formats';
import type { Backend } from '@gallop/tensor';

/** Opens a file by its path or `file:` URL. */
export const openPath = async (path: string): Promise<ByteSource> => {
  const { openFile } = await import('@gallop/formats/node');
  return openFile(/^file:/i.test(path) ? fileURLToPath(path) : path);
};

export const createNative = async (options: { readonly threads?: number }): Promise<Backend> => {
  const { createNativeBackend } = await import('@gallop/backend-native');
  return createNativeBackend(options);
};

export const environmentVariable = (name: string): string | undefined => process.env[name];
