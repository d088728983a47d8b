/**
 * AdaBlock (arXiv 2509.26432): before a block begins, look where the model already predicts a delimiter with confidence and
 * end the block there, so that a block covers one step of meaning. The planning pass is the block's first pass, so that it
 * costs nothing.
 */
import { requireWhole } from '../loop/checks.ts';
import type { BlockPlanner } from '../loop/sampler.ts';

export interface AdaBlockOptions {
  /** Positions to generate. */
  readonly length: number;
  /** Length where no delimiter is sure enough. Default 32. */
  readonly defaultBlockLength?: number;
  /** Tokens that end a step of meaning, such as line breaks. */
  readonly delimiters: ReadonlySet<number>;
  /** Confidence that a delimiter needs. Default 0.3. */
  readonly delimiterThreshold?: number;
  /** Where delimiters are looked for: a quarter of the whole answer (published code), or of what is written so far. */
  readonly window?: 'budget' | 'progress';
}

/** What the planner sees of a position: index within the answer. */
export interface PlannedRow {
  readonly token: number;
  readonly confidence: number;
}

/**
 * Length of the next block.
 *
 * @param generated positions of the answer that are finished
 * @param at proposal of an answer position
 */
export const adaBlockLength = (
  generated: number,
  at: (index: number) => PlannedRow,
  options: AdaBlockOptions,
): number => {
  const { length, defaultBlockLength = 32, delimiters, delimiterThreshold = 0.3, window = 'budget' } = options;
  const left = length - generated;
  const quarter = window === 'budget' ? Math.floor(0.25 * length) : Math.max(1, Math.floor(0.25 * generated));
  let best: { readonly index: number; readonly confidence: number } | undefined;
  for (let index = generated; index < generated + Math.min(quarter, left); index++) {
    const { token, confidence } = at(index);
    if (delimiters.has(token) && (best === undefined || confidence > best.confidence)) best = { index, confidence };
  }
  if (best === undefined || best.confidence < delimiterThreshold) return Math.min(defaultBlockLength, left);
  return best.index - generated + 1;
};

/** Blocks that end at delimiters. The sampler's scorer must be the confidence. */
export const adaBlocks = (options: AdaBlockOptions): BlockPlanner => {
  requireWhole('length', options.length, 1);
  requireWhole('defaultBlockLength', options.defaultBlockLength ?? 32, 1);
  return async ({ ids, start }, previous, plan) => {
    const from = previous?.end ?? start;
    if (from >= ids.length) return undefined;
    const step = await plan();
    const at = (index: number): PlannedRow => ({
      token: step.token(start + index),
      confidence: step.score(start + index),
    });
    const length = adaBlockLength(from - start, at, { ...options, length: ids.length - start });
    return { index: step.block.index, start: from, end: from + length, firstStep: 0 };
  };
};
