/** What loading a model needs of Node: files by path, the native backend, environment variables. */

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { GallopError } from '@gallop/core';
import type { ByteSource, HuggingFaceModel } from '@gallop/formats';
import type { DownloadOptions } from '@gallop/formats/node';
import type { Backend } from '@gallop/tensor';
import type { LoadModelOptions } from './model.ts';

type Watched = Pick<LoadModelOptions, 'signal' | 'onProgress'>;

const downloadOptions = ({ signal, onProgress }: Watched): DownloadOptions => ({
  ...(signal && { signal }),
  ...(onProgress && {
    onProgress: ({ receivedBytes, totalBytes }) =>
      onProgress({ phase: 'download', loadedBytes: receivedBytes, totalBytes }),
  }),
});

/** Downloads a file of the Hugging Face hub into its shared cache, unless it is there, and opens it. */
export const openHub = async (repository: string, file: string, options: Watched): Promise<ByteSource> => {
  const { downloadHubFile, openFile } = await import('@gallop/formats/node');
  const found = await downloadHubFile(repository, file, downloadOptions(options));
  return openFile(found.path);
};

const pathOf = (name: string): string => (/^file:/i.test(name) ? fileURLToPath(name) : name);

/** Opens a file by its path or `file:` URL. */
export const openPath = async (name: string): Promise<ByteSource> => {
  const { openFile } = await import('@gallop/formats/node');
  return openFile(pathOf(name));
};

/** Opens a folder with a Hugging Face checkpoint; undefined where the name is no folder. */
export const openFolder = async (name: string): Promise<HuggingFaceModel | undefined> => {
  const isFolder = await stat(pathOf(name)).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return undefined;
  const { openHuggingFaceFolder } = await import('@gallop/formats/node');
  return openHuggingFaceFolder(pathOf(name));
};

/** Downloads a checkpoint of the Hugging Face hub into its shared cache, unless it is there, and opens it. */
export const openHubCheckpoint = async (repository: string, watched: Watched): Promise<HuggingFaceModel> => {
  const { downloadHubFile, listHubFiles, openHuggingFaceFolder } = await import('@gallop/formats/node');
  const names = await listHubFiles(repository, watched.signal && { signal: watched.signal }).then(
    (entries) => entries.map((entry) => entry.path),
    (error) => {
      // Without a network, the cached snapshot is what there is.
      if (GallopError.isInstance(error, 'download-failed')) return undefined;
      throw error;
    },
  );
  if (names !== undefined && !names.includes('config.json')) throw noCheckpoint(repository, names);
  const config = await downloadHubFile(repository, 'config.json', downloadOptions(watched));
  for (const name of checkpointFiles(names ?? [])) await downloadHubFile(repository, name, downloadOptions(watched));
  return openHuggingFaceFolder(path.dirname(config.path));
};

/** The files of a repository that a checkpoint consists of. */
const checkpointFiles = (names: readonly string[]): string[] => {
  const index = 'model.safetensors.index.json';
  const isWeights = (name: string): boolean =>
    names.includes(index)
      ? name === index || /^model-\d+-of-\d+\.safetensors$/.test(name)
      : name === 'model.safetensors';
  const texts = ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'];
  return names.filter((name) => texts.includes(name) || isWeights(name));
};

const noCheckpoint = (repository: string, names: readonly string[]): GallopError => {
  const files = names.filter((name) => name.endsWith('.gguf'));
  const instead =
    files.length > 0
      ? `name one of its GGUF files, such as hf:${repository}/${files[0]}`
      : 'choose a repository with config.json and safetensors, or with GGUF files';
  return new GallopError('not-found', `Expected a model in hf:${repository}; it has no config.json; ${instead}.`);
};

export const createNative = async (options: { readonly threads?: number }): Promise<Backend> => {
  const { createNativeBackend } = await import('@gallop/backend-native');
  return createNativeBackend(options);
};

export const environmentVariable = (name: string): string | undefined => process.env[name];
