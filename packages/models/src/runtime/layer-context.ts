/**
 * What the layers of a decoder see of the state while a chunk of rows passes: rotary tables, cache slots and visibility
 * are made once per chunk, when the first layer asks, and shared by all layers.
 */
import type { AttentionPattern } from '@gallop/core';
import type { Recorder, Tensor, Visibility } from '@gallop/tensor';
import type { Rotary } from '../config.ts';
import type { LayerContext } from './network.ts';
import type { PagedCache } from './paged-cache.ts';
import { rotaryTable } from './rotary.ts';
import { rowVisibility } from './visibility.ts';

/** Rows on their way through the layers. */
export interface ChunkState {
  readonly activations: 'q8' | 'f32';
  readonly cache: PagedCache;
  readonly rotary: Readonly<Record<string, Rotary>>;
  readonly pattern: AttentionPattern;
  /** Slot of the first row; the others follow. */
  readonly start: number;
  readonly rows: number;
  /** Position of each slot. */
  readonly positions: Int32Array;
}

/** What layers may ask of the state, by the name they ask with. */
interface Shared {
  readonly table: string;
  readonly visibility: number;
  readonly distances: Tensor;
}
type Question = { readonly [Kind in keyof Shared]: { readonly kind: Kind; readonly key: Shared[Kind] } }[keyof Shared];

/** What the layers of a chunk see. Valid until the recorder's outermost scope ends. */
export interface LayerContexts {
  at(layer: number): LayerContext;
  /** What layers asked for so far, in order. */
  readonly questions: readonly Question[];
  /** Answers these questions now, so that the answers lie in the order in which they were asked another time. */
  prepare(questions: readonly Question[]): void;
  /** Where everything lies that the layers' commands name: with the same places come the same commands. */
  places(): string;
}

/** Room for scores grows in steps, so that commands stay the same from token to token. */
const scoreStep = 256;

export function layerContexts(t: Recorder, state: ChunkState): LayerContexts {
  const { activations, rotary, pattern, start, rows, positions } = state;
  const questions: Question[] = [];
  const uploads: (Tensor | number)[] = [];
  const upload = (values: Int32Array | Float32Array, shape?: readonly number[]): Tensor => {
    const tensor = t.upload(values, shape);
    uploads.push(tensor);
    return tensor;
  };
  /** One answer per key, made when it is first asked for. */
  function memoized<Key, Value>(note: (key: Key) => Question, make: (key: Key) => Value): (key: Key) => Value {
    const made = new Map<Key, Value>();
    return (key) => {
      let value = made.get(key);
      if (value !== undefined) return value;
      questions.push(note(key));
      value = make(key);
      made.set(key, value);
      return value;
    };
  }
  const slots = upload(Int32Array.from({ length: rows }, (_, row) => start + row));
  const table = memoized(
    (key: string) => ({ kind: 'table', key }),
    (name): Tensor => {
      const { frequencies, scale } = rotary[name]!;
      const values = rotaryTable(frequencies, positions.subarray(start, start + rows), scale);
      return upload(values, [rows, frequencies.length * 2]);
    },
  );
  const visibility = memoized(
    (key: number) => ({ kind: 'visibility', key }),
    (window): Visibility => {
      const { spans, extras, places } = rowVisibility(pattern, start, rows, positions, window);
      const room = Math.ceil(places / scoreStep) * scoreStep;
      uploads.push(room);
      return { spans: upload(spans), extras: upload(extras.length > 0 ? extras : new Int32Array(1)), places: room };
    },
  );
  const distances = memoized(
    (key: Tensor) => ({ kind: 'distances', key }),
    (table) => ({
      table,
      keyPositions: upload(positions.subarray(0, start + rows)),
      queryPositions: upload(positions.subarray(start, start + rows)),
    }),
  );
  return {
    questions,
    prepare(asked) {
      for (const { kind, key } of asked)
        if (kind === 'table') table(key);
        else if (kind === 'visibility') visibility(key);
        else distances(key);
    },
    places: () =>
      [state.cache.layer(0).pages.address, ...uploads.map((x) => (typeof x === 'number' ? x : x.address))].join(),
    at(layer) {
      const cache = state.cache.layer(layer);
      return {
        activations,
        rotate: (x, heads, name) => t.rope(x, table(name), heads, rotary[name]!.pairing),
        attend(q, k, v, { scale, window = Infinity, softcap = 0, dtype = 'f32', bias }) {
          t.cacheWrite(cache, k, v, slots);
          return t.attention(cache, q, visibility(window), {
            scale,
            softcap,
            dtype,
            ...(bias && { bias: { ...distances(bias.table), zero: bias.zero } }),
          });
        },
      };
    },
  };
}

/** Every one of `rows` rows sees slots [0, slots). */
export function everySlot(t: Recorder, rows: number, slots: number): Visibility {
  const spans = t.upload(Int32Array.from({ length: rows * 4 }, (_, i) => (i % 4 === 1 ? slots : 0)));
  return { spans, extras: t.upload(new Int32Array(1)), places: slots };
}
