/** `loadModel`: a model file becomes a model that generates. */

import type { GgufFile } from '@gallop/formats';
import { loadLanguageModel } from '@gallop/models';
import type { Backend } from '@gallop/tensor';
import { tokenizerFromGguf } from '@gallop/tokenizer';
import { createNative, environmentVariable } from '#platform';
import type { LoadModelOptions, Model } from './model.ts';
import { type ModelSource, openModelFile } from './open-source.ts';
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
 * Loads a GGUF model.
 *
 * @param source path, `file:` URL or `hf:OWNER/NAME/FILE` (Node), `http(s):` URL, Blob, File or ByteSource
 * @throws GallopError `not-found`, `invalid-file`, `download-failed`, `unsupported` (architecture or format),
 *   `invalid-argument`, `backend-unavailable`, `out-of-memory`; `signal.reason` when cancelled
 */
export const loadModel = async (source: ModelSource, options: LoadModelOptions = {}): Promise<Model> => {
  const { signal } = options;
  signal?.throwIfAborted();
  using file = await openModelFile(source, options);
  const backend = await selectBackend(options, factories, environmentVariable('GALLOP_BACKEND'));
  try {
    return await loadOnto(backend, file, options);
  } catch (error) {
    backend.dispose();
    throw error;
  }
};

const loadOnto = async (
  backend: Backend,
  file: GgufFile,
  { activations = 'q8', contextLength, signal, onProgress }: LoadModelOptions,
): Promise<Model> => {
  const languageModel = await loadLanguageModel(file, backend, {
    activations,
    ...(contextLength !== undefined && { contextLength }),
    ...(signal && { signal }),
    ...(onProgress && {
      onProgress: (loadedBytes: number, totalBytes: number) => onProgress({ phase: 'load', loadedBytes, totalBytes }),
    }),
  });
  const tokenizer = tokenizerFromGguf(file.metadata);
  const dispose = (): void => {
    languageModel.dispose();
    backend.dispose();
  };
  return {
    languageModel,
    codec: tokenizerCodec(tokenizer),
    backend: backend.name,
    threads: backend.threads,
    hasChatTemplate: tokenizer.hasChatTemplate(),
    dispose,
    [Symbol.dispose]: dispose,
  };
};
