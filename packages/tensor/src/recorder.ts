/**
 * Records operations into a command list and runs the list when results are read. Each method checks shapes, places
 * its result in the arena, notes what it reads and writes, and appends one command.
 *
 * Every operation is row-wise: the numbers of a row depend on that row's inputs alone, whatever else is in the call.
 */
import { requireArgument } from '@gallop/core';
import { Arena, type ArenaMark } from './arena.ts';
import type { Backend, CommandList } from './backend.ts';
import { Hazards, type Range } from './hazards.ts';
import { type OperationName, opcodes } from './opcodes.ts';
import { checkShape } from './operations/shapes.ts';
import type { Step } from './operations/steps.ts';
import { activationRowBytes, type DType, Tensor } from './tensor.ts';
import type { Weight } from './weight.ts';

/** One layer's keys and values in a paged cache. */
export interface CacheLayer {
  /** Page addresses as float64 words. */
  readonly pages: { readonly address: number };
  readonly pageSlots: number;
  /** Offsets of this layer's keys and values inside a page, in bytes. */
  readonly keyOffset: number;
  readonly valueOffset: number;
  readonly heads: number;
  readonly headSize: number;
  readonly dtype: 'f16' | 'f32';
}

/** What each row of an attention call sees. */
export interface Visibility {
  /** Per row [first slot, end slot, first entry of `extras`, number of extras]. */
  readonly spans: Tensor;
  /** Slots seen after the span, in order. */
  readonly extras: Tensor;
  /** Largest number of keys any row sees, counted from slot 0. */
  readonly places: number;
}

/** What is added to scaled scores by how far a key lies from its query: ALiBi, relative position buckets. */
export interface DistanceBias {
  /** [query heads, distances]: column i is for query position − key position = i − `zero`; ends stand for all beyond. */
  readonly table: Tensor;
  readonly zero: number;
  /** Position of each slot, and of each row of the call. i32 */
  readonly keyPositions: Tensor;
  readonly queryPositions: Tensor;
}

/** Queries that a kernel attends with at once, at most: each needs scratch for its scores. */
const attentionQueries = 8;

export type GateActivation = 'silu' | 'gelu-tanh';
const gateActivations = { silu: 0, 'gelu-tanh': 1 } as const;

/** Commands that were recorded once and can be recorded again as they are. */
export interface Passage {
  readonly words: Float64Array;
  readonly commandCount: number;
  readonly scratchFloats: number;
  readonly arena: ArenaMark;
}

export class Recorder implements CommandList {
  words: Float64Array = new Float64Array(8192);
  length = 0;
  commandCount = 0;
  scratchFloats = 0;
  readonly backend: Backend;
  readonly #arena: Arena;
  readonly #uploads: Arena;
  readonly #hazards = new Hazards();
  #depth = 0;
  /** Counts what makes a passage depend on more than its operands: uploads and flushes. */
  #interruptions = 0;

  constructor(backend: Backend) {
    this.backend = backend;
    this.#arena = new Arena(backend);
    this.#uploads = new Arena(backend);
  }

  /**
   * Appends a command, with the memory that it reads and writes. For modules that define operations; `operands` follow
   * the order of `opcodes`.
   */
  append(name: OperationName, reads: readonly Range[], writes: readonly Range[], operands: readonly number[]): void {
    const count = operands.length + 2;
    this.#reserve(count);
    const barrier = this.#hazards.register(reads, writes);
    const { words, length } = this;
    words[length] = opcodes[name].code + (barrier ? 256 : 0);
    words[length + 1] = count;
    for (let i = 0; i < operands.length; i++) words[length + 2 + i] = operands[i]!;
    this.length += count;
    this.commandCount++;
  }

