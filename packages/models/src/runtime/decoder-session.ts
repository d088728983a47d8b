/**
 * A sequence in progress on a decoder network. `forward` writes the new rows behind the committed ones and leaves them
 * pending; `commit` closes the gaps between the rows that are kept. Long prompts run in chunks: since every kernel is
 * row-invariant, chunks change no number.
 */
import {
  type AttentionPattern,
  type ForwardRequest,
  type ForwardResult,
  GallopError,
  requireArgument,
  type Session,
  type StateBytes,
} from '@gallop/core';
import { type Backend, Recorder } from '@gallop/tensor';
import { causal, checkKeptRows, rowDepths } from './attention-pattern.ts';
import { layerContexts, type RotaryFrequencies, rotaryFrequencies } from './layer-context.ts';
import type { DecoderNetwork } from './network.ts';
import { PagedCache } from './paged-cache.ts';
import { checkRequest, layerRange } from './request-checks.ts';
import { ResultCollector } from './result-collector.ts';

export interface SessionOptions {
  readonly activations: 'q8' | 'f32';
  readonly cacheDtype: 'f16' | 'f32';
  readonly contextLength: number;
}

/** Rows computed at once: bounds the memory of intermediate results. */
const chunkRows = 256;

/** Rows of the last call, waiting to be committed or taken through further layers. */
interface Pending {
  readonly rows: number;
  readonly pattern: AttentionPattern;
  /** Layers the rows have passed, and what came out of the last one when they have not passed all. */
  readonly layers: number;
  readonly hidden: Float32Array | undefined;
}

/** One pass of rows through a range of layers. */
interface Pass {
  readonly ids: Int32Array;
  readonly pattern: AttentionPattern;
  readonly from: number;
  readonly to: number;
  /** What enters layer `from` when it is not the first. [rows, hiddenSize] */
  readonly entering: Float32Array | undefined;
  /** Takes what leaves layer `to` when it is not the last. [rows, hiddenSize] */
  readonly leaving: Float32Array | undefined;
  readonly collector: ResultCollector;
}

export class DecoderSession implements Session {
  readonly #network: DecoderNetwork;
  readonly #backend: Backend;
  readonly #options: SessionOptions;
  readonly #recorder: Recorder;
  readonly #cache: PagedCache;
  readonly #rotary: RotaryFrequencies;
  #positions: Int32Array = new Int32Array(256); // of each slot
  #length = 0;
  #pending: Pending | undefined;
  #disposed = false;
  #busy = false;

  constructor(
    network: DecoderNetwork,
    backend: Backend,
    options: SessionOptions,
    shared?: { cache: PagedCache; positions: Int32Array; length: number },
  ) {
    this.#network = network;
    this.#backend = backend;
    this.#options = options;
    this.#recorder = new Recorder(backend);
    this.#cache = shared?.cache ?? new PagedCache(backend, network.config, options.cacheDtype);
    this.#rotary = rotaryFrequencies(network.config.rotary);
    if (shared) {
      this.#positions = shared.positions;
      this.#length = shared.length;
    }
  }

  get length(): number {
    return this.#length;
  }

