/** From an open GGUF file to a language model: metadata → network → weights on a backend. */
import {
  type Capabilities,
  GallopError,
  type LanguageModel,
  requireArgument,
  type Session,
  type SpecialTokens,
} from '@gallop/core';
import type { GgufFile, GgufMetadata } from '@gallop/formats';
import type { Backend } from '@gallop/tensor';
import type { DecoderConfig } from './config.ts';
import { architectureOf } from './loading/architectures.ts';
import { ModelWeights } from './loading/model-weights.ts';
import { DecoderSession, type SessionHost, type SessionOptions } from './runtime/decoder-session.ts';
import type { DecoderNetwork } from './runtime/network.ts';

export interface LoadOptions {
  /**
   * What matrix products take. `q8` (default): activations in 8-bit blocks of 32, integer products, fastest. `f32`:
   * float32 activations against decoded weights. Each is row-invariant in itself; the two differ by quantisation noise.
   */
  readonly activations?: 'q8' | 'f32';
  /** Numbers of the cache. Default `f16` with `q8` activations, `f32` with `f32`. */
  readonly cacheDtype?: 'f16' | 'f32';
  /** Rows a session may hold. Default: what the model was trained for. */
  readonly contextLength?: number;
  readonly signal?: AbortSignal;
  /** Called as weights arrive, in bytes of the file. */
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/**
 * Loads a model. The file may be closed afterwards; the backend stays the caller's.
 * @throws GallopError `unsupported` (architecture or format), `invalid-file`, `out-of-memory`
 */
export async function loadLanguageModel(
  file: GgufFile,
  backend: Backend,
  options: LoadOptions = {},
): Promise<LanguageModel> {
  const { activations = 'q8' } = options;
  const { config, load } = architectureOf(file);
  const contextLength = options.contextLength ?? config.contextLength;
  requireArgument(
    Number.isInteger(contextLength) && contextLength >= 1 && contextLength <= config.contextLength,
    () =>
      `contextLength must be within 1…${config.contextLength}, what the model was trained for; received ${contextLength}`,
  );
  requireArgument(
    activations === 'q8' || activations === 'f32',
    () => `activations must be q8 or f32; received ${activations}`,
  );
  const weights = new ModelWeights(file, backend, { ...options, activations });
  try {
    const network = await load(weights);
    const cacheDtype = options.cacheDtype ?? (activations === 'q8' ? 'f16' : 'f32');
    return new DecoderModel(network, backend, readSpecialTokens(file.metadata, config), {
      activations,
      cacheDtype,
      contextLength,
    });
  } catch (error) {
    weights.dispose();
    throw error;
  }
}

class DecoderModel implements LanguageModel {
  readonly vocabSize: number;
  readonly layerCount: number;
  readonly hiddenSize: number;
  readonly contextLength: number;
  readonly capabilities: Capabilities = {
    treeAttention: true,
    rewind: true,
    bidirectional: true,
    hidden: true,
    layerRange: true,
  };
  readonly tokens: SpecialTokens;
  readonly logitAlignment = 'next' as const;
  readonly #host: SessionHost;
  #disposed = false;

  constructor(network: DecoderNetwork, backend: Backend, tokens: SpecialTokens, options: SessionOptions) {
    this.#host = { network, backend, options, sessions: new Set() };
    this.tokens = tokens;
    this.vocabSize = network.config.vocabSize;
    this.layerCount = network.config.layerCount;
    this.hiddenSize = network.config.hiddenSize;
    this.contextLength = options.contextLength;
  }

  openSession(): Session {
    if (this.#disposed) throw new GallopError('invalid-state', 'this model was disposed; load it again');
    return new DecoderSession(this.#host);
  }

  /** Ends the open sessions too: they use the weights. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const session of this.#host.sessions) session.dispose();
    this.#host.network.dispose();
  }
}

function readSpecialTokens(metadata: GgufMetadata, config: DecoderConfig): SpecialTokens {
  const endOfGeneration = new Set<number>();
  for (const name of ['eos', 'eot', 'eom']) {
    const id = metadata.number(`tokenizer.ggml.${name}_token_id`, -1);
    if (id >= 0 && id < config.vocabSize) endOfGeneration.add(id);
  }
  const begin = metadata.number('tokenizer.ggml.bos_token_id', -1);
  return begin >= 0 ? { beginOfSequence: begin, endOfGeneration } : { endOfGeneration };
}
