/** The numbers that shape a decoder network, whatever file they came from. */

/** How positions turn the query and key heads. */
export interface RotaryConfig {
  /** Base of the geometric frequency series. */
  readonly base: number;
  /** Leading elements of a head that are rotated. */
  readonly dimensions: number;
  /** Which elements form a pair: (i, i + dimensions/2) or (2i, 2i + 1). */
  readonly pairing: 'halves' | 'adjacent';
  /** Positions are divided by this (linear scaling). Default 1. */
  readonly scale?: number;
  /** Each pair's frequency is divided by its factor (a file's `rope_freqs`). */
  readonly factors?: Float32Array;
}

export interface DecoderConfig {
  readonly architecture: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly layerCount: number;
  readonly hiddenSize: number;
  readonly feedForwardSize: number;
  readonly heads: number;
  /** Heads of keys and values; query heads share them in equal groups. */
  readonly keyHeads: number;
  readonly headSize: number;
  readonly normEpsilon: number;
  /** Rotary settings by name; a layer chooses one. */
  readonly rotary: Readonly<Record<string, RotaryConfig>>;
}
