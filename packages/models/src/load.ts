/** From the files of a checkpoint to a language model: configuration → network → weights on a backend. */
import { type LanguageModel, requireArgument } from '@gallop/core';
import type { Backend } from '@gallop/tensor';
import type { Architecture } from './architectures/architecture.ts';
import { architectureOf, architectures } from './architectures/registry.ts';
import { DecoderModel } from './decoder-model.ts';
import { checkpointOf, type ModelFiles } from './loading/checkpoint.ts';
import { ModelWeights } from './loading/model-weights.ts';
import { NamedWeights } from './loading/named-weights.ts';
import { readSpecialTokens } from './loading/special-tokens.ts';
import type { SessionOptions } from './runtime/session-base.ts';

export interface LoadOptions {
  /**
   * What matrix products take. `q8` (default): activations in 8-bit blocks of 32 where the weights are quantised, integer
   * products, fastest. `f32`: float32 activations against decoded weights. Each is row-invariant in itself; the two differ
   * by quantisation noise.
   */
  readonly activations?: 'q8' | 'f32';
  /** Numbers of the cache. Default `f16` with `q8` activations, `f32` with `f32`. */
  readonly cacheDtype?: 'f16' | 'f32';
  /** Rows a session may hold. Default: what the model was trained for. Some ways to stretch rotation depend on it. */
  readonly contextLength?: number;
  readonly signal?: AbortSignal;
  /** Called as weights arrive, in bytes of the file. */
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

export interface LoadLanguageModelOptions extends LoadOptions {
  /** What can be loaded. Default: `architectures`, all of this package. See docs/adding-a-model.md. */
  readonly architectures?: readonly Architecture[];
}

/**
 * Loads a language model from an open GGUF file or the files of a Hugging Face checkpoint. They may be closed afterwards;
 * the backend stays the caller's.
 * @throws GallopError `unsupported` (architecture or format), `invalid-file`, `out-of-memory`, `invalid-argument`
 */
export async function loadLanguageModel(
  files: ModelFiles,
  backend: Backend,
  options: LoadLanguageModelOptions = {},
): Promise<LanguageModel> {
  const { settings, source } = checkpointOf(files);
  const architecture = architectureOf(options.architectures ?? architectures, settings);
  const plan = architecture.plan(settings, source);
  const session = sessionOptions(options, plan);
  const weights = new ModelWeights(source, backend, { ...options, ...session });
  try {
    const named = new NamedWeights(weights, settings.container, architecture.naming);
    const network = await plan.load(named, session.contextLength);
    const tokens = readSpecialTokens(settings, network.config.vocabSize);
    return new DecoderModel(network, backend, tokens, session);
  } catch (error) {
    weights.dispose();
    throw error;
  }
}

/** Longest context that may be asked for where a network has no end of positions. */
const longestContext = 2 ** 30;

/** What sessions are opened with: as asked for, or as fits the model. @throws GallopError `invalid-argument` */
export function sessionOptions(
  options: LoadOptions,
  plan: { readonly contextLength: number; readonly isUnbounded?: boolean },
): SessionOptions {
  const { activations = 'q8', contextLength = plan.contextLength } = options;
  const cacheDtype = options.cacheDtype ?? (activations === 'f32' ? 'f32' : 'f16');
  const longest = plan.isUnbounded ? longestContext : plan.contextLength;
  requireArgument(
    Number.isInteger(contextLength) && contextLength >= 1 && contextLength <= longest,
    () => `contextLength must be within 1…${longest}, what the model was trained for; received ${contextLength}`,
  );
  requireArgument(
    activations === 'q8' || activations === 'f32',
    () => `activations must be q8 or f32; received ${activations}`,
  );
  requireArgument(
    cacheDtype === 'f16' || cacheDtype === 'f32',
    () => `cacheDtype must be f16 or f32; received ${cacheDtype}`,
  );
  return { activations, cacheDtype, contextLength };
}
