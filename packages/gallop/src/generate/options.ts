/** What a caller may ask of `generate`, and the check of it before any work starts. */

import { checkWarpOptions, randomUniform, requireArgument, type SamplingOptions } from '@gallop/core';
import type { Drafter } from '@gallop/speculative';
import type { Context } from './context.ts';
import { checkDraft, type DraftMethod } from './draft.ts';

/** Tokens that one step decided. */
export interface GenerationStep {
  readonly tokens: readonly number[];
  /** Absolute position of the first of them. */
  readonly position: number;
  /** Time of the step. */
  readonly milliseconds: number;
  /** With drafts: who drafted each token; undefined for those that the model chose itself. */
  readonly proposers?: readonly (string | undefined)[];
  /** With drafts: rows drafted, and those of them that were accepted. */
  readonly drafted?: number;
  readonly accepted?: number;
}

/** A piece of text, as it became certain. */
export interface GeneratedPiece {
  readonly text: string;
  /** Who drafted the token that completed it; absent when the model chose it itself. */
  readonly proposer?: string;
}

/** How to generate. The default is greedy: temperature 0. */
export interface GenerateOptions extends SamplingOptions {
  /** Most tokens to generate, ≥ 1. Default: until the model ends, a stop string comes or the context is full. */
  readonly maxTokens?: number;
  /** Go on past end-of-generation tokens: for measurements that need a fixed length. Default false. */
  readonly ignoreEnd?: boolean;
  /** The text ends before the first of these strings. Default none. */
  readonly stop?: readonly string[];
  /** Cancels between steps and inside prompt processing; the generation then rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** A state to go on from: rows that the new prompt shares with it are not computed again. Default: a fresh one. */
  readonly context?: Context;
  /** Several tokens a pass, the same text: a method by name, or a drafter. Default `none`. */
  readonly draft?: DraftMethod | Drafter;
  /** Called with each piece of text, before the stream gets it. */
  readonly onPiece?: (piece: GeneratedPiece) => void;
  /** Called after each step. */
  readonly onStep?: (step: GenerationStep) => void;
}

/**
 * Checks all options that can be checked without a prompt.
 *
 * @throws GallopError `invalid-argument` naming the first one out of range
 */
export const checkGenerateOptions = (options: GenerateOptions, vocabSize: number): void => {
  checkWarpOptions(options, vocabSize);
  const { maxTokens, seed = 0, stream = 0, draft = 'none' } = options;
  checkDraft(draft);
  requireArgument(maxTokens === undefined || (Number.isSafeInteger(maxTokens) && maxTokens >= 1), () => {
    return `Expected maxTokens to be a whole number from 1; received ${maxTokens}; correct it or leave it out.`;
  });
  randomUniform({ seed, stream, position: 0 });
};
