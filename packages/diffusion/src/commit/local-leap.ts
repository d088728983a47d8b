/**
 * LocalLeap (arXiv 2510.07081): next to a very sure position the neighbours are usually final too. Within a radius of the
 * step's anchors the threshold is relaxed.
 */
import { requireArgument } from '@gallop/core';
import { requireThreshold } from '../loop/checks.ts';
import type { Candidates } from '../loop/sampler.ts';
import { bySureness } from './rules.ts';

export interface LocalLeapOptions {
  /** Score of an anchor. Default 0.9. */
  readonly anchorThreshold?: number;
  /** Threshold near an anchor; null: the anchor's everywhere. Default 0.75. */
  readonly relaxedThreshold?: number | null;
  /** Positions on either side of an anchor. Default 4; negative: none. */
  readonly radius?: number;
}

/** @throws GallopError `invalid-argument` for thresholds that are not above 0, a radius that is not whole */
export const commitAroundAnchors = (options: LocalLeapOptions = {}): ((candidates: Candidates) => number[]) => {
  const { anchorThreshold = 0.9, relaxedThreshold = 0.75, radius = 4 } = options;
  requireThreshold('anchorThreshold', anchorThreshold);
  if (relaxedThreshold !== null) requireThreshold('relaxedThreshold', relaxedThreshold);
  requireArgument(Number.isSafeInteger(radius), () => {
    return `Expected radius to be a whole number; received ${radius}; correct it.`;
  });
  return (candidates) => {
    const { positions, scores } = candidates;
    const anchors = positions.filter((_, index) => scores[index] >= anchorThreshold);
    const near = nearAny(positions, anchors, radius);
    const [best] = bySureness(candidates);
    return Array.from(positions).filter((_, index) => {
      const relaxed = relaxedThreshold !== null && near[index];
      return index === best || scores[index] >= (relaxed ? relaxedThreshold : anchorThreshold);
    });
  };
};

/** Which of the ascending positions lie within the radius of an ascending list of anchors. */
const nearAny = (positions: Int32Array, anchors: Int32Array, radius: number): boolean[] => {
  let next = 0;
  return Array.from(positions, (position) => {
    while (next < anchors.length && anchors[next] < position - radius) next++;
    return next < anchors.length && anchors[next] <= position + radius;
  });
};
