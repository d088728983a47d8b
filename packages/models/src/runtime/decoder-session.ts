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
  type Wanted,
} from '@gallop/core';
import { type Backend, Recorder, type Tensor, type Visibility } from '@gallop/tensor';
import type { DecoderNetwork, LayerContext } from './network.ts';
import { PagedCache } from './paged-cache.ts';
import { inverseFrequencies, rotaryTable } from './rotary.ts';
import { checkPattern, rowDepths, rowVisibility } from './visibility.ts';

export interface SessionOptions {
  readonly activations: 'q8' | 'f32';
  readonly cacheDtype: 'f16' | 'f32';
  readonly contextLength: number;
}

/** Rows computed at once: bounds the memory of intermediate results. */
const chunkRows = 256;
const causal: AttentionPattern = { kind: 'causal' };

interface Pending {
  readonly rows: number;
  readonly pattern: AttentionPattern;
  /** Layers the rows have passed, and what came out of the last one when they have not passed all. */
  readonly layers: number;
  readonly hidden?: Float32Array;
}

export class DecoderSession implements Session {
  readonly #network: DecoderNetwork;
  readonly #backend: Backend;
  readonly #options: SessionOptions;
  readonly #recorder: Recorder;
  readonly #cache: PagedCache;
  readonly #frequencies: ReadonlyMap<string, Float32Array>;
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
    this.#frequencies = new Map(
      Object.entries(network.config.rotary).map(([name, rotary]) => [name, inverseFrequencies(rotary)]),
    );
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
    const from: number[] = [];
    const to: number[] = [];
    rows.forEach((row, index) => {
      requireArgument(
        row >= 0 && row < pending.rows && (index === 0 || row > rows[index - 1]!),
        () => `rows to commit must ascend within 0…${pending.rows - 1}; received ${row} at index ${index}`,
      );
      requireKeptAncestors(pending.pattern, rows, index);
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
    const { ids, want = {} } = request;
    const pattern = request.attention ?? causal;
    const [from, to] = request.layers ?? [0, this.#network.config.layerCount];
    this.#checkRequest(request, pattern, from, to);
    const rows = ids.length;
    const base = this.#length;
    if (from === 0) this.#place(request, pattern);
    const step = pattern.kind === 'causal' ? chunkRows : rows;
    const collector = new ResultCollector(this.#network, want, rows);
    const partial =
      to < this.#network.config.layerCount ? new Float32Array(rows * this.#network.config.hiddenSize) : undefined;
    const entering = this.#pending?.hidden;
    for (let first = 0; first < rows; first += step) {
      if (first > 0) {
        await new Promise((resolve) => setTimeout(resolve));
        request.signal?.throwIfAborted();
      }
      const count = Math.min(step, rows - first);
      this.#chunk(collector, {
        ids: ids.subarray(first, first + count),
        first,
        base,
        pattern,
        from,
        to,
        partial,
        entering,
      });
    }
    this.#pending = { rows, pattern, layers: to, ...(partial ? { hidden: partial } : {}) };
    return collector.result();
  }

  #checkRequest(request: ForwardRequest, pattern: AttentionPattern, from: number, to: number): void {
    const { config } = this.#network;
    const rows = request.ids.length;
    requireArgument(rows > 0, () => 'forward takes at least one token; received none');
    if (this.#length + rows > this.#options.contextLength)
      throw new GallopError(
        'context-overflow',
        `${rows} rows after ${this.#length} exceed the context of ${this.#options.contextLength}; shorten the prompt, truncate the session or load the model with a longer context`,
      );
    for (const id of request.ids)
      requireArgument(
        id >= 0 && id < config.vocabSize,
        () => `token ids must be within 0…${config.vocabSize - 1}; received ${id}`,
      );
    requireArgument(
      !request.positions ||
        (request.positions.length === rows &&
          request.positions.every((position) => position >= 0 && position < config.contextLength)),
      () => `positions must be ${rows} integers within 0…${config.contextLength - 1}`,
    );
    requireArgument(
      Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= config.layerCount,
      () => `layers must be a range within [0, ${config.layerCount}]; received [${from}, ${to}]`,
    );
    if (from > 0 && (this.#pending?.layers !== from || this.#pending.rows !== rows))
      throw new GallopError(
        'invalid-state',
        `layers from ${from} continue the ${rows} rows that the previous call left there; there are none`,
      );
    checkPattern(pattern, rows);
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

  #chunk(collector: ResultCollector, chunk: Chunk): void {
    const t = this.#recorder;
    const { ids, first, partial, entering } = chunk;
    const width = this.#network.config.hiddenSize;
    t.scope(() => {
      const x = entering
        ? t.upload(entering.slice(first * width, (first + ids.length) * width), [ids.length, width])
        : this.#network.embed(t, t.upload(ids));
      collector.layer(t, chunk.from, x, first);
      const context = this.#context(chunk);
      for (let layer = chunk.from; layer < chunk.to; layer++) {
        this.#network.layer(t, layer, x, context(layer));
        collector.layer(t, layer + 1, x, first);
      }
      if (partial) {
        t.flush();
        partial.set(x.floats(), first * width);
      } else collector.head(t, x, first);
      t.flush();
      collector.collect();
    });
  }

  /** What layers see of the state: uploads are made once per chunk and shared by all layers. */
  #context(chunk: Chunk): (layer: number) => LayerContext {
    const t = this.#recorder;
    const { ids, first, base, pattern } = chunk;
    const start = base + first;
    const positions = this.#positions.subarray(start, start + ids.length);
    const slots = t.upload(Int32Array.from({ length: ids.length }, (_, row) => start + row));
    const tables = new Map<string, Tensor>();
    const masks = new Map<number, Visibility>();
    const table = (name: string): Tensor => {
      const known = tables.get(name);
      if (known) return known;
      const frequencies = this.#frequencies.get(name)!;
      const made = t.upload(rotaryTable(frequencies, positions), [ids.length, frequencies.length * 2]);
      tables.set(name, made);
      return made;
    };
    const visibility = (window: number): Visibility => {
      const known = masks.get(window);
      if (known) return known;
      const { spans, extras, places } = rowVisibility(pattern, start, ids.length, this.#positions, window);
      const made = { spans: t.upload(spans), extras: t.upload(extras.length > 0 ? extras : new Int32Array(1)), places };
      masks.set(window, made);
      return made;
    };
    const { activations } = this.#options;
    return (layer) => {
      const cache = this.#cache.layer(layer);
      return {
        activations,
        rotate: (x, heads, name) => t.rope(x, table(name), heads, this.#network.config.rotary[name]!.pairing),
        attend(q, k, v, { scale, window = Infinity, softcap = 0 }) {
          t.cacheWrite(cache, k, v, slots);
          return t.attention(cache, q, visibility(window), { scale, softcap, dtype: activations });
        },
      };
    };
  }
}

interface Chunk {
  readonly ids: Int32Array;
  readonly first: number;
  readonly base: number;
  readonly pattern: AttentionPattern;
  readonly from: number;
  readonly to: number;
  readonly partial: Float32Array | undefined;
  readonly entering: Float32Array | undefined;
}

/** A kept row's parents must be kept too: whatever comes after was computed with them in view. */
function requireKeptAncestors(pattern: AttentionPattern, rows: Int32Array, index: number): void {
  const row = rows[index]!;
  if (pattern.kind === 'tree') {
    const parent = pattern.parents[row]!;
    requireArgument(
      parent === (index === 0 ? -1 : rows[index - 1]!),
      () => `committed rows must form a path from the committed state; the parent of row ${row} is ${parent}`,
    );
  } else if (pattern.kind === 'causal')
    requireArgument(
      row === index,
      () => `of a causal call only leading rows can be committed; received row ${row} at index ${index}`,
    );
}

/** Takes the wanted numbers out of each chunk. */
class ResultCollector {
  readonly #network: DecoderNetwork;
  readonly #want: Wanted;
  readonly #wantedRows: Int32Array;
  readonly #logits: Float32Array | undefined;
  readonly #topTokens: Int32Array | undefined;
  readonly #topLogits: Float32Array | undefined;
  readonly #hidden = new Map<number, Float32Array>();
  readonly #totalRows: number;
  #reads: (() => void)[] = [];
  #done = 0;

  constructor(network: DecoderNetwork, want: Wanted, rows: number) {
    this.#network = network;
    this.#want = want;
    this.#totalRows = rows;
    const { vocabSize, hiddenSize, layerCount } = network.config;
    const wanted = want.logits;
    this.#wantedRows =
      wanted === undefined
        ? new Int32Array()
        : wanted === 'last'
          ? Int32Array.of(rows - 1)
          : wanted === 'all'
            ? Int32Array.from({ length: rows }, (_, row) => row)
            : wanted;
    this.#wantedRows.forEach((row, i) => {
      requireArgument(
        row >= 0 && row < rows && (i === 0 || row > this.#wantedRows[i - 1]!),
        () => `rows whose logits are wanted must ascend within 0…${rows - 1}; received ${row}`,
      );
    });
    const count = this.#wantedRows.length;
    if (count > 0 && want.topK !== undefined) {
      const k = want.topK;
      requireArgument(
        Number.isInteger(k) && k >= 1 && k <= vocabSize,
        () => `topK must be within 1…${vocabSize}; received ${k}`,
      );
      this.#topTokens = new Int32Array(count * k);
      this.#topLogits = new Float32Array(count * k);
    } else if (count > 0) this.#logits = new Float32Array(count * vocabSize);
    for (const layer of want.hidden ?? []) {
      requireArgument(
        Number.isInteger(layer) && layer >= 0 && layer <= layerCount,
        () => `hidden layers are 0…${layerCount}; received ${layer}`,
      );
      this.#hidden.set(layer, new Float32Array(rows * hiddenSize));
    }
  }

  /** Keeps the state after `layer` layers when it is wanted (the last one is taken after the final norm). */
  layer(t: Recorder, layer: number, x: Tensor, first: number): void {
    const target = this.#hidden.get(layer);
    if (!target || layer === this.#network.config.layerCount) return;
    t.flush();
    target.set(x.floats(), first * x.columns);
  }

  /** Final norm and logits of the wanted rows among this chunk's. */
  head(t: Recorder, x: Tensor, first: number): void {
    const { config } = this.#network;
    const last = this.#hidden.get(config.layerCount);
    if (last) {
      const normed = this.#network.finish(t, x, 'f32');
      this.#reads.push(() => last.set(normed.floats(), first * x.columns));
    }
    const mine = this.#wantedRows.filter((row) => row >= first && row < first + x.rows);
    const atOnce = Math.max(1, Math.floor(2 ** 24 / config.vocabSize)); // 64 MiB of logits
    for (let i = 0; i < mine.length; i += atOnce) {
      const part = mine.subarray(i, i + atOnce);
      if (i > 0) {
        t.flush();
        this.collect();
      }
      this.#part(
        t,
        x,
        part.map((row) => row - first),
      );
    }
  }

  #part(t: Recorder, x: Tensor, rows: Int32Array): void {
    const whole = rows.length === x.rows;
    const picked = whole ? x : t.copyRows(x, t.upload(rows));
    const logits = this.#network.logits(t, this.#network.finish(t, picked, this.#network.headActivations));
    const at = this.#done;
    this.#done += rows.length;
    const k = this.#want.topK;
    if (k === undefined) {
      this.#reads.push(() => this.#logits!.set(logits.floats(), at * logits.columns));
      return;
    }
    const { values, ids } = t.topK(logits, k);
    this.#reads.push(() => {
      this.#topLogits!.set(values.floats(), at * k);
      this.#topTokens!.set(ids.integers(), at * k);
    });
  }

  /** Reads results after a flush. */
  collect(): void {
    for (const read of this.#reads) read();
    this.#reads = [];
  }

  result(): ForwardResult {
    const result: { -readonly [Key in keyof ForwardResult]: ForwardResult[Key] } = {};
    if (this.#logits) result.logits = this.#logits;
    if (this.#topTokens && this.#topLogits) {
      result.topTokens = this.#topTokens;
      result.topLogits = this.#topLogits;
    }
    if (this.#hidden.size > 0 && this.#totalRows > 0) result.hidden = this.#hidden;
    return result;
  }
}
