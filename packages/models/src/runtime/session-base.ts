/**
 * What sessions of every kind share: one call at a time, an end that waits for a running call, and the table of open
 * sessions that a model ends with.
 */
import {
  type ForwardRequest,
  type ForwardResult,
  GallopError,
  requireArgument,
  type Session,
  type StateBytes,
} from '@gallop/core';
import { type Backend, Recorder } from '@gallop/tensor';
import type { LanguageNetwork } from './network.ts';
import { checkRequest } from './request-checks.ts';

export interface SessionOptions {
  readonly activations: 'q8' | 'f32';
  readonly cacheDtype: 'f16' | 'f32';
  readonly contextLength: number;
}

/** What the sessions of one model share. */
export interface SessionHost<Network extends LanguageNetwork = LanguageNetwork> {
  readonly network: Network;
  readonly backend: Backend;
  readonly options: SessionOptions;
  /** The open ones: they must end with the model, whose weights they use. */
  readonly sessions: Set<Session>;
}

/** Rows computed at once: bounds the memory of intermediate results. */
export const chunkRows = 256;

export abstract class SessionBase<Network extends LanguageNetwork> implements Session {
  protected readonly host: SessionHost<Network>;
  protected readonly recorder: Recorder;
  #disposed = false;
  #busy = false;

  constructor(host: SessionHost<Network>) {
    this.host = host;
    this.recorder = new Recorder(host.backend);
  }

  /** To be called at the end of construction, when nothing can fail any more. */
  protected open(): void {
    this.host.sessions.add(this);
  }

  abstract readonly length: number;
  abstract commit(rows: Int32Array): void;
  abstract fork(): Session;
  abstract bytes(): StateBytes;
  abstract truncate(length: number): void;

  /**
   * Checks a request and makes room for its rows; what it returns computes them. A refused request leaves pending rows as
   * they are.
   */
  protected abstract begin(request: ForwardRequest): () => Promise<ForwardResult>;
  /** Gives the state's memory back. */
  protected abstract release(): void;

  async forward(request: ForwardRequest): Promise<ForwardResult> {
    this.requireIdle();
    request.signal?.throwIfAborted();
    const run = this.begin(request);
    this.#busy = true;
    try {
      return await run();
    } catch (error) {
      this.recorder.discard();
      throw error;
    } finally {
      this.#busy = false;
      if (this.#disposed) this.#end();
    }
  }

  /** A running `forward` call rejects at its next chunk. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.host.sessions.delete(this);
    if (!this.#busy) this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  protected get isDisposed(): boolean {
    return this.#disposed;
  }

  protected requireIdle(): void {
    this.#requireOpen();
    if (this.#busy) throw new GallopError('invalid-state', 'a forward call of this session is running; await it first');
  }

  /** Lets other work go first between two chunks of a long call, and ends the call where that is wanted. */
  protected async breathe(signal: AbortSignal | undefined): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    this.#requireOpen();
  }

  /** @throws GallopError `invalid-argument`, `context-overflow` */
  protected check(request: ForwardRequest): void {
    const { config } = this.host.network;
    checkRequest(request, {
      vocabSize: config.vocabSize,
      layerCount: config.layerCount,
      embeddingSize: config.embeddingSize ?? config.hiddenSize,
      positions: config.contextLength,
      length: this.length,
      contextLength: this.host.options.contextLength,
    });
  }

  /** @throws GallopError `invalid-argument` */
  protected checkTruncation(length: number): void {
    this.requireIdle();
    requireArgument(
      Number.isInteger(length) && length >= 0 && length <= this.length,
      () => `truncate takes a length within 0…${this.length}; received ${length}`,
    );
  }

  #requireOpen(): void {
    if (this.#disposed)
      throw new GallopError('invalid-state', 'this session was disposed, or its model was; open another one');
  }

  #end(): void {
    this.release();
    this.recorder.dispose();
  }
}
