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
  type Session,
  type StateBytes,
} from '@gallop/core';
import { checkKeptRows, rowDepths } from './attention-pattern.ts';
import { embedRows } from './embed-rows.ts';
import { layerContexts } from './layer-context.ts';
import { LayerPassages } from './layer-passages.ts';
import type { DecoderNetwork } from './network.ts';
import { PagedCache } from './paged-cache.ts';
import { layerRange } from './request-checks.ts';
import { hostFloats, ResultCollector } from './result-collector.ts';
import { chunkRows, SessionBase, type SessionHost } from './session-base.ts';

/** What a fork starts with. */
interface Inheritance {
  readonly cache: PagedCache;
  readonly positions: Int32Array;
  readonly length: number;
}

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

export class DecoderSession extends SessionBase<DecoderNetwork> {
  readonly #cache: PagedCache;
  readonly #passages = new LayerPassages();
  #positions: Int32Array; // of each slot
  #length: number;
  #pending: Pending | undefined;

  /** @throws GallopError `out-of-memory` */
  constructor(host: SessionHost<DecoderNetwork>, inherited?: Inheritance) {
    super(host);
    const { network, backend, options } = host;
    this.#cache = inherited?.cache ?? new PagedCache(backend, network.config, options.cacheDtype);
    this.#positions = inherited?.positions ?? new Int32Array(256);
    this.#length = inherited?.length ?? 0;
    this.open();
  }

  get length(): number {
    return this.#length;
  }

  commit(rows: Int32Array): void {
    this.requireIdle();
    const pending = this.#pending;
    if (!pending || pending.layers < this.host.network.config.layerCount)
      throw new GallopError(
        'invalid-state',
        'commit keeps rows of the last forward call through all layers; there is none',
      );
    checkKeptRows(pending.pattern, rows, pending.rows);
    const base = this.#length;
    const inPlace = rows.findLastIndex((row, index) => row === index) + 1;
    const from = rows.subarray(inPlace).map((row) => base + row);
    const to = from.map((_, index) => base + inPlace + index);
    if (from.length > 0) this.#cache.move(this.recorder, from, to);
    from.forEach((slot, index) => {
      this.#positions[to[index]!] = this.#positions[slot]!;
    });
    this.#length += rows.length;
    this.#pending = undefined;
  }

  truncate(length: number): void {
    this.checkTruncation(length);
    this.#length = length;
    this.#pending = undefined;
  }

  /** @throws GallopError `out-of-memory` */
  fork(): Session {
    this.requireIdle();
    return new DecoderSession(this.host, {
      cache: this.#cache.fork(this.#length),
      positions: this.#positions.slice(),
      length: this.#length,
    });
  }

  bytes(): StateBytes {
    return this.#cache.bytes(this.isDisposed ? 0 : this.#length);
  }

  protected override release(): void {
    this.#cache.dispose();
  }

  async #run(pass: Pass): Promise<ForwardResult> {
    const rows = pass.request.ids.length;
    const step = pass.pattern.kind === 'causal' ? chunkRows : rows;
    for (let first = 0; first < rows; first += step) {
      if (first > 0) await this.breathe(pass.request.signal);
      this.#chunk(pass, first, Math.min(step, rows - first));
    }
    this.#pending = { rows, pattern: pass.pattern, layers: pass.to, hidden: pass.leaving };
    return pass.collector.result();
  }

  protected override begin(request: ForwardRequest): () => Promise<ForwardResult> {
    const { ids, want = {} } = request;
    const { config } = this.host.network;
    this.check(request);
    const [from, to] = layerRange(request, config.layerCount);
    const resumed = from > 0 ? this.#pending : undefined;
    if (from > 0 && (resumed?.layers !== from || resumed.rows !== ids.length))
      throw new GallopError(
        'invalid-state',
        `layers from ${from} continue the ${ids.length} rows that the previous call left there; there are none`,
      );
    const pattern = request.attention ?? resumed?.pattern ?? { kind: config.attention ?? 'causal' };
    const collector = new ResultCollector(this.host.network, want, ids.length);
    const leaving = to < config.layerCount ? hostFloats(ids.length * config.hiddenSize) : undefined;
    if (!resumed || request.positions) this.#place(this.#rowPositions(request, pattern));
    if (!resumed) this.#pending = undefined; // its slots are overwritten from here on
    const entering = resumed?.hidden;
    return () => this.#run({ request, pattern, from, to, entering, leaving, collector });
  }

  /** @throws GallopError `context-overflow` for rows that follow a position too close to the last one */
  #rowPositions({ ids, positions }: ForwardRequest, pattern: AttentionPattern): Int32Array {
    if (positions) return positions;
    const next = this.#length > 0 ? this.#positions[this.#length - 1]! + 1 : 0;
    const depths = rowDepths(pattern, ids.length);
    const last = next + depths.reduce((most, depth) => Math.max(most, depth), 0);
    if (last >= this.host.network.config.contextLength)
      throw new GallopError(
        'context-overflow',
        `the rows' positions would reach ${last}; this model's lie within 0…${this.host.network.config.contextLength - 1}; give positions of your own or truncate the session`,
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
    const t = this.recorder;
    const { pattern, from, to, entering, leaving, collector } = pass;
    const width = this.host.network.config.hiddenSize;
    const start = this.#length + first;
    t.scope(() => {
      const x = entering
        ? t.upload(entering.subarray(first * width, (first + rows) * width), [rows, width])
        : embedRows(t, this.host.network, pass.request, first, this.#positions.subarray(start, start + rows));
      collector.layer(t, from, x, first);
      const contexts = layerContexts(t, {
        activations: this.host.options.activations,
        cache: this.#cache,
        rotary: this.host.network.config.rotary,
        pattern,
        start,
        rows,
        positions: this.#positions,
      });
      const run = (): void => {
        for (let layer = from; layer < to; layer++) {
          this.host.network.layer(t, layer, x, contexts.at(layer));
          collector.layer(t, layer + 1, x, first);
        }
      };
      if (collector.takesLayers) run();
      else this.#passages.run(t, x, [from, to], contexts, run);
      collector.head(t, x, first, to);
      collector.flush(t);
      leaving?.set(x.floats(), first * width);
    });
  }
}
