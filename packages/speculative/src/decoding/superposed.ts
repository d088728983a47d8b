/**
 * Superposed decoding on a model: k continuations of a prompt for one pass a position, whatever k is. The state holds one
 * row a position. Approximate; with one draft and without smoothing it is greedy decoding.
 */

import { GallopError, type LanguageModel, softmax } from '@gallop/core';
import type { Guarantee } from '../verify/verdict.ts';
import type { NgramModel } from './ngram-model.ts';
import {
  type DraftState,
  draftWeights,
  initialDrafts,
  mixEmbeddings,
  type SuperpositionOptions,
  selectDrafts,
  superposeStep,
  tokenWeights,
} from './superposition.ts';

export const superposedGuarantee: Guarantee = 'approximate';

export interface SuperposedOptions extends SuperpositionOptions {
  readonly ngrams: NgramModel;
  readonly maxTokens: number;
  /** Divides the logits; very low, for the n-gram term is weighed against its logarithms. Default 0.06. */
  readonly temperature?: number;
  /** Whether drafts that ended compete with those that did not. Default `intended`: they do. */
  readonly selection?: 'official' | 'intended';
  readonly signal?: AbortSignal;
}

/** One continuation, the prompt included. */
export interface SuperposedDraft {
  readonly tokens: readonly number[];
  readonly score: number;
  readonly perplexity: number;
}

export interface SuperposedResult {
  /** Ascending by perplexity. */
  readonly drafts: readonly SuperposedDraft[];
  /** The drafts after each step. */
  readonly steps: readonly DraftState[];
  /** What was fed after each step but the last: weights of tokens. [vocabSize] each */
  readonly mixtures: readonly Float64Array[];
  /** Passes of the model, the prompt's included. */
  readonly forwards: number;
}

/**
 * Writes k continuations.
 *
 * @throws GallopError `unsupported` for a model that takes no embeddings or shows none, `invalid-argument` for a temperature
 *   that is not above 0; `signal.reason` when cancelled
 */
export const superposedDecode = async (
  model: LanguageModel,
  prompt: Int32Array,
  options: SuperposedOptions,
): Promise<SuperposedResult> => {
  const { temperature = 0.06, maxTokens, drafts = 3, ngrams, selection, signal } = options;
  checkModel(model, temperature);
  const lookUp = embeddingTable(model);
  const session = model.openSession();
  try {
    let state = initialDrafts(prompt, drafts);
    const steps: DraftState[] = [];
    const mixtures: Float64Array[] = [];
    const request = { want: { logits: 'last' }, ...(signal && { signal }) } as const;
    let { logits } = await session.forward({ ids: prompt, ...request });
    session.commit(Int32Array.from(prompt.keys()));
    for (let made = 1; ; made++) {
      state = superposeStep(state, softmax(logits!.map((value) => value / temperature)), ngrams, made === 1, options);
      steps.push(state);
      if (made >= maxTokens || prompt.length + made >= model.contextLength) break;
      const last = state.sequences.map((sequence) => sequence[sequence.length - 1]);
      const weights = draftWeights(state.scores);
      mixtures.push(tokenWeights(weights, last, model.vocabSize));
      const rows = await lookUp(last);
      const embeddings = mixEmbeddings(weights, last, (token) => rows.get(token)!);
      ({ logits } = await session.forward({ ids: Int32Array.of(-1), embeddings, ...request }));
      session.commit(Int32Array.of(0));
    }
    return { drafts: ranked(state, prompt.length, selection), steps, mixtures, forwards: steps.length };
  } finally {
    session.dispose();
  }
};

const checkModel = ({ capabilities }: LanguageModel, temperature: number): void => {
  if (capabilities.embeddings !== true || !capabilities.hidden || !capabilities.layerRange) {
    throw new GallopError(
      'unsupported',
      'Expected a model that takes embeddings and shows its own; received one that does not; draft with a tree instead.',
    );
  }
  if (!(temperature > 0)) {
    throw new GallopError(
      'invalid-argument',
      `Expected a temperature above 0; received ${temperature}; the default is 0.06.`,
    );
  }
};

/** Reads embedding rows off the model, each once. */
const embeddingTable = (
  model: LanguageModel,
): ((tokens: readonly number[]) => Promise<ReadonlyMap<number, Float32Array>>) => {
  const known = new Map<number, Float32Array>();
  return async (tokens) => {
    const missing = [...new Set(tokens)].filter((token) => !known.has(token));
    if (missing.length > 0) {
      const session = model.openSession();
      try {
        const ids = Int32Array.from(missing);
        const { hidden } = await session.forward({ ids, layers: [0, 1], want: { hidden: [0] } });
        const rows = hidden!.get(0)!;
        const width = rows.length / missing.length;
        for (const [i, token] of missing.entries()) known.set(token, rows.slice(i * width, (i + 1) * width));
      } finally {
        session.dispose();
      }
    }
    return known;
  };
};

const ranked = (
  { sequences, scores, finished }: DraftState,
  promptLength: number,
  selection?: 'official' | 'intended',
): SuperposedDraft[] => {
  const alive = sequences.map((tokens, i) => ({ tokens, score: scores[i], length: tokens.length - promptLength }));
  const ended = finished.map(({ sequence, score }) => ({
    tokens: sequence,
    score,
    length: sequence.length - promptLength,
  }));
  const all = [...alive, ...ended];
  return selectDrafts(alive, ended, selection).map(({ index, perplexity }) => ({
    ...{ tokens: all[index].tokens, score: all[index].score, perplexity },
  }));
};
