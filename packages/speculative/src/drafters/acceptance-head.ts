/**
 * SpecDec++ (Huang et al., 2405.19715): a small head on the draft model's hidden state predicts whether a drafted token will
 * be accepted; drafting stops when the chance that some token was rejected exceeds a threshold.
 *
 *   head(x) = Linear(H → 2)(block_D(… block_1(x))),  block(x) = x + SiLU(W x + b);  acceptance = softmax(head(x))[1]
 *   stop after k tokens when 1 − Π_{i<k} acceptance_i > threshold, within [minimum, maximum]
 */

import { GallopError, requireArgument } from '@gallop/core';
import type { DraftedToken, StopPolicy } from './stop-policy.ts';

export interface AcceptanceBlock {
  /** [hiddenSize × hiddenSize], row-major: output rows. */
  readonly weight: Float32Array;
  /** [hiddenSize] */
  readonly bias: Float32Array;
}

export interface AcceptanceHead {
  readonly hiddenSize: number;
  /** Applied in order. The published code holds one block that it applies several times. */
  readonly blocks: readonly AcceptanceBlock[];
  /** weight [2 × hiddenSize], bias [2]; class 1 is "accepted". */
  readonly output: AcceptanceBlock;
}

/**
 * A head from named tensors: `block.i.weight`, `block.i.bias`, `output.weight`, `output.bias`.
 *
 * @param blocks applications; with `sharedBlocks` (the published format) block 0 serves all of them
 * @throws GallopError `invalid-file` when a tensor is missing or has another size
 */
export const acceptanceHead = (
  tensors: Readonly<Record<string, Float32Array | undefined>>,
  { blocks, sharedBlocks = false }: { readonly blocks: number; readonly sharedBlocks?: boolean },
): AcceptanceHead => {
  requireArgument(Number.isSafeInteger(blocks) && blocks >= 0 && blocks <= 1024, () => {
    return `Expected 0 to 1024 blocks; received ${blocks}; correct the head's configuration.`;
  });
  const hiddenSize = (tensors['output.weight']?.length ?? 0) / 2;
  const take = (name: string, length: number): Float32Array => {
    const tensor = tensors[name];
    if (tensor !== undefined && tensor.length === length && length > 0) return tensor;
    throw new GallopError(
      'invalid-file',
      `Expected a tensor ${name} of ${length} numbers; received ${tensor?.length ?? 'none'}; export the head again.`,
    );
  };
  const read = (index: number): AcceptanceBlock => ({
    weight: take(`block.${index}.weight`, hiddenSize * hiddenSize),
    bias: take(`block.${index}.bias`, hiddenSize),
  });
  const shared = sharedBlocks && blocks > 0 ? read(0) : undefined;
  return {
    hiddenSize,
    blocks: Array.from({ length: blocks }, (_, index) => shared ?? read(index)),
    output: { weight: take('output.weight', 2 * hiddenSize), bias: take('output.bias', 2) },
  };
};

/** W x + b, in f64. */
export const affine = ({ weight, bias }: AcceptanceBlock, x: ArrayLike<number>): Float64Array =>
  Float64Array.from(bias, (start, row) => {
    let sum = start;
    for (let i = 0; i < x.length; i++) sum += weight[row * x.length + i] * x[i];
    return sum;
  });

export const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** The two logits for a hidden state [hiddenSize]. */
export const acceptanceLogits = (head: AcceptanceHead, hidden: ArrayLike<number>): Float64Array => {
  let x = Float64Array.from(hidden);
  for (const block of head.blocks) {
    const z = affine(block, x);
    x = x.map((value, i) => value + z[i] * sigmoid(z[i]));
  }
  return affine(head.output, x);
};

/** The predicted probability that the token whose hidden state this is will be accepted. */
export const acceptanceOf = (logits: ArrayLike<number>): number => sigmoid(logits[1] - logits[0]);

export interface AcceptanceStopOptions {
  /** Chance of a rejection at which drafting stops. Default 0.7. */
  readonly threshold?: number;
  /** Default 2. */
  readonly minimum?: number;
  /** Default 20. */
  readonly maximum?: number;
}

/** The stop rule alone, for any estimate of acceptance. */
export class AcceptanceStopRule {
  readonly #threshold: number;
  readonly #minimum: number;
  readonly #maximum: number;
  #drafted = 0;
  #allAccepted = 1;

  /** @throws GallopError `invalid-argument` for bounds that are no counts or a threshold that is no number */
  constructor({ threshold = 0.7, minimum = 2, maximum = 20 }: AcceptanceStopOptions = {}) {
    requireArgument(
      [minimum, maximum].every((value) => Number.isSafeInteger(value) && value >= 1) && !Number.isNaN(threshold),
      () => `Expected bounds from 1 and a threshold; received ${minimum}, ${maximum} and ${threshold}; correct them.`,
    );
    this.#threshold = threshold;
    this.#minimum = minimum;
    this.#maximum = maximum;
  }

  /** Chance that one of the tokens before the last drafted one is rejected. */
  get rejection(): number {
    return 1 - this.#allAccepted;
  }

  begin(): void {
    this.#drafted = 0;
    this.#allAccepted = 1;
  }

  /**
   * Counts a drafted token.
   *
   * @param acceptanceOfFed predicted for the token before it, which was fed; not asked for the first one (the root is
   *   committed)
   * @returns true when drafting stops here
   */
  after(acceptanceOfFed: () => number): boolean {
    this.#drafted++;
    if (this.#drafted > 1) this.#allAccepted *= acceptanceOfFed();
    if (this.#drafted >= this.#maximum) return true;
    return this.#drafted >= this.#minimum && this.rejection > this.#threshold;
  }
}

/** A stop policy by acceptance head. */
export const acceptanceStop = (head: AcceptanceHead, options: AcceptanceStopOptions = {}): StopPolicy => {
  const rule = new AcceptanceStopRule(options);
  return {
    needsHidden: true,
    begin: () => rule.begin(),
    after: ({ hidden }: DraftedToken) => rule.after(() => acceptanceOf(acceptanceLogits(head, hidden!))),
  };
};

/** A first guess at the threshold from measured times: discarding a draft costs `draftTime`, a pass `targetTime`. */
export const thresholdFromTimes = (draftTime: number, targetTime: number): number =>
  targetTime / (draftTime + targetTime);
