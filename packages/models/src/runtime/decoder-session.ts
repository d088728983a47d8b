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
import { checkKeptRows, rowDepths } from './attention-pattern.ts';
import { embedRows } from './embed-rows.ts';
import { layerContexts } from './layer-context.ts';
import type { DecoderNetwork } from './network.ts';
import { PagedCache } from './paged-cache.ts';
import { checkRequest, layerRange } from './request-checks.ts';
import { hostFloats, ResultCollector } from './result-collector.ts';

export interface SessionOptions {
  readonly activations: 'q8' | 'f32';
  readonly cacheDtype: 'f16' | 'f32';
  readonly contextLength: number;
}

/** What the sessions of one model share. */
export interface SessionHost {
  readonly network: DecoderNetwork;
  readonly backend: Backend;
  readonly options: SessionOptions;
  /** The open ones: they must end with the model, whose weights they use. */
  readonly sessions: Set<Session>;
}

/** What a fork starts with. */
interface Inheritance {
  readonly cache: PagedCache;
  readonly positions: Int32Array;
  readonly length: number;
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
  readonly request: ForwardRequest;
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
  readonly #host: SessionHost;
  readonly #network: DecoderNetwork;
  readonly #recorder: Recorder;
  readonly #cache: PagedCache;
  #positions: Int32Array; // of each slot
  #length: number;
  #pending: Pending | undefined;
  #disposed = false;
  #busy = false;

  /** @throws GallopError `out-of-memory` */
  constructor(host: SessionHost, inherited?: Inheritance) {
    const { network, backend, options } = host;
    this.#host = host;
    this.#network = network;
    this.#recorder = new Recorder(backend);
    this.#cache = inherited?.cache ?? new PagedCache(backend, network.config, options.cacheDtype);
    this.#positions = inherited?.positions ?? new Int32Array(256);
    this.#length = inherited?.length ?? 0;
    host.sessions.add(this);
  }

  get length(): number {
    return this.#length;
  }

