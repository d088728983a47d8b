/**
 * The contract of drafters: guess what comes next, then hear what came. Whatever a drafter does, the output stays the
 * target's; only the speed changes.
 */

import type { DraftTree } from '../tree/draft-tree.ts';

/** What a drafter may look at. */
export interface DraftContext {
  /** Committed tokens, the prompt included; the last one is the pending root. Valid during the call. */
  readonly tokens: Int32Array;
  /** Most rows of the draft besides the root. */
  readonly budget: number;
  /** Sampling temperature of the generation; 0 is greedy. */
  readonly temperature: number;
  /** Uniform draws for drafts that are sampled: `index` tells the draws of one step apart. */
  uniform(index: number): number;
  /** The draw that will decide the token `depth` places after the root when drafts are verified by walking. */
  targetUniform(depth: number): number;
  readonly signal?: AbortSignal;
}

/** What came of a step. */
export interface DraftObservation {
  /** What was fed: the drafter's own tree, part of a larger one, or the root alone. */
  readonly tree: DraftTree;
  /** Accepted rows, the root first. */
  readonly path: Int32Array;
  /** The token after the path. */
  readonly next: number;
  /** Best next tokens after every fed row, rejected ones too, best first. [rows × topK] */
  readonly topTokens: Int32Array;
  /** Their logits, before any warp. [rows × topK] */
  readonly topLogits?: Float32Array;
  readonly topK: number;
  /** Time of the target's pass. */
  readonly verifyMilliseconds: number;
  /** Hidden states of every fed row by layer, where the drafter asked for them. [rows × width] */
  readonly hidden?: ReadonlyMap<number, Float32Array>;
}

/** Proposes drafts. State is brought up to date from `context.tokens`, so that a step it was not asked for does no harm. */
export interface Drafter {
  readonly name: string;
  /** Best tokens of every row that `observe` wants. Default none. */
  readonly topK?: number;
  /** Layers whose hidden states `observe` wants. Default none. */
  readonly hidden?: readonly number[];
  /** A draft under the last committed token, or undefined when there is nothing to propose. */
  propose(context: DraftContext): DraftTree | undefined | Promise<DraftTree | undefined>;
  observe?(observation: DraftObservation): void;
  /** Forgets the running text (`request`), or all that was learned (`all`). */
  reset?(scope: 'request' | 'all'): void;
  /** Bytes of state. */
  bytes?(): number;
  dispose?(): void;
}
