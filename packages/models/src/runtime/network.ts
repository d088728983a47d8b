/**
 * What a decoder network is to the runtime: how rows of embeddings pass through the layers. The runtime brings the
 * recorder, the rotary tables and the cache; the network brings the weights and the equations.
 */
import type { DistanceBias, Recorder, Tensor } from '@gallop/tensor';
import type { DecoderConfig } from '../config.ts';

export interface AttendOptions {
  /** Multiplies the scores. */
  readonly scale: number;
  /** Rows see keys at most this many positions back, themselves included. Default: everything. */
  readonly window?: number;
  /** Scores become softcap · tanh(score / softcap). */
  readonly softcap?: number;
  /** Added to scaled scores by how far a key's position lies from the row's. Default: nothing. */
  readonly bias?: Pick<DistanceBias, 'table' | 'zero'>;
  /** Kind of activations to give back. Default `f32`. */
  readonly dtype?: 'f32' | 'q8';
}

/** What a layer can ask of the state it runs in. */
export interface LayerContext {
  /** `q8` where matrix products take 8-bit activations. */
  readonly activations: 'q8' | 'f32';
  /** Rotates the heads of x [rows, heads · headSize] in place by each row's position. `name` is a key of config.rotary. */
  rotate(x: Tensor, heads: number, name: string): void;
  /** Stores keys and values [rows, keyHeads · headSize] of the new rows, then attends. → [rows, heads · headSize] */
  attend(q: Tensor, k: Tensor, v: Tensor, options: AttendOptions): Tensor;
}

export interface DecoderNetwork {
  readonly config: DecoderConfig;
  /** Token ids [rows] → their embeddings [rows, width], scaled as the network scales them. */
  embed(t: Recorder, ids: Tensor): Tensor;
  /**
   * What enters the first layer, [rows, hiddenSize], from embeddings and positions [1, rows]: learned positions, a norm.
   * May change `embeddings`. Default: the embeddings as they are.
   */
  enter?(t: Recorder, embeddings: Tensor, positions: Tensor): Tensor;
  /** Adds one layer's contribution to x [rows, hiddenSize] in place. */
  layer(t: Recorder, index: number, x: Tensor, context: LayerContext): void;
  /** Final norm. [rows, hiddenSize] → [rows, hiddenSize] */
  finish(t: Recorder, x: Tensor, dtype: 'f32' | 'q8'): Tensor;
  /** Normed rows → logits [rows, vocabSize]. */
  logits(t: Recorder, x: Tensor): Tensor;
  /** Kind of activations that `logits` takes. */
  readonly headActivations: 'q8' | 'f32';
  dispose(): void;
}
