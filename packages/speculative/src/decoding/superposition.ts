/**
 * The arithmetic of superposed decoding (Shen et al., 2405.18400): k drafts are extended from one distribution, told apart
 * by an n-gram model, and fed back as one mixture of their last tokens' embeddings. Approximate: no draft follows the
 * model's own distribution.
 *
 *   lp_d(t) = (1 − α) ln a(t) + α ln b_d(t);  a: best candidates of the model, renormalised;  b: interpolated n-grams
 *   candidates: the 2k best score[d] + lp_d(t);  mixture = Σ_d softmax(score)_d · Emb[last token of d]
 */

import { requireArgument } from '@gallop/core';
import { bestIndices } from '../tree/dynamic-tree.ts';
import type { NgramModel } from './ngram-model.ts';

/** Keeps softmax and sums defined where no n-gram supports a draft. */
const WORST_SCORE = -1e9;

export interface SuperpositionOptions {
  /** k. Default 3. */
  readonly drafts?: number;
  /** Tokens considered a step. Default 3 k. */
  readonly candidates?: number;
  /** α. Default 0.54. */
  readonly alpha?: number;
  /** Weights of contexts of 1, 2, … tokens. Default .01, .04, .15, .18, .12. */
  readonly weights?: readonly number[];
  /** `geom` as above; `all`: the n-gram model alone; null: lp = ln a. Default `geom`. */
  readonly smoothing?: 'geom' | 'all' | null;
  /** Taken off a draft's scores when no candidate has n-gram support. Default 200. */
  readonly penalty?: number;
  readonly endToken?: number;
}

export interface DraftState {
  /** k sequences, the prompt included. */
  readonly sequences: readonly (readonly number[])[];
  readonly scores: readonly number[];
  /** Sequences that ended, by score. */
  readonly finished: readonly { readonly sequence: readonly number[]; readonly score: number }[];
}

/** A state of k equal drafts. */
export const initialDrafts = (prompt: ArrayLike<number>, drafts: number): DraftState => ({
  sequences: Array.from({ length: drafts }, () => Array.from(prompt)),
  scores: new Array<number>(drafts).fill(0),
  finished: [],
});

interface Candidate {
  readonly draft: number;
  readonly token: number;
  readonly score: number;
  readonly probability: number;
}

/**
 * Extends all drafts by one token.
 *
 * @param probabilities softmax(logits / T) [vocabSize]
 * @param first whether the drafts are still equal: then the first one alone gives candidates
 */
export const superposeStep = (
  state: DraftState,
  probabilities: ArrayLike<number>,
  ngrams: NgramModel,
  first: boolean,
  options: SuperpositionOptions = {},
): DraftState => {
  const { drafts = 3, endToken } = options;
  requireArgument(state.sequences.length === drafts && state.scores.length === drafts, () => {
    return `Expected ${drafts} drafts; received ${state.sequences.length}; begin with initialDrafts.`;
  });
  const scored: Candidate[] = [];
  for (let draft = 0; draft < (first ? 1 : drafts); draft++) {
    scored.push(...scoreCandidates(state, draft, probabilities, ngrams, options));
  }
  const best = scored
    .map((candidate, index) => ({ candidate, index }))
    .sort((a, b) => compareCandidates(a.candidate, b.candidate) || a.index - b.index)
    .slice(0, 2 * drafts)
    .map(({ candidate }) => candidate);
  const extend = ({ draft, token }: Candidate): number[] => [...state.sequences[draft], token];
  const alive = best.filter(({ token }) => token !== endToken).slice(0, drafts);
  const ended = best.filter(({ token }) => token === endToken);
  const finished = [
    ...state.finished,
    ...ended.map((candidate) => ({ sequence: extend(candidate), score: candidate.score })),
  ];
  return {
    sequences: alive.map(extend),
    scores: alive.map(({ score }) => Math.max(score, WORST_SCORE)),
    finished: finished.sort((a, b) => b.score - a.score).slice(0, drafts),
  };
};

