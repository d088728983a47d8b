/**
 * What a sampler is made of. A masked-diffusion model predicts every masked position at once; a sampler decides which
 * predictions to keep. Each decision is one small function, and a published method is a choice of them:
 *
 *   proposer × scorer × commit policy × quota schedule × block planner × cache policy × stopper
 *
 * Positions are indices of the canvas: the prompt, then what is generated, masked where undecided.
 */
import type { Session } from '@gallop/core';
import type { DiffusionRandom } from './random-source.ts';

/** A run of positions that is decided before the next one. */
export interface Block {
  /** 0, 1, … in order. */
  readonly index: number;
  readonly start: number;
  /** One past the last position. */
  readonly end: number;
  /** Number of the block's first step among the steps of the whole schedule. */
  readonly firstStep: number;
}

/** The sequence in progress. */
export interface Canvas {
  /** Token ids, masked where undecided. A stopper may shorten it. */
  ids: Int32Array;
  /** First position that is generated. */
  readonly start: number;
  readonly maskToken: number;
}

/** Where a draw or a score is asked for. */
export interface StepContext {
  /** Denoising passes before this one, in all blocks. */
  readonly pass: number;
  /** Passes before this one in the block. */
  readonly call: number;
  readonly block: Block;
  readonly random: DiffusionRandom;
}

/** A row of the step: the position it predicts and its index among the rows of the call. */
export interface RowContext extends StepContext {
  readonly position: number;
  readonly row: number;
}

/** A token for one position and the distributions it may be scored by. Arrays are valid until the next proposal. */
export interface Proposal {
  readonly token: number;
  /** The distribution that scores are taken from. [vocabSize] */
  readonly probabilities: Float64Array;
}

/** Chooses a token. `logits` [vocabSize] belong to the proposer, who may change them. */
export type Proposer = (logits: Float32Array, context: RowContext) => Proposal;

/** How sure a proposal is; larger is surer. */
export type Scorer = (proposal: Proposal, context: RowContext) => number;

/** The positions that a step may commit, with their scores. */
export interface Candidates {
  /** Masked positions of the block, ascending. */
  readonly positions: Int32Array;
  /** Score of each. */
  readonly scores: Float64Array;
  /** Commits that the schedule asks for; the number of candidates without a schedule. */
  readonly quota: number;
}

/** A step as a commit policy or a stopper sees it. Tokens and scores are computed when asked for. */
export interface StepView extends Candidates, StepContext {
  readonly ids: Int32Array;
  readonly maskToken: number;
  /** Proposed token of a position that was read. */
  token(position: number): number;
  score(position: number): number;
}

/** Which of the candidates to keep: positions, each once, in any order. */
export type CommitPolicy = (step: StepView) => readonly number[];

/** The part of a quota schedule that concerns one block. */
export interface BlockQuota {
  /** Steps of the block; without it the block runs until it is full. */
  readonly passes?: number;
  /** Commits of step `call` while `masked` positions of the block are undecided. */
  count(call: number, masked: number): number;
}

export type QuotaSchedule = (block: Block, masked: number) => BlockQuota;

/** Rows of logits, aligned to the position that they predict. */
export interface Pass {
  /** Rows fed to the network. */
  readonly rows: number;
  /** Calls of the network that belong to this pass (2 with guidance). */
  readonly calls: number;
  /** Logits of a position that was asked for. [vocabSize] */
  logits(position: number): Float32Array;
  /** Index of a position among the rows of the call. */
  row(position: number): number;
}

/** Finds blocks. `plan` runs a pass over everything undecided; the block's first step uses it too. */
export type BlockPlanner = (
  canvas: Canvas,
  previous: Block | undefined,
  plan: () => Promise<StepView>,
) => Promise<Block | undefined> | Block | undefined;

/** What a cache policy works with. */
export interface CacheHost {
  readonly session: Session;
  readonly alignment: 'next' | 'same';
  readonly vocabSize: number;
  /** Guidance scale; 0 without. */
  readonly guidance: number;
  readonly signal: AbortSignal | undefined;
}

/** A cache policy at work on one session. */
export interface CacheRun {
  /** Steps that a block has at least, even when it is full after the first. Default 1. */
  readonly minimumCalls?: number;
  /** Before the first block. Rows computed, undefined when there was nothing to do. */
  prepare?(canvas: Canvas): Promise<number | undefined>;
  /** Computes logits for `read` (ascending). */
  pass(canvas: Canvas, block: Block, call: number, read: Int32Array): Promise<Pass>;
  /** After a block is full. Rows computed, undefined when there was nothing to do. */
  finish?(canvas: Canvas, block: Block): Promise<number | undefined>;
  /** After the canvas became shorter. */
  cut?(length: number): void;
}

export type CachePolicy = (host: CacheHost) => CacheRun;

/** Ends a text early. */
export interface Stopper {
  /** Length that the canvas is cut to after a step, undefined to leave it. */
  afterStep?(step: StepView, length: number): number | undefined;
  /** Whether no further block is run, and the token that every later position gets. */
  afterBlock?(canvas: Canvas, block: Block): { readonly fill?: number } | undefined;
}

/** Which positions a step needs logits of: masked ones of the block, the whole block, or everything generated. */
export type Reads = 'masked' | 'block' | 'canvas';

export interface Sampler {
  readonly name: string;
  readonly proposer: Proposer;
  readonly scorer: Scorer;
  readonly commit: CommitPolicy;
  readonly blocks: BlockPlanner;
  /** Without one, a block runs until it is full. */
  readonly quota?: QuotaSchedule;
  /** Default `noCache()`. */
  readonly cache?: CachePolicy;
  readonly stopper?: Stopper;
  /** Default `masked`. */
  readonly reads?: Reads;
  /** Classifier-free guidance: L = Lᵤ + (scale + 1)(L꜀ − Lᵤ), Lᵤ with the prompt masked. Default 0: off. */
  readonly guidance?: number;
  /** Rounds the canvas up to a multiple of this. Default 1. */
  readonly lengthMultiple?: number;
  /**
   * Runs the steps of a schedule that decide nothing, as published code does: never; those of a block that is not full; in
   * full blocks too while a mask is left anywhere; or always. Tokens do not depend on it. Default `never`.
   */
  readonly idleSteps?: 'never' | 'unfilled' | 'while-masked' | 'always';
  /** Does as the published code where it differs from the paper: the mask token may be proposed, masks may be left. */
  readonly compatible?: boolean;
}
