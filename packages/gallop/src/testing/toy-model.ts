/**
 * A small language model for tests: a table of logits per (previous token, token, position mod 4), made by a fixed hash.
 * It keeps real rows, so a decoder that commits wrongly, feeds a wrong position or forgets a row gets other text. Its
 * codec maps bytes of UTF-8 to ids.
 */

import {
  type ForwardRequest,
  type ForwardResult,
  GallopError,
  type LanguageModel,
  randomWords,
  type Session,
  wordToUniform,
} from '@gallop/core';
import type { ChatMessage, TextCodec, TextModel } from '../text-model.ts';

export const END = 256;
export const TURN = 257;
const VOCABULARY = 258;

/** Logits after the rows `history`. */
export const toyLogits = (history: readonly number[], endBias: number): Float32Array => {
  const last = history[history.length - 1];
  const before = history.length > 1 ? history[history.length - 2] : 0;
  const logits = new Float32Array(VOCABULARY);
  for (let token = 0; token < VOCABULARY; token++) {
    const [word] = randomWords({ seed: before, stream: last, position: token, purpose: history.length % 4 });
    logits[token] = 8 * wordToUniform(word);
  }
  logits[END] += endBias;
  return logits;
};

export interface ToyOptions {
  readonly contextLength?: number;
  /** Added to the logit of the end token; default −Infinity: the model never ends. */
  readonly endBias?: number;
  readonly rewind?: boolean;
  /** Replaces the table. */
  readonly logits?: (history: readonly number[]) => Float32Array;
}

export class ToySession implements Session {
  readonly #logits: (history: readonly number[]) => Float32Array;
  readonly #context: number;
  #rows: number[] = [];
  #pending: readonly number[] = [];
  disposed = false;
  calls: number[] = [];

  constructor(logits: (history: readonly number[]) => Float32Array, context: number) {
    this.#logits = logits;
    this.#context = context;
  }

  get length(): number {
    return this.#rows.length;
  }

  async forward({ ids, want, signal }: ForwardRequest): Promise<ForwardResult> {
    signal?.throwIfAborted();
    if (this.disposed) throw new GallopError('invalid-state', 'Expected a live session; received a disposed one.');
    if (this.#rows.length + ids.length > this.#context) throw new GallopError('context-overflow', 'Too many rows.');
    this.calls.push(ids.length);
    this.#pending = [...ids];
    const logits = this.#logits([...this.#rows, ...ids]);
    if (want?.topK === undefined) return { logits };
    const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, want.topK);
    return { topTokens: Int32Array.from(order), topLogits: Float32Array.from(order, (token) => logits[token]) };
  }

  commit(rows: Int32Array): void {
    for (const row of rows) this.#rows.push(this.#pending[row]);
    this.#pending = [];
  }

  truncate(length: number): void {
    this.#rows.length = length;
  }

  fork(): Session {
    const copy = new ToySession(this.#logits, this.#context);
    copy.#rows = [...this.#rows];
    return copy;
  }

  bytes(): { used: number; reserved: number } {
    return { used: 4 * this.#rows.length, reserved: 4 * this.#rows.length };
  }

  dispose(): void {
    this.disposed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }
}

const codec: TextCodec = {
  endOfGeneration: new Set(),
  encodeText: (text) => Int32Array.from(new TextEncoder().encode(text)),
  encodeChat: (messages: readonly ChatMessage[]) =>
    Int32Array.from(messages.flatMap(({ content }) => [TURN, ...new TextEncoder().encode(content)]).concat(TURN)),
  openDecoder: () => {
    const decoder = new TextDecoder();
    return {
      push: (token) => (token < 256 ? decoder.decode(Uint8Array.of(token), { stream: true }) : ''),
      flush: () => decoder.decode(),
    };
  },
};

/** A toy model and the sessions that were opened on it. */
export const toyModel = (options: ToyOptions = {}): TextModel & { readonly sessions: readonly ToySession[] } => {
  const { contextLength = 200, endBias = Number.NEGATIVE_INFINITY, rewind = true } = options;
  const logits = options.logits ?? ((history: readonly number[]) => toyLogits(history, endBias));
  const sessions: ToySession[] = [];
  const languageModel: LanguageModel = {
    vocabSize: VOCABULARY,
    layerCount: 1,
    hiddenSize: 1,
    contextLength,
    capabilities: { treeAttention: false, rewind, bidirectional: false, hidden: false, layerRange: false },
    tokens: { endOfGeneration: new Set([END]) },
    logitAlignment: 'next',
    openSession: () => {
      const session = new ToySession(logits, contextLength);
      sessions.push(session);
      return session;
    },
    dispose: () => undefined,
  };
  return { languageModel, codec, sessions };
};

/** Logits that write a fixed text after `promptLength` rows, then end. */
export const scripted =
  (text: string, promptLength: number): ((history: readonly number[]) => Float32Array) =>
  (history) => {
    const bytes = new TextEncoder().encode(text);
    const logits = new Float32Array(VOCABULARY);
    logits[bytes[history.length - promptLength] ?? END] = 10;
    return logits;
  };