/** By score; among those without one, by the model's probability. */
const compareCandidates = (a: Candidate, b: Candidate): number => {
  if (a.score !== b.score) return a.score > b.score ? -1 : 1;
  return a.score === Number.NEGATIVE_INFINITY ? b.probability - a.probability : 0;
};

const scoreCandidates = (
  { sequences, scores }: DraftState,
  draft: number,
  probabilities: ArrayLike<number>,
  ngrams: NgramModel,
  options: SuperpositionOptions,
): Candidate[] => {
  const { drafts = 3, candidates = 3 * drafts, smoothing = 'geom', penalty = 200, alpha = 0.54 } = options;
  const { weights = [0.01, 0.04, 0.15, 0.18, 0.12] } = options;
  const everything = smoothing === 'all';
  const tokens = bestIndices(probabilities, everything ? probabilities.length : candidates)
    .filter((token) => probabilities[token] > 0)
    .sort((a, b) => a - b);
  const total = tokens.reduce((sum, token) => sum + probabilities[token], 0);
  const sequence = sequences[draft];
  const model = tokens.map((token) => Math.log(probabilities[token] / total));
  const mixed = tokens.map((token, i) => {
    if (smoothing === null) return model[i];
    const support = Math.log(ngrams.interpolate(sequence, sequence.length, token, weights));
    return everything ? support : (1 - alpha) * model[i] + alpha * support;
  });
  const unsupported = mixed.every((value) => value === Number.NEGATIVE_INFINITY);
  return tokens.map((token, i) => {
    const value = unsupported ? (1 - alpha) * model[i] - penalty : mixed[i];
    return { draft, token, score: scores[draft] + value, probability: probabilities[token] };
  });
};

/** Weights of the drafts in the mixture: softmax of their scores. */
export const draftWeights = (scores: ArrayLike<number>): Float64Array => {
  const best = Math.max(...Array.from(scores));
  const weights = Float64Array.from(scores, (score) => Math.exp(score - best));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
};

/** Weights of the drafts' last tokens; drafts with the same token add up. [vocabSize] */
export const tokenWeights = (
  weights: ArrayLike<number>,
  tokens: ArrayLike<number>,
  vocabSize: number,
): Float64Array => {
  const result = new Float64Array(vocabSize);
  for (let draft = 0; draft < tokens.length; draft++) result[tokens[draft]] += weights[draft];
  return result;
};

/** The mixture of token embeddings, in f32. `embedding` gives the row of a token [width]. */
export const mixEmbeddings = (
  weights: ArrayLike<number>,
  tokens: ArrayLike<number>,
  embedding: (token: number) => ArrayLike<number>,
): Float32Array => {
  const mixture = new Float64Array(embedding(tokens[0]).length);
  for (let draft = 0; draft < tokens.length; draft++) {
    const row = embedding(tokens[draft]);
    for (let i = 0; i < mixture.length; i++) mixture[i] += weights[draft] * row[i];
  }
  return Float32Array.from(mixture);
};

export interface ScoredDraft {
  readonly score: number;
  /** Generated tokens, an end token included. */
  readonly length: number;
}

export interface SelectedDraft {
  /** 0 … k − 1: alive; from k on: finished. */
  readonly index: number;
  /** exp(−score / length). Not the model's perplexity: scores are interpolated. */
  readonly perplexity: number;
}

/**
 * The best of alive and finished drafts, ascending by perplexity.
 *
 * @param finished undefined for an empty slot
 * @param mode `official`: finished drafts never win, as in the published code; `intended`: they compete
 */
export const selectDrafts = (
  alive: readonly ScoredDraft[],
  finished: readonly (ScoredDraft | undefined)[],
  mode: 'official' | 'intended' = 'intended',
): SelectedDraft[] => {
  const all = [...alive, ...finished].map((draft, index) => ({
    index,
    perplexity:
      draft === undefined || draft.length === 0 ? Number.POSITIVE_INFINITY : Math.exp(-draft.score / draft.length),
  }));
  const eligible = all.filter(
    ({ index }) => index < alive.length || (mode === 'intended' && finished[index - alive.length]),
  );
  return eligible.sort((a, b) => a.perplexity - b.perplexity || a.index - b.index).slice(0, alive.length);
};
