/** What a diffusion run reports after each call of the network. */

/** One call of the network and what came of it. */
export interface DiffusionStep {
  /** `denoise` decides positions; `prefill` and `store` only fill the cache. */
  readonly kind: 'denoise' | 'prefill' | 'store';
  /** Denoising passes before this one. */
  readonly pass: number;
  /** Calls of the network, 2 when guidance needs a pair. */
  readonly calls: number;
  /** Rows computed in each. */
  readonly rows: number;
  /** Positions decided in this step, ascending, with their tokens and scores. */
  readonly positions: Int32Array;
  readonly tokens: Int32Array;
  readonly scores: Float64Array;
  /** The block in work: its index, first position and one past its last. */
  readonly block: { readonly index: number; readonly start: number; readonly end: number };
  /** True when this step filled the block: its tokens are final. */
  readonly finishesBlock: boolean;
  /** The canvas after the step. */
  readonly ids: Int32Array;
  /** Undecided positions left on the canvas. */
  readonly masksLeft: number;
  readonly milliseconds: number;
}
