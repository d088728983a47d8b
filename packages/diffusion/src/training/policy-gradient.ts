/**
 * Policy-gradient losses of diffusion models with their gradients with respect to the logits: CJ-GRPO (arXiv 2509.23924), which
 * trains on the very states that a rollout visited, and DiffuCoder's coupled-GRPO (arXiv 2506.20639), which estimates token
 * likelihoods from two complementary masks.
 *
 *   l = −min(ρA, clip(ρ, 1 − ε, 1 + ε)A) + β (e^d − d − 1),  ρ = e^(new − old),  d = reference − new
 */
import { requireArgument } from '@gallop/core';
import { probabilitiesOf } from '../propose/distribution.ts';
import { type LogitRows, logProbability } from './losses.ts';

export interface ClipOptions {
  /** ε. Default 0.5. */
  readonly epsilon?: number;
  /** β, weight of the divergence from the reference. Default 0. */
  readonly beta?: number;
}

/** The loss of one token and its derivative with respect to the new value. */
export const clippedTerm = (
  value: number,
  old: number,
  reference: number | undefined,
  advantage: number,
  { epsilon = 0.5, beta = 0 }: ClipOptions,
): readonly [loss: number, derivative: number] => {
  const ratio = Math.exp(value - old);
  const clipped = Math.min(Math.max(ratio, 1 - epsilon), 1 + epsilon);
  const active = ratio * advantage <= clipped * advantage;
  const distance = (reference ?? value) - value;
  const divergence = beta === 0 ? 0 : Math.exp(distance) - distance - 1;
  const loss = -Math.min(ratio * advantage, clipped * advantage) + beta * divergence;
  return [loss, (active ? -ratio * advantage : 0) + (beta === 0 ? 0 : beta * (1 - Math.exp(distance)))];
};

/** Adds weight · ∂ ln p(token)/∂logits to a row of a gradient. */
const addLogGradient = (rows: LogitRows, row: number, token: number, weight: number, gradient: Float64Array): void => {
  if (weight === 0) return;
  const offset = row * rows.vocabSize;
  const probabilities = probabilitiesOf(rows.logits.subarray(offset, offset + rows.vocabSize));
  for (let other = 0; other < probabilities.length; other++) gradient[offset + other] -= weight * probabilities[other];
  gradient[offset + token] += weight;
};

const logOf = ({ logits, vocabSize }: LogitRows, row: number, token: number): number =>
  logProbability(logits.subarray(row * vocabSize, (row + 1) * vocabSize), token);

export interface TrajectoryBatch extends LogitRows {
  readonly steps: number;
  readonly batch: number;
  /** Positions of a state, prompt and answer. */
  readonly length: number;
  readonly promptLength: number;
  /** Ids before each step and after the last. [(steps + 1) × batch × length] */
  readonly states: ArrayLike<number>;
  /** Answer positions that a step decided. [steps × batch × answer] */
  readonly unmasked: ArrayLike<number>;
  /** [batch] */
  readonly advantages: ArrayLike<number>;
  /** [steps × batch × answer]; absent: the current ones, as constants. */
  readonly oldLogProbabilities?: ArrayLike<number>;
  readonly referenceLogProbabilities?: ArrayLike<number>;
}

/**
 * CJ-GRPO: the mean over steps of each step's mean over the positions that it decided, in the whole batch. Logits are those of
 * every recorded state, aligned to their positions [steps × batch × length × vocabSize].
 */
export const trajectoryLoss = (
  input: TrajectoryBatch,
  options: ClipOptions,
): { readonly loss: number; readonly gradient: Float64Array; readonly logProbabilities: Float64Array } => {
  const { steps, batch, length, promptLength, states, unmasked, advantages } = input;
  const answer = length - promptLength;
  const gradient = new Float64Array(input.logits.length);
  const logProbabilities = new Float64Array(steps * batch * answer);
  const perStep = batch * answer;
  let loss = 0;
  for (let step = 0; step < steps; step++) {
    let decided = 0;
    for (let index = 0; index < perStep; index++) decided += unmasked[step * perStep + index] ? 1 : 0;
    for (let index = 0; index < perStep; index++) {
      const [row, at] = [Math.floor(index / answer), promptLength + (index % answer)];
      const place = step * perStep + index;
      const logitRow = (step * batch + row) * length + at;
      const token = states[((step + 1) * batch + row) * length + at];
      const value = logOf(input, logitRow, token);
      logProbabilities[place] = value;
      if (!unmasked[place]) continue;
      const old = input.oldLogProbabilities?.[place] ?? value;
      const [term, slope] = clippedTerm(value, old, input.referenceLogProbabilities?.[place], advantages[row], options);
      loss += term / (decided * steps);
      addLogGradient(input, logitRow, token, slope / (decided * steps), gradient);
    }
  }
  return { loss, gradient, logProbabilities };
};

export interface CoupledMasks {
  /** The whole answer masked. [batch × length], as the others */
  readonly full: Int32Array;
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Positions that `first` masks. */
  readonly firstMask: Uint8Array;
  /** Of the three: 1, 1/r, 1/(1 − r). */
  readonly weights: Float64Array;
}

export interface CouplingOptions {
  readonly length: number;
  readonly promptLength: number;
  /** r: share of the answer that the first view masks; inside (0, 1). */
  readonly ratio: number;
}

