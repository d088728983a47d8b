/**
 * AdaDec (2506.08980): greedy decoding that pauses where the model is in doubt, looks a few tokens ahead of each of the best
 * candidates, and takes the one whose continuation has the best mean log-probability. It changes the output on purpose, for
 * quality; it saves nothing.
 *
 *   pause when entropy ≥ threshold;  score_b = (ln p(c_b) + Σ ln p of the lookahead) / (1 + lookahead tokens)
 */

import { chooseGreedy, type LanguageModel, requireArgument, type Session, softmax } from '@gallop/core';
import { bestIndices } from '../tree/dynamic-tree.ts';
import type { Guarantee } from '../verify/verdict.ts';
import { entropyOf } from './uncertainty.ts';

/** The output is another one than greedy decoding's. */
export const adaptiveGuarantee: Guarantee = 'approximate';

export interface LookaheadRerankOptions {
  /** Default 3. */
  readonly candidates?: number;
  /** Tokens looked ahead at most. Default 5. */
  readonly lookahead?: number;
  /** True for a branch (candidate and extension) that is complete. Default: never. */
  readonly isDone?: (branch: readonly number[]) => boolean;
  /**
   * What a complete branch does while others go on: nothing more (`freeze`, default), or, as the published code does, go on
   * adding log-probabilities while its length stands still (`accumulate`).
   */
  readonly mode?: 'freeze' | 'accumulate';
}

/** Candidates of a pause, best first. */
export interface RerankedCandidates {
  readonly candidates: readonly number[];
  readonly firstLogProbability: readonly number[];
  /** Sums over the lookahead. */
  readonly extensionLogProbability: readonly number[];
  /** Lookahead tokens counted. */
  readonly length: readonly number[];
  readonly score: readonly number[];
  /** The token with the best score. */
  readonly chosen: number;
}

/** Logits after each branch, [vocabSize] each. */
export type BranchLogits = (
  branches: readonly (readonly number[])[],
) => Promise<readonly Float32Array[]> | readonly Float32Array[];

/** Looks ahead of the best tokens of a row of logits. */
export const rerankCandidates = async (
  logits: Float32Array,
  branchLogits: BranchLogits,
  { candidates = 3, lookahead = 5, isDone = () => false, mode = 'freeze' }: LookaheadRerankOptions = {},
): Promise<RerankedCandidates> => {
  requireArgument(
    Number.isSafeInteger(candidates) && candidates >= 1 && Number.isSafeInteger(lookahead) && lookahead >= 0,
    () => {
      return `Expected candidates from 1 and a lookahead from 0; received ${candidates} and ${lookahead}; correct them.`;
    },
  );
  const probabilities = softmax(logits);
  const tokens = bestIndices(logits, candidates);
  const first = tokens.map((token) => Math.log(probabilities[token]));
  const branches = tokens.map((token) => [token]);
  const sums = tokens.map(() => 0);
  const lengths = tokens.map(() => 0);
  const done = tokens.map(() => false);
  for (let step = 0; step < lookahead && done.includes(false); step++) {
    const rows = await branchLogits(branches);
    for (const [b, branch] of branches.entries()) {
      const token = chooseGreedy(rows[b]);
      if (!done[b] || mode === 'accumulate') sums[b] += Math.log(softmax(rows[b])[token]);
      branch.push(token);
      if (!done[b]) lengths[b]++;
      done[b] ||= isDone(branch);
    }
  }
  const score = first.map((value, b) => (value + sums[b]) / (1 + lengths[b]));
  return {
    ...{ candidates: tokens, firstLogProbability: first, extensionLogProbability: sums, length: lengths, score },
    chosen: tokens[score.indexOf(Math.max(...score))],
  };
};

export interface AdaptiveDecodeOptions extends LookaheadRerankOptions {
  /** Entropy in nats from which a step pauses; learned by `learnThreshold`. */
  readonly threshold: number;
  readonly maxTokens: number;
  /** Tokens that end the text; they are yielded. Default: the model's. */
  readonly endTokens?: ReadonlySet<number>;
  readonly signal?: AbortSignal;
}

export interface AdaptiveStep {
  readonly token: number;
  readonly entropy: number;
  readonly paused: boolean;
}

/**
 * Generates with pauses.
 *
 * @param tokens the text so far; the session holds a beginning of it, at most all but the last token
 * @throws GallopError `invalid-argument`, what the model throws, `signal.reason` when cancelled
 */
export async function* adaptiveDecode(
  {
    model,
    session,
    tokens,
  }: { readonly model: LanguageModel; readonly session: Session; readonly tokens: ArrayLike<number> },
  options: AdaptiveDecodeOptions,
): AsyncGenerator<AdaptiveStep, 'stop' | 'length', void> {
  const { threshold, maxTokens, endTokens = model.tokens.endOfGeneration, signal } = options;
  requireArgument(
    !Number.isNaN(threshold),
    () => 'Expected an entropy threshold; received NaN; learn one with learnThreshold.',
  );
  let fed = Int32Array.from(Array.from(tokens).slice(session.length));
  for (let made = 0; made < maxTokens && session.length + fed.length < model.contextLength; made++) {
    signal?.throwIfAborted();
    const result = await session.forward({ ids: fed, want: { logits: 'last' }, ...(signal && { signal }) });
    const logits = result.logits!.slice();
    session.commit(Int32Array.from(fed.keys()));
    const entropy = entropyOf(logits);
    const paused = entropy >= threshold;
    const room = model.contextLength - session.length;
    const lookahead = Math.min(options.lookahead ?? 5, Math.floor(room / (options.candidates ?? 3)));
    const token = paused
      ? (await rerankCandidates(logits, treeBranches(session, model, signal), { ...options, lookahead })).chosen
      : chooseGreedy(logits);
    yield { token, entropy, paused };
    if (endTokens.has(token)) return 'stop';
    fed = Int32Array.of(token);
  }
  return 'length';
}

/** All branches in one pass, as chains side by side under the committed state; nothing of it is kept. */
const treeBranches =
  (session: Session, { vocabSize }: LanguageModel, signal: AbortSignal | undefined): BranchLogits =>
  async (branches) => {
    const size = branches[0].length;
    const ids = Int32Array.from(branches.flat());
    const parents = ids.map((_, row) => (row % size === 0 ? -1 : row - 1));
    const ends = Int32Array.from(branches, (_, b) => (b + 1) * size - 1);
    const attention = { kind: 'tree', parents } as const;
    const { logits } = await session.forward({ ids, attention, want: { logits: ends }, ...(signal && { signal }) });
    return branches.map((_, b) => logits!.slice(b * vocabSize, (b + 1) * vocabSize));
  };
