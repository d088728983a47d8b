/**
 * Losses of masked-diffusion training with their gradients with respect to the logits, in closed form: what a training loop
 * over any tensor library needs, and what its automatic gradients can be tested against. Sums run in f64.
 */
import { requireArgument } from '@gallop/core';
import { bestToken, entropyInNats, probabilitiesOf } from '../propose/distribution.ts';

/** A loss and its gradient; the gradient has the shape of the logits. */
export interface LossAndGradient {
  readonly loss: number;
  readonly gradient: Float64Array;
}

/** Logits of a batch, row by row. */
export interface LogitRows {
  readonly logits: Float32Array;
  readonly vocabSize: number;
}

const rowOf = ({ logits, vocabSize }: LogitRows, row: number): Float32Array =>
  logits.subarray(row * vocabSize, (row + 1) * vocabSize);

/** Adds weight · ∂(−ln p(target))/∂logits to a row of a gradient and gives −ln p(target). */
export const addCrossEntropy = (
  rows: LogitRows,
  row: number,
  target: number,
  weight: number,
  gradient: Float64Array,
): number => {
  const probabilities = probabilitiesOf(rowOf(rows, row));
  const offset = row * rows.vocabSize;
  for (let token = 0; token < probabilities.length; token++) gradient[offset + token] += weight * probabilities[token];
  gradient[offset + target] -= weight;
  return -logProbability(rowOf(rows, row), target);
};

/** ln softmax(logits)[token], without the rounding of a small probability. */
export const logProbability = (logits: ArrayLike<number>, token: number): number => {
  let best = Number.NEGATIVE_INFINITY;
  for (let other = 0; other < logits.length; other++) best = Math.max(best, logits[other]);
  let total = 0;
  for (let other = 0; other < logits.length; other++) total += Math.exp(logits[other] - best);
  return logits[token] - best - Math.log(total);
};

export interface NoisingOptions {
  /** Tokens in front that are never masked, for each row (supervised fine-tuning); absent: everything may be masked. */
  readonly promptLengths?: ArrayLike<number>;
  /** Smallest probability of a mask. Default 0.001. */
  readonly eps?: number;
}

/**
 * Which tokens of a batch are masked: p = (1 − ε)t + ε for each row, masked where the uniform is below p.
 *
 * @param uniforms [batch × length]
 * @param times [batch]
 */
export const noise = (
  uniforms: ArrayLike<number>,
  times: ArrayLike<number>,
  { promptLengths, eps = 1e-3 }: NoisingOptions = {},
): { readonly masked: Uint8Array; readonly probabilities: Float64Array } => {
  const length = uniforms.length / times.length;
  const probabilities = Float64Array.from(times, (time) => (1 - eps) * time + eps);
  const masked = Uint8Array.from(uniforms, (uniform, index) => {
    const row = Math.floor(index / length);
    return Number(uniform < probabilities[row] && index % length >= (promptLengths?.[row] ?? 0));
  });
  return { masked, probabilities };
};

export interface MaskedLossInput extends LogitRows {
  /** [batch × length] */
  readonly ids: ArrayLike<number>;
  readonly masked: ArrayLike<number>;
  /** Probability that a token of a row was masked. [batch] */
  readonly probabilities: ArrayLike<number>;
  readonly promptLengths?: ArrayLike<number>;
}

/**
 * Masked-diffusion loss: Σ CE/p over masked tokens, divided by batch · length (pre-training), or by each row's answer length
 * and averaged over rows (with `promptLengths`).
 */
export const maskedDiffusionLoss = (input: MaskedLossInput): LossAndGradient => {
  const { ids, masked, probabilities, promptLengths } = input;
  const batch = probabilities.length;
  const length = ids.length / batch;
  const gradient = new Float64Array(input.logits.length);
  let loss = 0;
  for (let index = 0; index < ids.length; index++) {
    if (!masked[index]) continue;
    const row = Math.floor(index / length);
    const weight = 1 / (probabilities[row] * batch * (length - (promptLengths?.[row] ?? 0)));
    loss += weight * addCrossEntropy(input, index, ids[index], weight, gradient);
  }
  return { loss, gradient };
};

