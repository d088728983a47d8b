/** A loaded network as a language model: sessions over it, and what it can do. */
import { type Capabilities, GallopError, type LanguageModel, type Session, type SpecialTokens } from '@gallop/core';
import type { Backend } from '@gallop/tensor';
import { DecoderSession } from './runtime/decoder-session.ts';
import type { LanguageNetwork } from './runtime/network.ts';
import { RecurrentSession } from './runtime/recurrent-session.ts';
import type { SessionOptions } from './runtime/session-base.ts';

const attentionCapabilities: Capabilities = {
  treeAttention: true,
  rewind: true,
  bidirectional: true,
  hidden: true,
  layerRange: true,
  embeddings: true,
};
/** A state that is carried from row to row knows no later rows, and passes all layers or none. */
const recurrentCapabilities: Capabilities = { ...attentionCapabilities, bidirectional: false, layerRange: false };

export class DecoderModel implements LanguageModel {
  readonly vocabSize: number;
  readonly layerCount: number;
  readonly hiddenSize: number;
  readonly contextLength: number;
  readonly capabilities: Capabilities;
  readonly tokens: SpecialTokens;
  readonly logitAlignment: 'next' | 'same';
  readonly #backend: Backend;
  readonly #network: LanguageNetwork;
  readonly #options: SessionOptions;
  readonly #sessions = new Set<Session>();
  #disposed = false;

  constructor(network: LanguageNetwork, backend: Backend, tokens: SpecialTokens, options: SessionOptions) {
    const { config } = network;
    this.#network = network;
    this.#backend = backend;
    this.#options = options;
    this.capabilities = 'states' in network ? recurrentCapabilities : attentionCapabilities;
    this.tokens = tokens;
    this.vocabSize = config.vocabSize;
    this.layerCount = config.layerCount;
    this.hiddenSize = config.hiddenSize;
    this.contextLength = options.contextLength;
    this.logitAlignment = config.logitAlignment ?? 'next';
  }

  openSession(): Session {
    if (this.#disposed) throw new GallopError('invalid-state', 'this model was disposed; load it again');
    const shared = { backend: this.#backend, options: this.#options, sessions: this.#sessions };
    const network = this.#network;
    return 'states' in network
      ? new RecurrentSession({ ...shared, network })
      : new DecoderSession({ ...shared, network });
  }

  /** Ends the open sessions too: they use the weights. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const session of this.#sessions) session.dispose();
    this.#network.dispose();
  }
}
