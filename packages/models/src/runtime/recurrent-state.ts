/**
 * The states of a recurrent network after some row: the numbers of all layers in one piece of memory, shared by the sessions
 * that have come past that row.
 */
import { type Backend, type Memory, Tensor } from '@gallop/tensor';
import type { RecurrentNetwork } from './network.ts';

/** Where each state of a layer lies. */
interface StatePlace {
  readonly shape: readonly number[];
  readonly byteOffset: number;
}

export class StateLayout {
  readonly byteLength: number;
  readonly #places: ReadonlyMap<string, StatePlace>;
  readonly #layerBytes: number;

  constructor({ states, config }: Pick<RecurrentNetwork, 'states' | 'config'>) {
    const places = new Map<string, StatePlace>();
    let byteOffset = 0;
    for (const [name, shape] of Object.entries(states)) {
      places.set(name, { shape, byteOffset });
      byteOffset += Math.ceil(shape.reduce((product, size) => product * size, 4) / 64) * 64;
    }
    this.#places = places;
    this.#layerBytes = byteOffset;
    this.byteLength = byteOffset * config.layerCount;
  }

  /** A state of one layer, [1, …its shape]. */
  tensor(memory: Memory, layer: number, name: string): Tensor {
    const { shape, byteOffset } = this.#places.get(name)!;
    return new Tensor(memory, layer * this.#layerBytes + byteOffset, [1, ...shape], 'f32');
  }
}

/** States after `length` rows. */
export interface Checkpoint {
  readonly length: number;
  readonly memory: Memory;
  /** Sessions that hold it. */
  owners: number;
}

/** Newest and oldest checkpoints lie apart by powers of two of rows, up to this many. */
const spans = 11;

/**
 * States after earlier rows, oldest first: one for each power of two of rows behind the newest, so that going back a
 * little replays a little. The state before the first row is zero and needs no memory.
 */
export class Checkpoints {
  readonly #backend: Backend;
  readonly #byteLength: number;
  #kept: Checkpoint[] = [];

  constructor(backend: Backend, byteLength: number, shared: readonly Checkpoint[] = []) {
    this.#backend = backend;
    this.#byteLength = byteLength;
    for (const checkpoint of shared) checkpoint.owners++;
    this.#kept.push(...shared);
  }

  get kept(): readonly Checkpoint[] {
    return this.#kept;
  }

  /** Rows that the newest state has seen. */
  get length(): number {
    return this.#kept.at(-1)?.length ?? 0;
  }

  /** Memory that holds the newest state, for a pass to change. @throws GallopError `out-of-memory` */
  working(): Memory {
    const memory = this.#backend.allocate(this.#byteLength);
    const newest = this.#kept.at(-1);
    if (newest) memory.bytes().set(newest.memory.bytes());
    return memory;
  }

  /** Takes over memory that holds the state after `length` rows. */
  push(length: number, memory: Memory): void {
    this.#kept.push({ length, memory, owners: 1 });
    const spanOf = (checkpoint: Checkpoint): number =>
      Math.min(spans - 1, Math.floor(Math.log2(length - checkpoint.length + 1)));
    this.#keep((checkpoint, index) => index === 0 || spanOf(this.#kept[index - 1]!) !== spanOf(checkpoint));
  }

  /** Forgets what lies beyond `length` rows. */
  truncate(length: number): void {
    this.#keep((checkpoint) => checkpoint.length <= length);
  }

  dispose(): void {
    this.#keep(() => false);
  }

  #keep(wanted: (checkpoint: Checkpoint, index: number) => boolean): void {
    const kept: Checkpoint[] = [];
    this.#kept.forEach((checkpoint, index) => {
      if (wanted(checkpoint, index)) kept.push(checkpoint);
      else if (--checkpoint.owners === 0) checkpoint.memory.free();
    });
    this.#kept = kept;
  }
}
