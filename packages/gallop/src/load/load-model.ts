/** `loadModel`: a model file becomes a model that generates. */

import { GallopError } from '@gallop/core';
import type { HuggingFaceModel } from '@gallop/formats';
import { loadLanguageModel, type ModelFiles } from '@gallop/models';
import type { Backend } from '@gallop/tensor';
import { type Tokenizer, tokenizerFromGguf, tokenizerFromJson } from '@gallop/tokenizer';
import { createNative, environmentVariable } from '#platform';
import type { LoadModelOptions, Model } from './model.ts';
import { closeFiles, type LoadableSource, openModelFiles } from './open-source.ts';
import { type BackendFactory, type BackendName, selectBackend } from './select-backend.ts';
import { tokenizerCodec } from './tokenizer-codec.ts';

const factories: Readonly<Record<BackendName, BackendFactory>> = {
  native: createNative,
  wasm: async (options) => {
    const { createWasmBackend } = await import('@gallop/backend-wasm');
    return createWasmBackend(options);
  },
  reference: async () => {
    const { createReferenceBackend } = await import('@gallop/tensor');
    return createReferenceBackend();
  },
};

/**
 * Loads a language model: a GGUF file, or a Hugging Face checkpoint of config.json, safetensors and tokenizer.json.
 *
 * @param source path of a file or folder, `file:` URL, `hf:OWNER/NAME/FILE` or `hf:OWNER/NAME` (Node), `http(s):` URL, Blob, File,
 *   ByteSource, or the open files of a checkpoint
 * @throws GallopError `not-found`, `invalid-file`, `download-failed`, `unsupported` (architecture or format),
 *   `invalid-argument`, `backend-unavailable`, `out-of-memory`; `signal.reason` when cancelled
 */
export const loadModel = async (source: LoadableSource, options: LoadModelOptions = {}): Promise<Model> => {
  const { signal } = options;
  signal?.throwIfAborted();
  const files = await openModelFiles(source, options);
  try {
    const backend = await selectBackend(options, factories, environmentVariable('GALLOP_BACKEND'));
    try {
      return await loadOnto(backend, files, options);
    } catch (error) {
      backend.dispose();
      throw error;
    }
  } finally {
    closeFiles(files);
  }
};

const tokenizerOf = (files: ModelFiles): Tokenizer =>
  'metadata' in files ? tokenizerFromGguf(files.metadata) : checkpointTokenizer(files);

const checkpointTokenizer = ({ tokenizer, tokenizerConfig, chatTemplate }: HuggingFaceModel): Tokenizer => {
  if (tokenizer === undefined)
    throw new GallopError(
      'not-found',
      'Expected tokenizer.json beside config.json; there is none; download it, or use loadLanguageModel of @gallop/models with ids.',
    );
  if (chatTemplate === undefined) return tokenizerFromJson(tokenizer, tokenizerConfig);
  return tokenizerFromJson(tokenizer, { ...JSON.parse(tokenizerConfig ?? '{}'), chat_template: chatTemplate });
};

const loadOnto = async (
  backend: Backend,
  files: ModelFiles,
  { activations = 'q8', contextLength, signal, onProgress }: LoadModelOptions,
): Promise<Model> => {
  const tokenizer = tokenizerOf(files);
  const languageModel = await loadLanguageModel(files, backend, {
    activations,
    ...(contextLength !== undefined && { contextLength }),
    ...(signal && { signal }),
    ...(onProgress && {
      onProgress: (loadedBytes: number, totalBytes: number) => onProgress({ phase: 'load', loadedBytes, totalBytes }),
    }),
  });
  const dispose = (): void => {
    languageModel.dispose();
    backend.dispose();
  };
  return {
    languageModel,
    codec: tokenizerCodec(tokenizer, languageModel.tokens.endOfGeneration),
    backend: backend.name,
    threads: backend.threads,
    hasChatTemplate: tokenizer.hasChatTemplate(),
    dispose,
    [Symbol.dispose]: dispose,
  };
};
