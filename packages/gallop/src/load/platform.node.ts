/** What loading a model needs of Node: files by path, the native backend, environment variables. */

import { fileURLToPath } from 'node:url';
import type { ByteSource } from '@gallop/formats';
import type { Backend } from '@gallop/tensor';
import type { LoadModelOptions } from './model.ts';

/** Downloads a file of the Hugging Face hub into its shared cache, unless it is there, and opens it. */
export const openHub = async (
  repository: string,
  path: string,
  { signal, onProgress }: Pick<LoadModelOptions, 'signal' | 'onProgress'>,
): Promise<ByteSource> => {
  const { downloadHubFile, openFile } = await import('@gallop/formats/node');
  const file = await downloadHubFile(repository, path, {
    ...(signal && { signal }),
    ...(onProgress && {
      onProgress: ({ receivedBytes, totalBytes }) =>
        onProgress({ phase: 'download', loadedBytes: receivedBytes, totalBytes }),
    }),
  });
  return openFile(file.path);
};

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
