/** Totals over decoding steps. */

import type { DecodingStep } from './step.ts';

/** What a generation cost and gained. */
export interface SpeculationTotals {
  /** Steps that chose tokens: passes of the target, the prompt's included. */
  readonly steps: number;
  readonly tokens: number;
  /** Tokens a step, the prompt's pass left out; 0 without steps. */
  readonly tokensPerStep: number;
  readonly drafted: number;
  readonly fed: number;
  readonly accepted: number;
  /** By depth d − 1: steps that reached depth d − 1 with a draft for depth d, and those that accepted it. */
  readonly proposedByDepth: readonly number[];
  readonly acceptedByDepth: readonly number[];
  /** Accepted tokens by who drafted them. */
  readonly acceptedBy: Readonly<Record<string, number>>;
  readonly draftMilliseconds: number;
  readonly verifyMilliseconds: number;
  /** Steps in which the drafter failed. */
  readonly faults: number;
}

/** Adds steps up. */
export class SpeculationStatistics {
  #steps = 0;
  #decodeSteps = 0;
  #tokens = 0;
  #decodeTokens = 0;
  #drafted = 0;
  #fed = 0;
  #accepted = 0;
  #draftMilliseconds = 0;
  #verifyMilliseconds = 0;
  #faults = 0;
  readonly #proposedByDepth: number[] = [];
  readonly #acceptedByDepth: number[] = [];
  readonly #acceptedBy = new Map<string, number>();

  add(step: DecodingStep): void {
    this.#steps++;
    this.#tokens += step.tokens.length;
    const isDecoding = step.fed === step.tree.tokens.length;
    if (isDecoding) {
      this.#decodeSteps++;
      this.#decodeTokens += step.tokens.length;
    }
    this.#drafted += step.drafted;
    this.#fed += step.fed;
    this.#accepted += step.accepted;
    this.#draftMilliseconds += step.draftMilliseconds;
    this.#verifyMilliseconds += step.verifyMilliseconds;
    if (step.fault !== undefined) this.#faults++;
    for (let depth = 0; depth < Math.min(step.accepted + 1, step.draftedDepth); depth++) {
      this.#proposedByDepth[depth] = (this.#proposedByDepth[depth] ?? 0) + 1;
      this.#acceptedByDepth[depth] = (this.#acceptedByDepth[depth] ?? 0) + (depth < step.accepted ? 1 : 0);
    }
    for (const name of step.proposers) {
      if (name !== undefined) this.#acceptedBy.set(name, (this.#acceptedBy.get(name) ?? 0) + 1);
    }
  }

  totals(): SpeculationTotals {
    return {
      steps: this.#steps,
      tokens: this.#tokens,
      tokensPerStep: this.#decodeSteps === 0 ? 0 : this.#decodeTokens / this.#decodeSteps,
      drafted: this.#drafted,
      fed: this.#fed,
      accepted: this.#accepted,
      proposedByDepth: [...this.#proposedByDepth],
      acceptedByDepth: [...this.#acceptedByDepth],
      acceptedBy: Object.fromEntries(this.#acceptedBy),
      draftMilliseconds: this.#draftMilliseconds,
      verifyMilliseconds: this.#verifyMilliseconds,
      faults: this.#faults,
    };
  }
}
