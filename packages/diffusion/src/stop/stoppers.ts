/** Ends of a text: stop tokens in finished blocks, and Learn2PD's end-of-text prediction. */
import { acceptedByFilter, type FilterWeights } from '../commit/learned-filter.ts';
import type { Stopper } from '../loop/sampler.ts';
import { maskedPositions } from '../loop/step-view.ts';

export interface StopAfterBlockOptions {
  readonly endTokens: ReadonlySet<number>;
  /** Where an end token counts: in the finished block, or anywhere in what is generated. Default `block`. */
  readonly scope?: 'block' | 'generated';
  /** Token written to the masked positions behind the block. Default: none, they are cut off (`compatible`: left). */
  readonly fill?: number;
}

/** Runs no further block once a finished one holds an end token. */
export const stopAfterBlock = ({ endTokens, scope = 'block', fill }: StopAfterBlockOptions): Stopper => ({
  afterBlock: ({ ids, start }, block) => {
    const from = scope === 'block' ? block.start : start;
    for (let position = Math.max(from, start); position < Math.min(block.end, ids.length); position++) {
      if (endTokens.has(ids[position])) return fill === undefined ? {} : { fill };
    }
    return undefined;
  },
});

export interface EndOfTextOptions {
  readonly endOfText: number;
  /** The filter whose accepted end tokens count first; absent without Learn2PD. */
  readonly filter?: { readonly filter: FilterWeights; readonly threshold: number };
  /** Where the most confident end token is looked for: everything undecided (default), or the block, as cached loops do. */
  readonly scope?: 'canvas' | 'block';
  /** Confidence that an end token needs. Default 0, as published. */
  readonly minimumConfidence?: number;
}

/**
 * EoTP: cuts the canvas behind a predicted end of text, so that no step works on padding. The first end token that the
 * filter accepts wins; failing that, the most confident one among the undecided positions.
 */
export const endOfTextPrediction = (options: EndOfTextOptions): Stopper => ({
  afterStep: (step, length) => {
    const { endOfText, filter, scope = 'canvas', minimumConfidence = 0 } = options;
    if (filter !== undefined) {
      const accepted = acceptedByFilter(step, filter.filter, filter.threshold);
      const first = accepted.find((position) => step.token(position) === endOfText);
      if (first !== undefined) return first + 1;
    }
    const end = scope === 'block' ? Math.min(step.block.end, length) : length;
    const undecided = maskedPositions(step.ids, step.maskToken, step.block.start, end);
    let best: number | undefined;
    for (const position of undecided) {
      if (step.token(position) !== endOfText || step.score(position) < minimumConfidence) continue;
      if (best === undefined || step.score(position) > step.score(best)) best = position;
    }
    return best === undefined ? undefined : best + 1;
  },
});