const requireRatio = (ratio: number): void =>
  requireArgument(ratio > 0 && ratio < 1, () => `Expected a ratio inside (0, 1); received ${ratio}; draw another.`);

/** Three inputs of which every answer token is masked in the first and in exactly one of the other two. */
export const coupledMasks = (
  ids: ArrayLike<number>,
  uniforms: ArrayLike<number>,
  { length, promptLength, ratio, maskToken }: CouplingOptions & { readonly maskToken: number },
): CoupledMasks => {
  requireRatio(ratio);
  const answer = (index: number): boolean => index % length >= promptLength;
  const firstMask = Uint8Array.from(ids, (_, index) => Number(answer(index) && uniforms[index] < ratio));
  const mask = (chosen: (index: number) => boolean): Int32Array =>
    Int32Array.from(ids, (id, index) => (chosen(index) ? maskToken : id));
  return {
    firstMask,
    full: mask(answer),
    first: mask((index) => firstMask[index] === 1),
    second: mask((index) => answer(index) && firstMask[index] === 0),
    weights: Float64Array.of(1, 1 / ratio, 1 / (1 - ratio)),
  };
};

export interface CoupledBatch extends LogitRows, CouplingOptions {
  readonly batch: number;
  /** [batch × length] */
  readonly ids: ArrayLike<number>;
  readonly uniforms: ArrayLike<number>;
  /** [batch] */
  readonly advantages: ArrayLike<number>;
  /** Answer tokens that count. [batch × answer] */
  readonly completionMask: ArrayLike<number>;
  /** [batch × answer]; absent: the current ones, as constants. */
  readonly oldEstimate?: ArrayLike<number>;
  readonly referenceEstimate?: ArrayLike<number>;
}

/**
 * Coupled-GRPO over the raw logits of the three inputs stacked [3·batch × length × vocabSize], row j predicting token j + 1:
 * est = (ln p_full + (masked in first ? ln p_first / r : ln p_second / (1 − r))) / 2, the mean over all counted tokens.
 */
export const coupledLoss = (
  input: CoupledBatch,
  options: ClipOptions,
): { readonly loss: number; readonly gradient: Float64Array; readonly estimate: Float64Array } => {
  const { batch, length, promptLength, ratio, ids, uniforms, advantages, completionMask } = input;
  requireRatio(ratio);
  requireArgument(
    promptLength >= 1,
    () => 'Expected a prompt of at least one token, whose row predicts the first answer token; received none; add one.',
  );
  const answer = length - promptLength;
  const gradient = new Float64Array(input.logits.length);
  const estimate = new Float64Array(batch * answer);
  const counted = Array.from(completionMask).filter((value) => value).length;
  let loss = 0;
  for (let index = 0; index < batch * answer; index++) {
    const [row, at] = [Math.floor(index / answer), promptLength + (index % answer)];
    const token = ids[row * length + at];
    const inFirst = uniforms[row * length + at] < ratio;
    const weight = inFirst ? 1 / ratio : 1 / (1 - ratio);
    const full = row * length + at - 1;
    const view = ((inFirst ? 1 : 2) * batch + row) * length + at - 1;
    const value = (logOf(input, full, token) + weight * logOf(input, view, token)) / 2;
    estimate[index] = value;
    if (!completionMask[index]) continue;
    const old = input.oldEstimate?.[index] ?? value;
    const [term, slope] = clippedTerm(value, old, input.referenceEstimate?.[index], advantages[row], options);
    loss += term / counted;
    addLogGradient(input, full, token, slope / (2 * counted), gradient);
    addLogGradient(input, view, token, (weight * slope) / (2 * counted), gradient);
  }
  return { loss, gradient, estimate };
};

/** Groups of one prompt's rewards, one after another. */
const byGroup = (
  rewards: ArrayLike<number>,
  groupSize: number,
  least: number,
  each: (group: readonly number[]) => readonly number[],
): Float64Array => {
  requireArgument(Number.isSafeInteger(groupSize) && groupSize >= least && rewards.length % groupSize === 0, () => {
    return `Expected groups of ${least} or more that divide the ${rewards.length} rewards; received ${groupSize}; correct it.`;
  });
  const all = Array.from(rewards);
  const starts = Array.from({ length: all.length / groupSize }, (_, group) => group * groupSize);
  return Float64Array.from(starts.flatMap((start) => each(all.slice(start, start + groupSize))));
};

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Rewards less their group's mean. */
export const centredAdvantages = (rewards: ArrayLike<number>, groupSize: number): Float64Array =>
  byGroup(rewards, groupSize, 1, (group) => group.map((reward) => reward - meanOf(group)));

/**
 * Rewards less the mean of the others of the group.
 *
 * @param scale divides by the group's unbiased deviation + 10⁻⁴
 */
export const leaveOneOutAdvantages = (
  rewards: ArrayLike<number>,
  groupSize: number,
  scale: boolean = false,
): Float64Array =>
  byGroup(rewards, groupSize, 2, (group) => {
    const mean = meanOf(group);
    const deviation = Math.sqrt(group.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (group.length - 1));
    const divisor = scale ? deviation + 1e-4 : 1;
    return group.map((reward) => ((reward - mean) * group.length) / (group.length - 1) / divisor);
  });
