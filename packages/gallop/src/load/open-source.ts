/** Opens a model file, whatever names it. */

import { GallopError } from '@gallop/core';
import { type ByteSource, blobSource, type GgufFile, type HuggingFaceModel, openGguf, openHttp } from '@gallop/formats';
import type { ModelFiles } from '@gallop/models';
import { openFolder, openHub, openHubCheckpoint, openPath } from '#platform';
import type { LoadModelOptions } from './model.ts';

/**
 * A path or `file:` URL (Node), `hf:OWNER/NAME/FILE` of the Hugging Face hub (Node; kept in its shared cache), an
 * `http(s):` URL, a Blob or File, or a ByteSource of `@gallop/formats`.
 */
export type ModelSource = string | URL | Blob | ByteSource;

/**
 * What can be loaded: a GGUF file, or a Hugging Face checkpoint: a folder with config.json, safetensors and tokenizer.json (Node),
 * `hf:OWNER/NAME` for a repository of such files (Node), or the files themselves.
 */
export type LoadableSource = ModelSource | HuggingFaceModel;

/** What opening may report and be cancelled by. */
export type OpenOptions = Pick<LoadModelOptions, 'signal' | 'onProgress'>;

/**
 * Opens a GGUF file and reads its header.
 *
 * @throws GallopError `not-found`, `invalid-argument` (a directory), `invalid-file`, `download-failed`
 */
export const openModelFile = async (source: ModelSource, options: OpenOptions = {}): Promise<GgufFile> => {
  const bytes = await openBytes(source, options);
  try {
    return await openGguf(bytes);
  } catch (error) {
    bytes.close();
    throw error;
  }
};

/**
 * Opens what a model is loaded from. Close it with `closeFiles`.
 *
 * @throws GallopError as `openModelFile`
 */
export const openModelFiles = async (source: LoadableSource, options: OpenOptions = {}): Promise<ModelFiles> => {
  if (typeof source === 'object' && 'config' in source) return source;
  const name = typeof source === 'string' || source instanceof URL ? String(source) : '';
  const repository = /^hf:([^/]+\/[^/]+)$/i.exec(name)?.[1];
  if (repository !== undefined) return openHubCheckpoint(repository, options);
  const isPath = name !== '' && !/^(https?|hf):/i.test(name);
  return (isPath ? await openFolder(name) : undefined) ?? openModelFile(source as ModelSource, options);
};

/** Gives back what `openModelFiles` holds open. */
export const closeFiles = (files: ModelFiles): void => {
  if ('metadata' in files) files.close();
  else files.weights.close();
};

const openBytes = async (source: ModelSource, options: OpenOptions): Promise<ByteSource> => {
  if (source instanceof Blob) return blobSource(source);
  if (typeof source !== 'string' && !(source instanceof URL)) return source;
  const name = String(source);
  if (/^https?:/i.test(name)) return openHttp(name, options.signal === undefined ? {} : { signal: options.signal });
  if (/^hf:/i.test(name)) return openHub(...hubFile(name), options);
  return openPath(name);
};

/** Repository and path of `hf:OWNER/NAME/PATH`. */
const hubFile = (name: string): [repository: string, path: string] => {
  const parts = /^hf:([^/]+\/[^/]+)\/(.+)$/i.exec(name);
  if (parts !== null) return [parts[1], parts[2]];
  throw new GallopError(
    'invalid-argument',
    `Expected hf:OWNER/NAME/FILE, such as hf:someone/model-GGUF/model.Q4_1.gguf; received "${name}"; name the file.`,
  );
};
