/**
 * The first-hitting sampler of block diffusion (arXiv 2503.09573): the exact law of continuous-time unmasking, one position
 * a step. With m masked left, t ← t·u^(1/m), one of them is chosen uniformly and its token drawn.
 */
import type { CommitPolicy } from '../loop/sampler.ts';
import { tokenAt } from '../propose/distribution.ts';
import { substitutedProbabilities } from '../propose/proposers.ts';

/** Commits one uniformly chosen candidate. */
export const commitFirstHit: CommitPolicy = ({ positions, pass, random }) => [
  positions[Math.min(positions.length - 1, Math.floor(random.pick(pass, 0) * positions.length))],
];

/** Time of the next hit. */
export const nextHit = (time: number, uniform: number, masked: number): number => time * uniform ** (1 / masked);

/** Draws of one step. */
export interface HittingDraws {
  readonly time: number;
  readonly index: number;
  readonly token: number;
}

export interface HittingOptions {
  readonly maskToken: number;
  readonly nucleusP: number;
}

/** One step: what is decided, when, and with which token. */
export const firstHit = (
  ids: Int32Array,
  time: number,
  logits: (position: number) => ArrayLike<number>,
  draws: HittingDraws,
  { maskToken, nucleusP }: HittingOptions,
): { readonly position: number; readonly token: number; readonly time: number } => {
  const masked = Array.from(ids.keys()).filter((position) => ids[position] === maskToken);
  const position = masked[Math.min(masked.length - 1, Math.floor(draws.index * masked.length))];
  const probabilities = substitutedProbabilities(logits(position), maskToken, maskToken, nucleusP);
  return { position, token: tokenAt(probabilities, draws.token), time: nextHit(time, draws.time, masked.length) };
};
