/** Encoder–decoders: an input is encoded once; what comes of it is a language model over that input. */
import { GallopError, type LanguageModel, requireArgument, type SpecialTokens } from '@gallop/core';
import type { Backend } from '@gallop/tensor';
import { architectureOf } from './architectures/registry.ts';
import { encoderDecoderArchitectures } from './architectures/t5.ts';
import { DecoderModel } from './decoder-model.ts';
import { type LoadOptions, sessionOptions } from './load.ts';
import { checkpointOf, type ModelFiles } from './loading/checkpoint.ts';
import { ModelWeights } from './loading/model-weights.ts';
import { NamedWeights } from './loading/named-weights.ts';
import { readSpecialTokens } from './loading/special-tokens.ts';
import type { T5Network } from './networks/t5.ts';
import type { SessionOptions } from './runtime/session-base.ts';

/** An encoded input: a language model whose sessions attend to it. Dispose of it when its text is done. */
export interface EncodedInput extends LanguageModel {
  /** What the encoder made of the input, after its final norm. [input tokens × hiddenSize] */
  readonly encoderHidden: Float32Array;
}

export interface EncoderDecoderModel {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Rows an input or a session may hold at most. */
  readonly contextLength: number;
  readonly tokens: SpecialTokens;
  /** The token that a decoded sequence starts with. */
  readonly startToken: number;
  /** Runs the encoder. @throws GallopError `invalid-argument`, `context-overflow`, `out-of-memory`, `invalid-state` */
  encode(ids: Int32Array): EncodedInput;
  /** Frees the weights and everything encoded with them. */
  dispose(): void;
}

/**
 * Loads an encoder–decoder from an open GGUF file or the files of a Hugging Face checkpoint. They may be closed afterwards;
 * the backend stays the caller's.
 * @throws GallopError `unsupported` (architecture or format), `invalid-file`, `out-of-memory`, `invalid-argument`
 */
export async function loadEncoderDecoder(
  files: ModelFiles,
  backend: Backend,
  options: LoadOptions = {},
): Promise<EncoderDecoderModel> {
  const { settings, source } = checkpointOf(files);
  const architecture = architectureOf(encoderDecoderArchitectures, settings);
  const plan = architecture.plan(settings, source);
  const session = sessionOptions(options, plan);
  const weights = new ModelWeights(source, backend, { ...options, ...session });
  try {
    const network = await plan.load(
      new NamedWeights(weights, settings.container, architecture.naming),
      session.contextLength,
    );
    const tokens = readSpecialTokens(settings, network.config.vocabSize);
    return new LoadedEncoderDecoder(network, backend, tokens, plan.startToken, session);
  } catch (error) {
    weights.dispose();
    throw error;
  }
}

class LoadedEncoderDecoder implements EncoderDecoderModel {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly contextLength: number;
  readonly tokens: SpecialTokens;
  readonly startToken: number;
  readonly #network: T5Network;
  readonly #backend: Backend;
  readonly #options: SessionOptions;
  readonly #encoded = new Set<LanguageModel>();
  #disposed = false;

  constructor(
    network: T5Network,
    backend: Backend,
    tokens: SpecialTokens,
    startToken: number,
    options: SessionOptions,
  ) {
    this.#network = network;
    this.#backend = backend;
    this.#options = options;
    this.tokens = tokens;
    this.startToken = startToken;
    this.vocabSize = network.config.vocabSize;
    this.hiddenSize = network.config.hiddenSize;
    this.contextLength = options.contextLength;
  }

  encode(ids: Int32Array): EncodedInput {
    if (this.#disposed) throw new GallopError('invalid-state', 'this model was disposed; load it again');
    requireArgument(ids.length > 0, () => 'encode takes at least one token; received none');
    for (const id of ids)
      requireArgument(
        id >= 0 && id < this.vocabSize,
        () => `token ids must be within 0…${this.vocabSize - 1}; received ${id}`,
      );
    if (ids.length > this.contextLength)
      throw new GallopError(
        'context-overflow',
        `${ids.length} tokens exceed the context of ${this.contextLength}; shorten the input or load the model with a longer context`,
      );
    const { hidden, decoder } = this.#network.encode(this.#backend, ids);
    const dispose = (): void => {
      this.#encoded.delete(model);
      decoder.dispose();
    };
    const base = new DecoderModel({ ...decoder, dispose }, this.#backend, this.tokens, this.#options);
    const model: EncodedInput = Object.assign(base, { encoderHidden: hidden });
    this.#encoded.add(model);
    return model;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const model of this.#encoded) model.dispose();
    this.#network.dispose();
  }
}