/** SDAR's loss on the noisy half of one sample: Σ CE/p over masked tokens, divided by the answer's length. */
export const blockDiffusionLoss = (
  input: Omit<MaskedLossInput, 'probabilities' | 'promptLengths'>,
  maskProbability: number,
  promptLength: number,
): LossAndGradient =>
  maskedDiffusionLoss({ ...input, probabilities: [maskProbability], promptLengths: [promptLength] });

/** One of dParallel's two views: its logits, the true tokens, and which positions it has to predict. */
export interface CertaintyView extends LogitRows {
  readonly targets: ArrayLike<number>;
}

export interface CertaintyOptions {
  /** Sharpens before the entropy is taken. Default 0.5. */
  readonly entropyTemperature?: number;
  /** β. Default 2. */
  readonly entropyWeight?: number;
}

/**
 * dParallel's certainty-forcing loss of one view: the mean cross-entropy of its targets, plus β times the mean entropy of those
 * that are already predicted right. The loss of a sample is the sum over both views.
 */
export const certaintyForcingLoss = (
  view: CertaintyView,
  ids: ArrayLike<number>,
  { entropyTemperature: temperature = 0.5, entropyWeight = 2 }: CertaintyOptions = {},
): LossAndGradient => {
  const targets = Array.from(ids, (_, index) => index).filter((index) => view.targets[index]);
  const right = targets.filter((index) => bestToken(rowOf(view, index)) === ids[index]);
  const gradient = new Float64Array(view.logits.length);
  let loss = 0;
  for (const index of targets) {
    loss += addCrossEntropy(view, index, ids[index], 1 / targets.length, gradient) / targets.length;
  }
  for (const index of right) {
    const probabilities = probabilitiesOf(rowOf(view, index), temperature);
    const entropy = entropyInNats(probabilities);
    const weight = entropyWeight / right.length;
    loss += weight * entropy;
    for (const [token, p] of probabilities.entries()) {
      // ∂H/∂z = −p (ln p + H), z = L / T
      if (p > 0) gradient[index * view.vocabSize + token] -= (weight * p * (Math.log(p) + entropy)) / temperature;
    }
  }
  return { loss, gradient };
};

export interface NoiseViewsOptions {
  readonly promptLength: number;
  readonly blockSize: number;
  /** Number of the block in work, 0 … ⌊answer length / block size⌋. */
  readonly block: number;
  /** Default 0.5005. */
  readonly maskRatio?: number;
  readonly maskToken: number;
}

export interface NoiseView {
  readonly ids: Int32Array;
  readonly targets: Uint8Array;
}

/**
 * dParallel's two complementary views of a sample: one block is half masked, the other half in the second view; what follows
 * is masked in both. The last block number takes the rest of the sequence, which may be empty.
 *
 * @param uniforms one for each position of the block
 */
export const noiseViews = (
  ids: ArrayLike<number>,
  uniforms: ArrayLike<number>,
  options: NoiseViewsOptions,
): readonly [NoiseView, NoiseView] => {
  const { promptLength, blockSize, block, maskRatio = 0.5005, maskToken } = options;
  const last = Math.floor((ids.length - promptLength) / blockSize);
  requireArgument(Number.isSafeInteger(block) && block >= 0 && block <= last, () => {
    return `Expected a block number from 0 to ${last}; received ${block}; correct it.`;
  });
  const start = promptLength + block * blockSize;
  const end = block === last ? ids.length : start + blockSize;
  const view = (masks: (uniform: number) => boolean): NoiseView => {
    const targets = Uint8Array.from({ length: ids.length }, (_, position) =>
      Number(position >= start && position < end && masks(uniforms[position - start])),
    );
    const noisy = Int32Array.from(ids, (id, position) => (targets[position] || position >= end ? maskToken : id));
    return { ids: noisy, targets };
  };
  return [view((uniform) => uniform < maskRatio), view((uniform) => !(uniform < maskRatio))];
};
