/**
 * Learn2PD's filter: what it is trained on, and one step of its training. Small enough to need no tensor library: the loss is
 * the mean binary cross-entropy over all outputs, the optimiser AdamW.
 */
import { type LanguageModel, requireArgument } from '@gallop/core';
import { noCache } from '../cache/no-cache.ts';
import { positionsFrom } from '../cache/rows.ts';
import { type FilterWeights, filterActivations, filterSize, sigmoid } from '../commit/learned-filter.ts';
import { bestToken, probabilitiesOf } from '../propose/distribution.ts';

/** A pass of the oracle over one block: confidences of all its rows and whether their best token is the reference's. */
export interface OracleSample {
  /** Steps before this one. */
  readonly step: number;
  readonly confidences: Float64Array;
  readonly correct: Uint8Array;
}

export interface OracleInput {
  readonly model: LanguageModel;
  readonly prompt: ArrayLike<number>;
  /** The model's own slow answer. */
  readonly answer: ArrayLike<number>;
  readonly blockLength: number;
  readonly maskToken: number;
}

/**
 * Runs the oracle, which keeps exactly the proposals that equal the reference, and records every pass. Where a pass proposes
 * for the block what the one before did, and nothing would move, the reference is copied in.
 */
export async function* oracleTrace(input: OracleInput): AsyncGenerator<OracleSample, void, undefined> {
  const { model, prompt, answer, blockLength, maskToken } = input;
  const ids = Int32Array.from([...Array.from(prompt), ...new Array<number>(answer.length).fill(maskToken)]);
  const session = model.openSession();
  const host = { session, alignment: model.logitAlignment, vocabSize: model.vocabSize, guidance: 0, signal: undefined };
  const cache = noCache()(host);
  try {
    for (let start = prompt.length; start < ids.length; start += blockLength) {
      const read = positionsFrom(start, Math.min(start + blockLength, ids.length));
      const reference = Int32Array.from(read, (position) => answer[position - prompt.length]);
      let before: Int32Array | undefined;
      for (let step = 0; read.some((position) => ids[position] === maskToken); ) {
        const block = { index: 0, start, end: start + read.length, firstStep: 0 };
        const rows = await cache.pass({ ids, start, maskToken }, block, step, read);
        const tokens = read.map((position) => bestToken(rows.logits(position)));
        const confidences = Float64Array.from(read, (position) => Math.max(...probabilitiesOf(rows.logits(position))));
        const correct = Uint8Array.from(tokens, (token, index) => Number(token === reference[index]));
        yield { step, confidences, correct };
        const repeats = before?.every((token, index) => token === tokens[index]) ?? false;
        for (const [index, position] of read.entries()) {
          if (repeats || correct[index]) ids[position] = reference[index];
        }
        before = tokens;
        if (!repeats) step++;
      }
    }
  } finally {
    session.dispose();
  }
}

/** Gradients or moments, in the shapes of the weights. */
export type FilterArrays = { readonly [Name in keyof FilterWeights]: Float64Array };

const names = ['hidden', 'hiddenBias', 'output', 'outputBias'] as const;
const mapArrays = (each: (name: keyof FilterWeights) => Float64Array): FilterArrays => ({
  hidden: each('hidden'),
  hiddenBias: each('hiddenBias'),
  output: each('output'),
  outputBias: each('outputBias'),
});

/**
 * Loss and gradients over a batch.
 *
 * @param confidences [batch × size]
 * @param correct [batch × size], 1 where the position is final
 */
export const filterLoss = (
  filter: FilterWeights,
  confidences: ArrayLike<number>,
  correct: ArrayLike<number>,
): { readonly loss: number; readonly gradients: FilterArrays } => {
  const size = filterSize(filter);
  const count = confidences.length;
  requireArgument(count > 0 && count % size === 0 && correct.length === count, () => {
    return `Expected as many labels as confidences, rows of ${size}; received ${correct.length} and ${count}; correct them.`;
  });
  const gradients = mapArrays((name) => new Float64Array(filter[name].length));
  let loss = 0;
  for (let start = 0; start < count; start += size) {
    const row = Array.from({ length: size }, (_, index) => confidences[start + index]);
    const { input, hidden, logits } = filterActivations(filter, row);
    const back = new Float64Array(size);
    for (const [out, logit] of logits.entries()) {
      const label = correct[start + out];
      loss += (Math.max(logit, 0) - logit * label + Math.log1p(Math.exp(-Math.abs(logit)))) / count;
      const slope = (sigmoid(logit) - label) / count;
      gradients.outputBias[out] += slope;
      for (let unit = 0; unit < size; unit++) {
        gradients.output[out * size + unit] += slope * hidden[unit];
        back[unit] += hidden[unit] > 0 ? slope * filter.output[out * size + unit] : 0;
      }
    }
    for (let unit = 0; unit < size; unit++) {
      gradients.hiddenBias[unit] += back[unit];
      for (let at = 0; at < size; at++) gradients.hidden[unit * size + at] += back[unit] * input[at];
    }
  }
  return { loss, gradients };
};

export interface AdamOptions {
  /** Default 0.003. */
  readonly learningRate?: number;
  /** Default 0.01. */
  readonly weightDecay?: number;
  /** Default 0.9 and 0.999. */
  readonly betas?: readonly [number, number];
  /** Default 10⁻⁸. */
  readonly eps?: number;
}

/** A filter in training: its weights and AdamW's moments. */
export class FilterTrainer {
  readonly #options: Required<AdamOptions>;
  readonly #first: FilterArrays;
  readonly #second: FilterArrays;
  #weights: FilterArrays;
  #steps = 0;

  /** @throws GallopError `invalid-argument` for weights of other shapes */
  constructor(filter: FilterWeights, options: AdamOptions = {}) {
    const { learningRate = 3e-3, weightDecay = 0.01, betas = [0.9, 0.999], eps = 1e-8 } = options;
    filterSize(filter);
    this.#options = { learningRate, weightDecay, betas, eps };
    this.#weights = mapArrays((name) => Float64Array.from(filter[name]));
    this.#first = mapArrays((name) => new Float64Array(filter[name].length));
    this.#second = mapArrays((name) => new Float64Array(filter[name].length));
  }

  get weights(): FilterArrays {
    return this.#weights;
  }

  /** One step of AdamW on a batch. */
  step(confidences: ArrayLike<number>, correct: ArrayLike<number>): { loss: number; gradients: FilterArrays } {
    const { loss, gradients } = filterLoss(this.#weights, confidences, correct);
    const { learningRate, weightDecay, betas, eps } = this.#options;
    this.#steps++;
    const [scale1, scale2] = betas.map((beta) => 1 - beta ** this.#steps);
    for (const name of names) {
      const [weights, first, second] = [this.#weights[name], this.#first[name], this.#second[name]];
      for (const [index, gradient] of gradients[name].entries()) {
        first[index] = betas[0] * first[index] + (1 - betas[0]) * gradient;
        second[index] = betas[1] * second[index] + (1 - betas[1]) * gradient ** 2;
        weights[index] *= 1 - learningRate * weightDecay;
        weights[index] -= (learningRate * first[index]) / scale1 / (Math.sqrt(second[index] / scale2) + eps);
      }
    }
    return { loss, gradients };
  }
}
