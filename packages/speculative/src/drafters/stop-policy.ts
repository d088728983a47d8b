/**
 * When to end a draft. A policy may look at what was drafted and stop *after* a token, never drop it: that keeps any exact
 * verifier exact.
 */

/** What a policy sees after a token was drafted. */
export interface DraftedToken {
  /** 1 for the first drafted token. */
  readonly index: number;
  readonly token: number;
  /** Probability that the draft model gave it, at temperature 1. */
  readonly probability: number;
  /** The draft model's hidden state, after its final norm, of the token that was *fed* to draft this one. */
  readonly hidden?: Float32Array;
}

export interface StopPolicy {
  /** Whether it wants `hidden`. */
  readonly needsHidden?: boolean;
  /** A new draft begins. */
  begin(): void;
  /** True when the draft ends with this token. */
  after(drafted: DraftedToken): boolean;
}

/** Stops when the draft model was less sure of a token than this. */
export const confidenceStop = (threshold: number): StopPolicy => ({
  begin: () => undefined,
  after: ({ probability }) => probability < threshold,
});