  #reserve(count: number): void {
    if (this.length + count <= this.words.length) return;
    const grown = new Float64Array(Math.max(this.words.length * 2, this.length + count));
    grown.set(this.words);
    this.words = grown;
  }

  /**
   * Runs `body` and copies what it records, or returns undefined when it uploaded or flushed: then what it recorded is
   * not all that it did.
   */
  capture(body: () => void): Passage | undefined {
    const { length, commandCount } = this;
    const interruptions = this.#interruptions;
    const arena = this.#arena.mark();
    const scratchBefore = this.scratchFloats;
    this.scratchFloats = 0;
    body();
    const { scratchFloats } = this;
    this.scratchFloats = Math.max(scratchFloats, scratchBefore);
    if (interruptions !== this.#interruptions) return undefined;
    const words = this.words.slice(length, this.length);
    return { words, commandCount: this.commandCount - commandCount, scratchFloats, arena };
  }

  /**
   * Records a passage again, when intermediate results would lie where they lay then. The caller vouches that tensors
   * from outside the passage lie where they did.
   * @returns whether it was recorded
   */
  replay({ words, commandCount, scratchFloats, arena }: Passage): boolean {
    const mark = this.#arena.mark();
    if (mark.chunk !== arena.chunk || mark.offset !== arena.offset) return false;
    this.#reserve(words.length);
    this.words.set(words, this.length);
    const head = this.words[this.length]!;
    if (commandCount > 0 && (head & 256) === 0) this.words[this.length] = head + 256;
    this.length += words.length;
    this.commandCount += commandCount;
    this.needScratch(scratchFloats);
    this.#hazards.block();
    return true;
  }

  /** Makes sure that every thread has this many floats of scratch while the list runs. */
  needScratch(floats: number): void {
    if (floats > this.scratchFloats) this.scratchFloats = floats;
  }

  /** Told of every step of the general operations after it was recorded. Does nothing; a gradient tape overrides it. */
  observe(_step: Step): void {}

  /**
   * An uninitialised tensor that lives until the enclosing scope ends. `q8` needs columns in multiples of 32.
   * @throws GallopError `invalid-argument` for a shape that is no shape, `out-of-memory`
   */
  empty(shape: readonly number[], dtype: DType = 'f32'): Tensor {
    checkShape(shape);
    const columns = shape[shape.length - 1] ?? 1;
    requireArgument(
      dtype !== 'q8' || columns % 32 === 0,
      () => `q8 rows need a multiple of 32 columns; received ${columns}`,
    );
    const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
    const elementBytes = dtype === 'i8' || dtype === 'u8' ? 1 : 4;
    const { memory, byteOffset } = this.#arena.take(
      rows * (dtype === 'q8' ? activationRowBytes(columns) : columns * elementBytes),
    );
    return new Tensor(memory, byteOffset, shape, dtype);
  }

  /** Copies host values into backend memory, where they stay until the outermost scope ends and is flushed. */
  upload(
    values: Float32Array | Int32Array | Int8Array | Uint8Array,
    shape: readonly number[] = [1, values.length],
  ): Tensor {
    checkShape(shape);
    const count = shape.reduce((product, size) => product * size, 1);
    requireArgument(
      count === values.length,
      () => `values for shape [${shape}] must be ${count}; received ${values.length}`,
    );
    this.#interruptions++;
    const { memory, byteOffset } = this.#uploads.take(values.byteLength);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    memory.bytes().set(bytes, byteOffset);
    return new Tensor(memory, byteOffset, shape, uploadedType(values));
  }

  /** Runs `body`; tensors made inside are gone afterwards. */
  scope<T>(body: () => T): T {
    const mark = this.#arena.mark();
    this.#depth++;
    try {
      return body();
    } finally {
      this.#depth--;
      this.#arena.release(mark);
      this.#releaseUploads();
    }
  }

  /** Runs everything recorded so far. */
  flush(): void {
    if (this.commandCount > 0) this.backend.execute(this);
    this.discard();
  }

  /** Forgets what was recorded and not yet run. */
  discard(): void {
    this.#interruptions++;
    this.length = 0;
    this.commandCount = 0;
    this.scratchFloats = 0;
    this.#hazards.clear();
    this.#releaseUploads();
  }

  /** The host writes uploads at once, so their memory is reused only when no command waits and no scope is open. */
  #releaseUploads(): void {
    if (this.#depth === 0 && this.commandCount === 0) this.#uploads.release({ chunk: 0, offset: 0 });
  }

  pack(out: number, source: number, rows: number, columns: number, formatId: number): void {
    this.append(
      'pack',
      [{ address: source, byteLength: 1 }],
      [{ address: out, byteLength: 1 }],
      [out, source, rows, columns, formatId],
    );
  }

  /** Rows `ids` of a weight matrix, decoded and multiplied by `scale`. → f32 [ids, columns] */
  embed(table: Weight, ids: Tensor, scale = 1): Tensor {
    const count = ids.columns;
    const out = this.empty([count, table.columns]);
    this.append(
      'embed',
      [ids],
      [out],
      [out.address, table.address, ids.address, count, table.columns, table.formatId, scale],
    );
    return out;
  }

  /**
   * x / sqrt(mean(x²) + epsilon) · weight over the last dimension. `dtype: 'q8'` quantises the result at once;
   * `addTo` adds it to an existing tensor instead of making one.
   */
  rmsNorm(
    x: Tensor,
    weight: Tensor,
    epsilon: number,
    options: { dtype?: 'f32' | 'q8'; addTo?: Tensor; inPlace?: boolean } = {},
  ): Tensor {
    requireArgument(
      weight.columns === x.columns,
      () => `norm weight of ${x.columns} values expected; received ${weight.columns}`,
    );
    const out = options.addTo ?? (options.inPlace ? x : this.empty(x.shape, options.dtype ?? 'f32'));
    const kind = options.addTo ? 2 : out.dtype === 'q8' ? 1 : 0;
    this.needScratch(x.columns + 16);
    this.append(
      'rmsNorm',
      [x, weight],
      [out],
      [out.address, kind, x.address, weight.address, x.rows, x.columns, epsilon],
    );
    return out;
  }

  /** 8-bit activations of f32 rows: per 32 columns scale = max|x| / 127, codes rounded half to even. */
  quantize(x: Tensor): Tensor {
    const out = this.empty(x.shape, 'q8');
    this.append('quantize', [x], [out], [out.address, x.address, x.rows, x.columns]);
    return out;
  }

  /** x Wᵀ (+ bias). [rows, columns] × [outputs, columns] → f32 [rows, outputs]; `addTo` adds to an existing tensor. */
  linear(x: Tensor, weight: Weight, options: { bias?: Tensor; addTo?: Tensor } = {}): Tensor {
    requireArgument(
      x.columns === weight.columns,
      () => `linear expects rows of ${weight.columns} columns; received ${x.columns}`,
    );
    requireArgument(
      x.dtype === 'f32' || weight.isQuantized,
      () => `${weight.format} weights take f32 activations; received q8`,
    );
    const out = options.addTo ?? this.empty([x.rows, weight.rows]);
    const bias = options.bias;
    this.append(
      'linear',
      bias ? [x, bias] : [x],
      [out],
      [
        out.address,
        weight.address,
        x.address,
        bias ? bias.address : 0,
        x.rows,
        weight.rows,
        weight.columns,
        out.columns,
        weight.formatId,
        x.dtype === 'q8' ? 1 : 0,
        options.addTo ? 1 : 0,
      ],
    );
    return out;
  }

  /**
   * Rotary embedding in place. `table` has one row per row of x: rotary/2 cosines, then rotary/2 sines.
   * `pairing`: 'halves' rotates (i, i + rotary/2), 'adjacent' rotates (2i, 2i + 1).
   */
  rope(x: Tensor, table: Tensor, heads: number, pairing: 'halves' | 'adjacent'): void {
    const adjacent = pairing === 'adjacent' ? 1 : 0;
    this.append(
      'rope',
      [x, table],
      [x],
      [x.address, table.address, x.rows, heads, x.columns / heads, table.columns, adjacent],
    );
  }

  /** Writes key and value rows [rows, heads · headSize] into cache slots. */
  cacheWrite(layer: CacheLayer, keys: Tensor, values: Tensor, slots: Tensor): void {
    this.append(
      'cacheWrite',
      [keys, values],
      [cacheRange(layer)],
      [...cacheOperands(layer), keys.address, values.address, slots.address, slots.columns],
    );
  }

  /** Moves cache rows, pair by pair in order. */
  cacheMove(layer: CacheLayer, from: Tensor, to: Tensor): void {
    this.append(
      'cacheMove',
      [cacheRange(layer)],
      [cacheRange(layer)],
      [...cacheOperands(layer), from.address, to.address, from.columns],
    );
  }

  /** Softmax attention of q [rows, queryHeads · headSize] over a cache layer. → [rows, queryHeads · headSize] */
  attention(
    layer: CacheLayer,
    q: Tensor,
    visibility: Visibility,
    options: { scale: number; softcap?: number; dtype?: 'f32' | 'q8'; bias?: DistanceBias },
  ): Tensor {
    const heads = q.columns / layer.headSize;
    requireArgument(
      Number.isInteger(heads / layer.heads),
      () => `query heads must be a multiple of ${layer.heads} key heads; received ${heads}`,
    );
    const direct = options.dtype === 'q8' && layer.headSize % 32 === 0 && layer.headSize <= 1024;
    const out = this.empty(q.shape, direct ? 'q8' : 'f32');
    this.needScratch(attentionQueries * (Math.ceil((visibility.places + 96) / 16) * 16 + layer.headSize) + 64);
    const { bias } = options;
    requireArgument(
      !bias || bias.table.rows === heads,
      () => `a bias of ${heads} rows (one per query head) expected; received ${bias?.table.rows}`,
    );
    this.append(
      'attention',
      [q, cacheRange(layer)],
      [out],
      [
        ...cacheOperands(layer),
        q.address,
        out.address,
        visibility.spans.address,
        visibility.extras.address,
        q.rows,
        heads,
        options.scale,
        options.softcap ?? 0,
        direct ? 1 : 0,
        visibility.places,
        ...(bias
          ? [bias.table.address, bias.table.columns, bias.zero, bias.keyPositions.address, bias.queryPositions.address]
          : [0, 0, 0, 0, 0]),
      ],
    );
    return options.dtype === 'q8' && !direct ? this.quantize(out) : out;
  }

  /** activation(gate) · up. */
  gated(gate: Tensor, up: Tensor, activation: GateActivation, dtype: 'f32' | 'q8' = 'f32'): Tensor {
    const out = this.empty(gate.shape, dtype);
    this.needScratch(gate.columns + 16);
    const kind = dtype === 'q8' ? 1 : 0;
    this.append(
      'gated',
      [gate, up],
      [out],
      [out.address, kind, gate.address, up.address, gate.rows, gate.columns, gateActivations[activation]],
    );
    return out;
  }

  /** a + b, into `out` (default a new tensor). */
  add(a: Tensor, b: Tensor, out: Tensor = this.empty(a.shape)): Tensor {
    this.append('add', [a, b], [out], [out.address, a.address, b.address, a.rows * a.columns]);
    return out;
  }

  /** cap · tanh(x / cap), in place. */
  softcap(x: Tensor, cap: number): void {
    this.append('softcap', [x], [x], [x.address, x.rows * x.columns, cap]);
  }

  /** The k largest of each row, largest first, ties to the smaller index. */
  topK(x: Tensor, k: number): { values: Tensor; ids: Tensor } {
    requireArgument(
      Number.isInteger(k) && k >= 1 && k <= x.columns,
      () => `topK must be 1…${x.columns}; received ${k}`,
    );
    const values = this.empty([x.rows, k]);
    const ids = this.empty([x.rows, k], 'i32');
    this.append('topK', [x], [values, ids], [values.address, ids.address, x.address, x.rows, x.columns, k]);
    return { values, ids };
  }

  /** Chosen rows of an f32 tensor, into `out` (default a new tensor). */
  copyRows(x: Tensor, rows: Tensor, out: Tensor = this.empty([rows.columns, x.columns])): Tensor {
    this.append('copyRows', [x], [out], [out.address, x.address, rows.address, rows.columns, x.columns * 4]);
    return out;
  }

  dispose(): void {
    this.#arena.dispose();
    this.#uploads.dispose();
  }
}

function uploadedType(values: Float32Array | Int32Array | Int8Array | Uint8Array): DType {
  if (values instanceof Float32Array) return 'f32';
  return values instanceof Int32Array ? 'i32' : values instanceof Int8Array ? 'i8' : 'u8';
}

/** A cache layer stands for one made-up range below address zero: pages are shared by layers, layers are disjoint. */
function cacheRange(layer: CacheLayer): Range {
  return { address: -2 - layer.keyOffset, byteLength: 1 };
}

function cacheOperands(layer: CacheLayer): number[] {
  const { pages, pageSlots, keyOffset, valueOffset, heads, headSize, dtype } = layer;
  return [pages.address, pageSlots, keyOffset, valueOffset, heads, headSize, dtype === 'f16' ? 1 : 0];
}
