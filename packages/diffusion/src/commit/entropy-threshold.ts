/**
 * dParallel's decoding (arXiv 2509.26488): keep the position of lowest entropy, and every other one whose entropy is within
 * a threshold. A model distilled to be certain early fills a block in a few steps this way.
 */
import { requireArgument } from '@gallop/core';
import type { Candidates } from '../loop/sampler.ts';
import { bySureness } from './rules.ts';

/**
 * @param threshold h in nats; negative: one a step, ln(vocabSize): the whole block at once. Scores are negative entropies
 */
export const commitCertain = (threshold: number): ((candidates: Candidates) => number[]) => {
  requireArgument(!Number.isNaN(threshold), () => {
    return `Expected an entropy threshold in nats; received ${threshold}; correct it.`;
  });
  return (candidates) => {
    const { scores, positions } = candidates;
    return bySureness(candidates)
      .filter((index, rank) => rank === 0 || -scores[index] <= threshold)
      .map((index) => positions[index]);
  };
};
