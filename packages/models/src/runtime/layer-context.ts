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

/** What all layers see: made for one of them, used by all. */
export interface LayerContexts {
  /** The context of a layer. */
  at(layer: number): LayerContext;
  /** What layers asked for so far, in order: asking again beforehand puts it where it would lie. */
  readonly asked: readonly (() => void)[];
  /** Where everything lies that commands of the layers name: the same text, the same commands. */
  place(): string;
}

/** Scratch for scores grows by as much at a time, so that commands stay the same from token to token. */
const placesStep = 256;

/** Valid until the recorder's outermost scope ends. `asked` is what earlier contexts were asked for. */
export function layerContexts(t: Recorder, state: ChunkState): LayerContexts {
  const { activations, rotary, pattern, start, rows, positions } = state;
  /** One value per key, made when it is first asked for. */
  function memoized<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
    const made = new Map<Key, Value>();
    return (key) => {
      let value = made.get(key);
      if (value === undefined) made.set(key, (value = make(key)));
      return value;
    };
  }
  const slots = t.upload(Int32Array.from({ length: rows }, (_, row) => start + row));
  const table = memoized((name: string): Tensor => {
    const { frequencies, scale } = rotary[name]!;
    const values = rotaryTable(frequencies, positions.subarray(start, start + rows), scale);
    return t.upload(values, [rows, frequencies.length * 2]);
  });
  const visibility = memoized((window: number): Visibility => {
    const { spans, extras, places } = rowVisibility(pattern, start, rows, positions, window);
    return { spans: t.upload(spans), extras: t.upload(extras.length > 0 ? extras : new Int32Array(1)), places };
  });
  const distances = memoized((table: Tensor) => ({
    table,
    keyPositions: t.upload(positions.subarray(0, start + rows)),
    queryPositions: t.upload(positions.subarray(start, start + rows)),
  }));
  return (layer) => {
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
  };
}

/** Every one of `rows` rows sees slots [0, slots). */
export function everySlot(t: Recorder, rows: number, slots: number): Visibility {
  const spans = t.upload(Int32Array.from({ length: rows * 4 }, (_, i) => (i % 4 === 1 ? slots : 0)));
  return { spans, extras: t.upload(new Int32Array(1)), places: slots };
}