  async forward(request: ForwardRequest): Promise<ForwardResult> {
    this.#requireIdle();
    request.signal?.throwIfAborted();
    const pass = this.#begin(request);
    this.#busy = true;
    try {
      return await this.#run(pass, request.signal);
    } catch (error) {
      this.#recorder.discard();
      throw error;
    } finally {
      this.#busy = false;
      if (this.#disposed) this.#release();
    }
  }

  commit(rows: Int32Array): void {
    this.#requireIdle();
    const pending = this.#pending;
    if (!pending || pending.layers < this.#network.config.layerCount)
      throw new GallopError(
        'invalid-state',
        'commit keeps rows of the last forward call through all layers; there is none',
      );
    checkKeptRows(pending.pattern, rows, pending.rows);
    const base = this.#length;
    const inPlace = rows.findLastIndex((row, index) => row === index) + 1;
    const from = rows.subarray(inPlace).map((row) => base + row);
    const to = from.map((_, index) => base + inPlace + index);
    if (from.length > 0) this.#cache.move(this.#recorder, from, to);
    from.forEach((slot, index) => {
      this.#positions[to[index]!] = this.#positions[slot]!;
    });
    this.#length += rows.length;
    this.#pending = undefined;
  }

  truncate(length: number): void {
    this.#requireIdle();
    requireArgument(
      Number.isInteger(length) && length >= 0 && length <= this.#length,
      () => `truncate takes a length within 0…${this.#length}; received ${length}`,
    );
    this.#length = length;
    this.#pending = undefined;
  }

  /** @throws GallopError `out-of-memory` */
  fork(): Session {
    this.#requireIdle();
    return new DecoderSession(this.#host, {
      cache: this.#cache.fork(this.#length),
      positions: this.#positions.slice(),
      length: this.#length,
    });
  }

  bytes(): StateBytes {
    return this.#cache.bytes(this.#disposed ? 0 : this.#length);
  }

  /** A running `forward` call rejects at its next chunk. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#host.sessions.delete(this);
    if (!this.#busy) this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  #release(): void {
    this.#cache.dispose();
    this.#recorder.dispose();
  }

  #requireOpen(): void {
    if (this.#disposed)
      throw new GallopError('invalid-state', 'this session was disposed, or its model was; open another one');
  }

  #requireIdle(): void {
    this.#requireOpen();
    if (this.#busy) throw new GallopError('invalid-state', 'a forward call of this session is running; await it first');
  }

  async #run(pass: Pass, signal: AbortSignal | undefined): Promise<ForwardResult> {
    const rows = pass.request.ids.length;
    const step = pass.pattern.kind === 'causal' ? chunkRows : rows;
    for (let first = 0; first < rows; first += step) {
      if (first > 0) {
        await new Promise((resolve) => setTimeout(resolve));
        signal?.throwIfAborted();
        this.#requireOpen();
      }
      this.#chunk(pass, first, Math.min(step, rows - first));
    }
    this.#pending = { rows, pattern: pass.pattern, layers: pass.to, hidden: pass.leaving };
    return pass.collector.result();
  }

  /** Checks a request and makes room for its rows. A refused request leaves pending rows as they are. */
  #begin(request: ForwardRequest): Pass {
    const { ids, want = {} } = request;
    const { config } = this.#network;
    checkRequest(request, {
      vocabSize: config.vocabSize,
      layerCount: config.layerCount,
      embeddingSize: config.embeddingSize ?? config.hiddenSize,
      positions: config.contextLength,
      length: this.#length,
      contextLength: this.#host.options.contextLength,
    });
    const [from, to] = layerRange(request, config.layerCount);
    const resumed = from > 0 ? this.#pending : undefined;
    if (from > 0 && (resumed?.layers !== from || resumed.rows !== ids.length))
      throw new GallopError(
        'invalid-state',
        `layers from ${from} continue the ${ids.length} rows that the previous call left there; there are none`,
      );
    const pattern = request.attention ?? resumed?.pattern ?? { kind: config.attention ?? 'causal' };
    const collector = new ResultCollector(this.#network, want, ids.length);
    const leaving = to < config.layerCount ? hostFloats(ids.length * config.hiddenSize) : undefined;
    if (!resumed || request.positions) this.#place(this.#rowPositions(request, pattern));
    if (!resumed) this.#pending = undefined; // its slots are overwritten from here on
    return { request, pattern, from, to, entering: resumed?.hidden, leaving, collector };
  }

  /** @throws GallopError `context-overflow` for rows that follow a position too close to the last one */
  #rowPositions({ ids, positions }: ForwardRequest, pattern: AttentionPattern): Int32Array {
    if (positions) return positions;
    const next = this.#length > 0 ? this.#positions[this.#length - 1]! + 1 : 0;
    const depths = rowDepths(pattern, ids.length);
    const last = next + depths.reduce((most, depth) => Math.max(most, depth), 0);
    if (last >= this.#network.config.contextLength)
      throw new GallopError(
        'context-overflow',
        `the rows' positions would reach ${last}; this model's lie within 0…${this.#network.config.contextLength - 1}; give positions of your own or truncate the session`,
      );
    return depths.map((depth) => next + depth);
  }

  /** Makes cache pages for the new rows and notes their positions. */
  #place(rowPositions: Int32Array): void {
    const end = this.#length + rowPositions.length;
    this.#cache.reserve(this.#length, end);
    if (end > this.#positions.length) {
      const grown = new Int32Array(Math.max(end, this.#positions.length * 2));
      grown.set(this.#positions);
      this.#positions = grown;
    }
    this.#positions.set(rowPositions, this.#length);
  }

  /** Takes `rows` rows from `first` on through the layers. */
  #chunk(pass: Pass, first: number, rows: number): void {
    const t = this.#recorder;
    const { pattern, from, to, entering, leaving, collector } = pass;
    const width = this.#network.config.hiddenSize;
    const start = this.#length + first;
    t.scope(() => {
      const x = entering
        ? t.upload(entering.subarray(first * width, (first + rows) * width), [rows, width])
        : embedRows(t, this.#network, pass.request, first, this.#positions.subarray(start, start + rows));
      collector.layer(t, from, x, first);
      const context = layerContexts(t, {
        activations: this.#host.options.activations,
        cache: this.#cache,
        rotary: this.#network.config.rotary,
        pattern,
        start,
        rows,
        positions: this.#positions,
      });
      for (let layer = from; layer < to; layer++) {
        this.#network.layer(t, layer, x, context(layer));
        collector.layer(t, layer + 1, x, first);
      }
      collector.head(t, x, first, to);
      collector.flush(t);
      leaving?.set(x.floats(), first * width);
    });
  }
}