  async forward(request: ForwardRequest): Promise<ForwardResult> {
    this.#requireUsable();
    this.#busy = true;
    try {
      return await this.#run(request);
    } catch (error) {
      this.#recorder.discard();
      this.#pending = undefined;
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  commit(rows: Int32Array): void {
    this.#requireUsable();
    const pending = this.#pending;
    if (!pending || pending.layers < this.#network.config.layerCount)
      throw new GallopError(
        'invalid-state',
        'commit keeps rows of the last forward call through all layers; there is none',
      );
    checkKeptRows(pending.pattern, rows, pending.rows);
    const from: number[] = [];
    const to: number[] = [];
    rows.forEach((row, index) => {
      if (row === index) return;
      from.push(this.#length + row);
      to.push(this.#length + index);
      this.#positions[this.#length + index] = this.#positions[this.#length + row]!;
    });
    if (from.length > 0) this.#cache.move(this.#recorder, Int32Array.from(from), Int32Array.from(to));
    this.#length += rows.length;
    this.#pending = undefined;
  }

  truncate(length: number): void {
    this.#requireUsable();
    requireArgument(
      Number.isInteger(length) && length >= 0 && length <= this.#length,
      () => `truncate takes a length within 0…${this.#length}; received ${length}`,
    );
    this.#length = length;
    this.#pending = undefined;
  }

  fork(): Session {
    this.#requireUsable();
    const shared = { cache: this.#cache.fork(this.#length), positions: this.#positions.slice(), length: this.#length };
    return new DecoderSession(this.#network, this.#backend, this.#options, shared);
  }

  bytes(): StateBytes {
    return this.#cache.bytes(this.#length);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#cache.dispose();
    this.#recorder.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  #requireUsable(): void {
    if (this.#disposed) throw new GallopError('invalid-state', 'this session was disposed; open another one');
    if (this.#busy) throw new GallopError('invalid-state', 'a forward call of this session is running; await it first');
  }

  async #run(request: ForwardRequest): Promise<ForwardResult> {
    request.signal?.throwIfAborted();
    const pass = this.#begin(request);
    const rows = pass.ids.length;
    const step = pass.pattern.kind === 'causal' ? chunkRows : rows;
    for (let first = 0; first < rows; first += step) {
      if (first > 0) {
        await new Promise((resolve) => setTimeout(resolve));
        request.signal?.throwIfAborted();
      }
      this.#chunk(pass, first, Math.min(step, rows - first));
    }
    this.#pending = { rows, pattern: pass.pattern, layers: pass.to, hidden: pass.leaving };
    return pass.collector.result();
  }

  /** Checks a request and makes room for its rows. */
  #begin(request: ForwardRequest): Pass {
    const { ids, attention: pattern = causal, want = {} } = request;
    const { config } = this.#network;
    checkRequest(request, {
      vocabSize: config.vocabSize,
      layerCount: config.layerCount,
      positions: config.contextLength,
      length: this.#length,
      contextLength: this.#options.contextLength,
    });
    const [from, to] = layerRange(request, config.layerCount);
    const rows = ids.length;
    if (from > 0 && (this.#pending?.layers !== from || this.#pending.rows !== rows))
      throw new GallopError(
        'invalid-state',
        `layers from ${from} continue the ${rows} rows that the previous call left there; there are none`,
      );
    if (from === 0) this.#place(request, pattern);
    const collector = new ResultCollector(this.#network, want, rows);
    const leaving = to < config.layerCount ? new Float32Array(rows * config.hiddenSize) : undefined;
    return { ids, pattern, from, to, entering: this.#pending?.hidden, leaving, collector };
  }

  /** Positions of the new rows, and cache pages for them. */
  #place(request: ForwardRequest, pattern: AttentionPattern): void {
    const rows = request.ids.length;
    const end = this.#length + rows;
    if (end > this.#positions.length) {
      const grown = new Int32Array(Math.max(end, this.#positions.length * 2));
      grown.set(this.#positions);
      this.#positions = grown;
    }
    const next = this.#length > 0 ? this.#positions[this.#length - 1]! + 1 : 0;
    this.#positions.set(request.positions ?? rowDepths(pattern, rows).map((depth) => next + depth), this.#length);
    this.#cache.reserve(this.#length, end);
  }

  /** Takes `rows` rows from `first` on through the layers. */
  #chunk(pass: Pass, first: number, rows: number): void {
    const t = this.#recorder;
    const { pattern, from, to, entering, leaving, collector } = pass;
    const width = this.#network.config.hiddenSize;
    t.scope(() => {
      const x = entering
        ? t.upload(entering.subarray(first * width, (first + rows) * width), [rows, width])
        : this.#network.embed(t, t.upload(pass.ids.subarray(first, first + rows)));
      collector.layer(t, from, x, first);
      const context = layerContexts(t, {
        activations: this.#options.activations,
        cache: this.#cache,
        rotary: this.#rotary,
        pattern,
        start: this.#length + first,
        rows,
        positions: this.#positions,
      });
      for (let layer = from; layer < to; layer++) {
        this.#network.layer(t, layer, x, context(layer));
        collector.layer(t, layer + 1, x, first);
      }
      if (leaving) {
        t.flush();
        leaving.set(x.floats(), first * width);
      } else collector.head(t, x, first);
      collector.flush(t);
    });
  }
}
