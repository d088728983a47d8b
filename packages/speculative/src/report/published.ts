/**
 * Small rules that official code applies around the loop: tree sizes from measured times, cutting at an end, EAGLE's order
 * of warps.
 */

import { requireArgument, warpLogits } from '@gallop/core';

/**
 * EAGLE's tree size: the candidate with the least time / divisor, the first among equals. Sizes count the root.
 *
 * @returns the size, and the drafted nodes in it
 */
export const chooseDraftSize = (
  candidates: readonly number[],
  times: ArrayLike<number>,
  divisors: readonly number[],
): { readonly total: number; readonly draftNodes: number } => {
  requireArgument(
    candidates.length > 0 && candidates.length === times.length && times.length === divisors.length,
    () => {
      return `Expected a time and a divisor for each candidate; received ${candidates.length}, ${times.length} and ${divisors.length}; complete them.`;
    },
  );
  let best = 0;
  for (let i = 1; i < candidates.length; i++) if (times[i] / divisors[i] < times[best] / divisors[best]) best = i;
  return { total: candidates[best], draftNodes: candidates[best] - 1 };
};

/**
 * Cuts what steps emitted behind the first stop token (which is kept) or at a length, and the lengths of the steps at the
 * same point; a step of which nothing is left is dropped.
 */
export const cutSteps = (
  emitted: ArrayLike<number>,
  stepLengths: ArrayLike<number>,
  stopTokens: ReadonlySet<number>,
  maxNewTokens: number,
): { readonly tokens: number[]; readonly acceptLengths: number[] } => {
  const all = Array.from(emitted);
  const stop = all.findIndex((token) => stopTokens.has(token));
  const tokens = all.slice(0, Math.min(stop < 0 ? all.length : stop + 1, maxNewTokens));
  let left = tokens.length;
  const acceptLengths = Array.from(stepLengths, (length) => {
    const kept = Math.min(length, left);
    left -= kept;
    return kept;
  });
  return { tokens, acceptLengths: acceptLengths.filter((length) => length > 0) };
};

export interface EagleWarpOptions {
  readonly temperature?: number;
  readonly repetitionPenalty?: number;
  readonly topP?: number;
  readonly topK?: number;
}

/**
 * Warps a row of logits in EAGLE's order, in place: temperature, repetition penalty, top-p, top-k. A compatible mode: this
 * project's own order is that of `warpLogits`.
 */
export const warpInEagleOrder = (logits: Float32Array, history: ArrayLike<number>, options: EagleWarpOptions): void => {
  const { temperature, repetitionPenalty, topP, topK } = options;
  if (temperature !== undefined) warpLogits(logits, history, { temperature });
  if (repetitionPenalty !== undefined) warpLogits(logits, history, { repetitionPenalty });
  if (topP !== undefined) warpLogits(logits, history, { topP });
  if (topK !== undefined) warpLogits(logits, history, { topK });
};
