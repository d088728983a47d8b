/** The numbers that shape a decoder network, whatever file they came from. */

/** How positions turn the query and key heads: the elements of pair i turn by position · frequencies[i]. */
export interface Rotary {
  /** One per pair; a head's first 2 · frequencies.length elements are rotated. */
  readonly frequencies: Float32Array;
  /** Which elements form a pair, of n rotated ones: (i, i + n/2) or (2i, 2i + 1). */
  readonly pairing: 'halves' | 'adjacent';
  /** Multiplies cosines and sines. */
  readonly scale: number;
}

/** What sessions of any kind need to know. */
export interface NetworkConfig {
  readonly architecture: string;
  readonly vocabSize: number;
  /** Positions the network has; a session holds at most as many rows. */
  readonly contextLength: number;
  readonly layerCount: number;
  readonly hiddenSize: number;
  /** Width of embeddings. Default `hiddenSize`. */
  readonly embeddingSize?: number;
  /** Whether logits are about the next position (default) or about the row itself. */
  readonly logitAlignment?: 'next' | 'same';
}

export interface DecoderConfig extends NetworkConfig {
  readonly feedForwardSize: number;
  readonly heads: number;
  /** Heads of keys and values; query heads share them in equal groups. */
  readonly keyHeads: number;
  readonly headSize: number;
  readonly normEpsilon: number;
  /** Rotary settings by name; a layer chooses one. */
  readonly rotary: Readonly<Record<string, Rotary>>;
  /** What a row sees of its call unless the request says otherwise. Default `causal`. */
  readonly attention?: 'causal' | 'full';
}
