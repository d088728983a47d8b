/**
 * AdaDec's measure of doubt (2506.08980) and how its threshold is learned: P(the best token is right) = σ(b + w · entropy),
 * fitted on teacher-forced text; the threshold is the entropy at the probability cut with most right answers.
 */

import { requireArgument, softmax } from '@gallop/core';

/** Entropy of softmax(logits) in nats, and the rank of a token (1 = best). */
export const entropyAndRank = (
  logits: Float32Array,
  token: number,
): { readonly entropy: number; readonly rank: number } => {
  let rank = 1;
  for (let i = 0; i < logits.length; i++) {
    if (logits[i] > logits[token] || (logits[i] === logits[token] && i < token)) rank++;
  }
  return { entropy: entropyOf(logits), rank };
};

/** Entropy of softmax(logits) in nats. */
export const entropyOf = (logits: Float32Array): number => {
  let sum = 0;
  for (const p of softmax(logits)) if (p > 0) sum -= p * Math.log(p);
  return sum;
};

/** The entropy at which P = cut: (ln(cut / (1 − cut)) − intercept) / coefficient. */
export const entropyThreshold = (cut: number, intercept: number, coefficient: number): number =>
  (Math.log(cut / (1 - cut)) - intercept) / coefficient;

/** Entropies with labels: 1 where the best token was the true one. */
export interface LabelledEntropies {
  readonly entropy: ArrayLike<number>;
  readonly label: ArrayLike<number>;
}

export interface LearnedThreshold {
  readonly intercept: number;
  readonly coefficient: number;
  readonly cut: number;
  /** Share of right answers at the cuts .01, .02, … .99. */
  readonly accuracy: Float64Array;
  readonly threshold: number;
}

/**
 * Learns a threshold: logistic regression with penalty ½w² (on the coefficient only), then the first best cut.
 *
 * @param train balanced
 * @param test as it comes
 */
export const learnThreshold = (train: LabelledEntropies, test: LabelledEntropies): LearnedThreshold => {
  requireArgument(train.entropy.length > 0 && test.entropy.length > 0, () => {
    return `Expected samples to train and to test on; received ${train.entropy.length} and ${test.entropy.length}; collect more.`;
  });
  const { intercept, coefficient } = regress(train);
  const accuracy = Float64Array.from({ length: 99 }, (_, i) => accuracyAt((i + 1) / 100, test, intercept, coefficient));
  const cut = (accuracy.indexOf(Math.max(...accuracy)) + 1) / 100;
  return { intercept, coefficient, cut, accuracy, threshold: entropyThreshold(cut, intercept, coefficient) };
};

/** Newton's method on Σ log-loss + ½w²; convex, so a few steps settle it. */
const regress = ({ entropy, label }: LabelledEntropies): { intercept: number; coefficient: number } => {
  let [b, w] = [0, 0];
  for (let step = 0; step < 100; step++) {
    let [gradientB, gradientW, bb, bw, ww] = [0, w, 0, 0, 1];
    for (let i = 0; i < entropy.length; i++) {
      const p = 1 / (1 + Math.exp(-(b + w * entropy[i])));
      const curvature = Math.max(p * (1 - p), 1e-12);
      gradientB += p - label[i];
      gradientW += (p - label[i]) * entropy[i];
      bb += curvature;
      bw += curvature * entropy[i];
      ww += curvature * entropy[i] ** 2;
    }
    const determinant = bb * ww - bw * bw;
    const stepB = (ww * gradientB - bw * gradientW) / determinant;
    const stepW = (bb * gradientW - bw * gradientB) / determinant;
    b -= stepB;
    w -= stepW;
    if (Math.abs(stepB) + Math.abs(stepW) < 1e-12) break;
  }
  return { intercept: b, coefficient: w };
};

const accuracyAt = (cut: number, { entropy, label }: LabelledEntropies, b: number, w: number): number => {
  let right = 0;
  for (let i = 0; i < entropy.length; i++) {
    const says = 1 / (1 + Math.exp(-(b + w * entropy[i]))) >= cut ? 1 : 0;
    if (says === label[i]) right++;
  }
  return right / entropy.length;
};
