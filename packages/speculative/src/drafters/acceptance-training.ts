/**
 * What SpecDec++'s head is trained on: soft labels, mixed inputs, and a class-weighted cross-entropy with its gradients.
 *
 *   label = min(1, p / q);   loss = Σ [w (1 − a)(−ln g₀) + a (−ln g₁)] / Σ [w (1 − a) + a]
 */

import type { AcceptanceBlock, AcceptanceHead } from './acceptance-head.ts';
import { acceptanceOf, affine, sigmoid } from './acceptance-head.ts';

/** Probability that a token drawn with log-probability `draft` is accepted by a target that gives it `target`. */
export const acceptanceLabel = (target: number, draft: number): number => Math.exp(Math.min(0, target - draft));

export interface MixedInputs {
  readonly inputs: Int32Array;
  /** `ignored` for the prefix and wherever the target's own token stands. */
  readonly labels: Float64Array;
}

/**
 * Training inputs: behind the prefix, position i holds the target's token where `uniforms[i] < ratio`, else the draft's.
 *
 * @param ignored default −100
 */
export const mixInputs = (
  prefix: ArrayLike<number>,
  targetTokens: ArrayLike<number>,
  draftTokens: ArrayLike<number>,
  label: ArrayLike<number>,
  uniforms: ArrayLike<number>,
  ratio: number,
  ignored: number = -100,
): MixedInputs => {
  const inputs = new Int32Array(prefix.length + targetTokens.length);
  const labels = new Float64Array(inputs.length).fill(ignored);
  for (let i = 0; i < prefix.length; i++) inputs[i] = prefix[i];
  for (let i = 0; i < targetTokens.length; i++) {
    const isTarget = uniforms[i] < ratio;
    inputs[prefix.length + i] = isTarget ? targetTokens[i] : draftTokens[i];
    if (!isTarget) labels[prefix.length + i] = label[i];
  }
  return { inputs, labels };
};

export interface AcceptanceLoss {
  readonly loss: number;
  /** Mean binary Kullback–Leibler divergence of labels and predictions over the positions that count. */
  readonly divergence: number;
  /** The published metric: cross-entropy plus the labels' entropy, which is no divergence. */
  readonly reportedDivergence: number;
  /** By application of a block; with a shared block its gradient is their sum. */
  readonly blocks: readonly Gradient[];
  readonly output: Gradient;
  /** [positions × hiddenSize] */
  readonly hidden: Float64Array;
}

export interface Gradient {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

/** x ln x, continued by 0. */
const entropyTerm = (value: number): number => (value > 0 ? value * Math.log(value) : 0);
const zeroLike = ({ weight, bias }: AcceptanceBlock): Gradient => ({
  weight: new Float64Array(weight.length),
  bias: new Float64Array(bias.length),
});

/**
 * The loss over positions and its gradients with respect to hidden states and head.
 *
 * @param hidden [positions × hiddenSize]
 * @param labels [positions]; `ignored` positions do not count
 * @param rejectionWeight w; 6 in the published training
 */
export const acceptanceLoss = (
  head: AcceptanceHead,
  hidden: Float32Array,
  labels: ArrayLike<number>,
  rejectionWeight: number = 6,
  ignored: number = -100,
): AcceptanceLoss => {
  const size = head.hiddenSize;
  const counted = Array.from(labels, (label, position) => ({ label, position })).filter(
    ({ label }) => label !== ignored,
  );
  const denominator = counted.reduce((sum, { label }) => sum + rejectionWeight * (1 - label) + label, 0);
  const blocks = head.blocks.map(zeroLike);
  const output = zeroLike(head.output);
  const hiddenGradient = new Float64Array(hidden.length);
  let [loss, crossEntropy, labelTerm] = [0, 0, 0];
  for (const { label, position } of counted) {
    const states = forwardStates(head, hidden.subarray(position * size, (position + 1) * size));
    const logits = affine(head.output, states[states.length - 1]);
    const accepted = acceptanceOf(logits);
    const costs = [-Math.log1p(-accepted), -Math.log(accepted)];
    const weights = [rejectionWeight * (1 - label), label];
    loss += (weights[0] > 0 ? weights[0] * costs[0] : 0) + (weights[1] > 0 ? weights[1] * costs[1] : 0);
    crossEntropy += (label < 1 ? (1 - label) * costs[0] : 0) + (label > 0 ? label * costs[1] : 0);
    labelTerm += entropyTerm(label) + entropyTerm(1 - label);
    // d loss / d logit₁ = (w₀ + w₁) g₁ − w₁, and the opposite for logit₀.
    const slope = ((weights[0] + weights[1]) * accepted - weights[1]) / denominator;
    const back = backward(head, states, [-slope, slope], blocks, output);
    hiddenGradient.set(back, position * size);
  }
  return {
    loss: loss / denominator,
    divergence: (crossEntropy + labelTerm) / counted.length,
    reportedDivergence: (crossEntropy - labelTerm) / counted.length,
    blocks,
    output,
    hidden: hiddenGradient,
  };
};

/** The input of each block, then what enters the output layer. */
const forwardStates = (head: AcceptanceHead, hidden: ArrayLike<number>): Float64Array[] => {
  const states = [Float64Array.from(hidden)];
  for (const block of head.blocks) {
    const x = states[states.length - 1];
    const z = affine(block, x);
    states.push(x.map((value, i) => value + z[i] * sigmoid(z[i])));
  }
  return states;
};

/** Adds the gradients of one position; returns that of its hidden state. */
const backward = (
  head: AcceptanceHead,
  states: readonly Float64Array[],
  logitGradient: readonly number[],
  blocks: readonly Gradient[],
  output: Gradient,
): Float64Array => {
  let gradient = accumulate(head.output, output, states[states.length - 1], logitGradient);
  for (let index = head.blocks.length - 1; index >= 0; index--) {
    const z = affine(head.blocks[index], states[index]);
    // d (z σ(z)) / dz = σ(z) (1 + z (1 − σ(z)))
    const inner = Array.from(gradient, (value, i) => value * sigmoid(z[i]) * (1 + z[i] * (1 - sigmoid(z[i]))));
    const through = accumulate(head.blocks[index], blocks[index], states[index], inner);
    gradient = gradient.map((value, i) => value + through[i]);
  }
  return gradient;
};

/** Gradients of y = W x + b; returns Wᵀ dy. */
const accumulate = (
  { weight }: AcceptanceBlock,
  into: Gradient,
  x: Float64Array,
  gradient: readonly number[],
): Float64Array => {
  const back = new Float64Array(x.length);
  for (let row = 0; row < gradient.length; row++) {
    into.bias[row] += gradient[row];
    for (let i = 0; i < x.length; i++) {
      into.weight[row * x.length + i] += gradient[row] * x[i];
      back[i] += weight[row * x.length + i] * gradient[row];
    }
  }
  return back;
};
