/** A loaded network as a language model: sessions over it, and what it can do. */
import { type Capabilities, GallopError, type LanguageModel, type Session, type SpecialTokens } from '@gallop/core';
import type { Backend } from '@gallop/tensor';
import { DecoderSession, type SessionHost, type SessionOptions } from './runtime/decoder-session.ts';
import type { DecoderNetwork } from './runtime/network.ts';

export class DecoderModel implements LanguageModel {
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
    embeddings: true,
  };
  readonly tokens: SpecialTokens;
  readonly logitAlignment: 'next' | 'same';
  readonly #host: SessionHost;
  #disposed = false;

  constructor(network: DecoderNetwork, backend: Backend, tokens: SpecialTokens, options: SessionOptions) {
    const { config } = network;
    this.#host = { network, backend, options, sessions: new Set() };
    this.tokens = tokens;
    this.vocabSize = config.vocabSize;
    this.layerCount = config.layerCount;
    this.hiddenSize = config.hiddenSize;
    this.contextLength = options.contextLength;
    this.logitAlignment = config.logitAlignment ?? 'next';
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
