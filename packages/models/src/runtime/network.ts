/**
 * What a decoder network is to the runtime: how rows of embeddings pass through the layers. The runtime brings the
 * recorder, the rotary tables and the cache; the network brings the weights and the equations.
 */
import type { DistanceBias, Recorder, Tensor } from '@gallop/tensor';
import type { DecoderConfig, NetworkConfig } from '../config.ts';

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

/** What lies before the first layer and after the last one. */
export interface NetworkEnds {
  readonly config: NetworkConfig;
  /** Token ids [rows] → their embeddings [rows, width], scaled as the network scales them. */
  embed(t: Recorder, ids: Tensor): Tensor;
  /**
   * What enters the first layer, [rows, hiddenSize], from embeddings and positions [1, rows]: learned positions, a norm.
   * May change `embeddings`. Default: the embeddings as they are.
   */
  enter?(t: Recorder, embeddings: Tensor, positions: Tensor): Tensor;
  /** Final norm. [rows, hiddenSize] → [rows, hiddenSize] */
  finish(t: Recorder, x: Tensor, dtype: 'f32' | 'q8'): Tensor;
  /** Normed rows → logits [rows, vocabSize]. */
  logits(t: Recorder, x: Tensor): Tensor;
  /** Kind of activations that `logits` takes. */
  readonly headActivations: 'q8' | 'f32';
  dispose(): void;
}

/** A network whose state is the keys and values of its rows. */
export interface DecoderNetwork extends NetworkEnds {
  readonly config: DecoderConfig;
  /** Adds one layer's contribution to x [rows, hiddenSize] in place. */
  layer(t: Recorder, index: number, x: Tensor, context: LayerContext): void;
}

/** Inputs [batch, length, columns] and the state [batch, …] before them → output [batch, length, columns], state after. */
export type RecurrentStep = (
  inputs: readonly Tensor[],
  state: Tensor,
) => { readonly output: Tensor; readonly state: Tensor };

/** What a layer can ask of a state that is carried from row to row. */
export interface RecurrentContext {
  /** `q8` where matrix products take 8-bit activations. */
  readonly activations: 'q8' | 'f32';
  /**
   * Carries the layer's state `name` over the rows, each from its predecessor.
   * @param inputs [rows, columns] each
   * @returns the steps' outputs, [rows, columns]
   */
  recur(name: string, inputs: readonly Tensor[], step: RecurrentStep): Tensor;
}

/** A network whose state is of fixed size: each layer carries some numbers from row to row. */
export interface RecurrentNetwork extends NetworkEnds {
  /** Shapes of the states of each layer, by name. */
  readonly states: Readonly<Record<string, readonly number[]>>;
  /** Adds one layer's contribution to x [rows, hiddenSize] in place. */
  layer(t: Recorder, index: number, x: Tensor, context: RecurrentContext): void;
}

export type LanguageNetwork = DecoderNetwork | RecurrentNetwork;
