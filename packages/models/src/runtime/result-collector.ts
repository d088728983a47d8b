/** Takes the wanted numbers out of each chunk of a forward pass: logits or best tokens of some rows, hidden states. */
import { type ForwardResult, GallopError, type Wanted } from '@gallop/core';
import type { Recorder, Tensor } from '@gallop/tensor';
import type { NetworkEnds } from './network.ts';

/** Logits computed before they are read back: 64 MiB of floats. */
const logitsAtOnce = 2 ** 24;

/** @throws GallopError `out-of-memory` */
export function hostFloats(count: number): Float32Array {
  try {
    return new Float32Array(count);
  } catch (cause) {
    throw new GallopError(
      'out-of-memory',
      `no memory for ${count} numbers to return; ask for fewer rows, or for the best tokens only (topK)`,
      { cause },
    );
  }
}

/** The rows whose logits are wanted, ascending. */
function wantedRows({ logits }: Wanted, rows: number): Int32Array {
  if (logits === undefined) return new Int32Array();
  if (logits === 'last') return Int32Array.of(rows - 1);
  return logits === 'all' ? Int32Array.from({ length: rows }, (_, row) => row) : logits;
}

export class ResultCollector {
  readonly #network: NetworkEnds;
  readonly #topK: number | undefined;
  readonly #wantedRows: Int32Array;
  readonly #logits: Float32Array | undefined;
  readonly #topTokens: Int32Array | undefined;
  readonly #topLogits: Float32Array | undefined;
  readonly #hidden: ReadonlyMap<number, Float32Array>;
  #reads: (() => void)[] = [];
  #done = 0;

  /**
   * @param want what was asked of `rows` rows, checked already
   * @throws GallopError `out-of-memory`
   */
  constructor(network: NetworkEnds, want: Wanted, rows: number) {
    const { vocabSize, hiddenSize } = network.config;
    this.#network = network;
    this.#topK = want.topK;
    this.#wantedRows = wantedRows(want, rows);
    const count = this.#wantedRows.length;
    if (count > 0 && want.topK !== undefined) {
      this.#topTokens = new Int32Array(count * want.topK);
      this.#topLogits = hostFloats(count * want.topK);
    } else if (count > 0) this.#logits = hostFloats(count * vocabSize);
    this.#hidden = new Map((want.hidden ?? []).map((layer) => [layer, hostFloats(rows * hiddenSize)]));
  }

  /** Whether states between layers are wanted. */
  get takesLayers(): boolean {
    return this.#hidden.size > 0;
  }

  /** Keeps the state after `layer` layers when it is wanted (the last one is taken after the final norm). */
  layer(t: Recorder, layer: number, x: Tensor, first: number): void {
    const target = this.#hidden.get(layer);
    if (!target || layer === this.#network.config.layerCount) return;
    t.flush();
    target.set(x.floats(), first * x.columns);
  }

  /** Final norm and logits of the wanted rows among this chunk's, also of rows that leave after fewer than all layers. */
  head(t: Recorder, x: Tensor, first: number, layers: number): void {
    const { config } = this.#network;
    const last = this.#hidden.get(config.layerCount);
    if (last && layers === config.layerCount) {
      const normed = this.#network.finish(t, x, 'f32');
      this.#reads.push(() => last.set(normed.floats(), first * x.columns));
    }
    const mine = this.#wantedRows.filter((row) => row >= first && row < first + x.rows).map((row) => row - first);
    const atOnce = Math.max(1, Math.floor(logitsAtOnce / config.vocabSize));
    for (let i = 0; i < mine.length; i += atOnce) {
      if (i > 0) this.flush(t);
      this.#part(t, x, mine.subarray(i, i + atOnce));
    }
  }

  #part(t: Recorder, x: Tensor, rows: Int32Array): void {
    const picked = rows.length === x.rows ? x : t.copyRows(x, t.upload(rows));
    const logits = this.#network.logits(t, this.#network.finish(t, picked, this.#network.headActivations));
    const at = this.#done;
    this.#done += rows.length;
    const k = this.#topK;
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

  /** Runs what was recorded and reads the results of this chunk. */
  flush(t: Recorder): void {
    t.flush();
    for (const read of this.#reads) read();
    this.#reads = [];
  }

  result(): ForwardResult {
    return {
      ...(this.#logits && { logits: this.#logits }),
      ...(this.#topTokens && { topTokens: this.#topTokens }),
      ...(this.#topLogits && { topLogits: this.#topLogits }),
      ...(this.#hidden.size > 0 && { hidden: this.#hidden }),
    };
  }
}
