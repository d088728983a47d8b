/** The same for browsers, which have neither paths nor native code. */

import { GallopError } from '@gallop/core';
import type { ByteSource, HuggingFaceModel } from '@gallop/formats';
import type { Backend } from '@gallop/tensor';

export const openPath = async (path: string): Promise<ByteSource> => {
  throw new GallopError(
    'unsupported',
    `Expected a URL, a Blob or a ByteSource, since a browser has no files by path; received "${path}"; pass one of these.`,
  );
};

export const openHub = async (repository: string, path: string, _options: object): Promise<ByteSource> => {
  throw new GallopError(
    'unsupported',
    `Expected a URL, a Blob or a ByteSource, since a browser has no cache on disk; received hf:${repository}/${path}; pass the file's https URL.`,
  );
};

export const openFolder = async (_path: string): Promise<HuggingFaceModel | undefined> => undefined;

export const openHubCheckpoint = async (repository: string, _options: object): Promise<HuggingFaceModel> => {
  throw new GallopError(
    'unsupported',
    `Expected the files of a checkpoint, since a browser has no cache on disk; received hf:${repository}; pass { name, config, weights, tokenizer }.`,
  );
};

export const createNative = async (_options: { readonly threads?: number }): Promise<Backend> => {
  throw new GallopError(
    'backend-unavailable',
    'Expected Node for the native backend; this is a browser; use the wasm backend.',
  );
};

export const environmentVariable = (_name: string): string | undefined => undefined;
