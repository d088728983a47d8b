/**
 * The warp pipeline: from the logits of a model to the logits that a token is drawn from. The order is fixed and is
 * that of transformers: logit bias, repetition, presence and frequency penalties, n-gram blocking, temperature, top-k,
 * top-p, min-p, typical, epsilon, eta. Each processor works on the result of the one before.
 */

import { checkWarpOptions, type WarpOptions } from './options.ts';
import {
  countTokens,
  forbidRepeatedNgrams,
  penalizeFrequency,
  penalizePresence,
  penalizeRepetition,
} from './penalties.ts';
import { cutEpsilon, cutEta, keepMinP, keepTopK, keepTopP, keepTypical } from './truncation.ts';

/** True when the options look at the history, so that it must be kept. */
const needsHistory = (options: WarpOptions): boolean =>
  (options.repetitionPenalty ?? 1) !== 1 ||
  (options.presencePenalty ?? 0) !== 0 ||
  (options.frequencyPenalty ?? 0) !== 0 ||
  options.noRepeatNgramSize !== undefined;

/** True when the options leave the order of the logits of a row as it is, so that its best token is the model's own. */
export const keepsBestToken = (options: WarpOptions): boolean =>
  !needsHistory(options) && (options.logitBias?.size ?? 0) === 0;

/**
 * Applies the processors to one row of logits, in place. A temperature of 0 applies the bias and the history processors
 * only: what is left is for greedy choice.
 *
 * @param logits [vocabSize]; removed tokens become −Infinity
 * @param history ids before the token to choose, prompt included
 * @throws GallopError `invalid-argument` for an option out of range or a history id outside the vocabulary;
 *   `invalid-state` when a logit is NaN or no token is left
 */
export const warpLogits = (logits: Float32Array, history: ArrayLike<number>, options: WarpOptions): void => {
  checkWarpOptions(options, logits.length);
  applyBiasAndPenalties(logits, history, options);
  const { temperature = 1, topK, topP = 1, minP = 0, typicalP, epsilonCutoff = 0, etaCutoff = 0 } = options;
  if (temperature === 0) return;
  if (temperature !== 1) divide(logits, temperature);
  if (topK !== undefined) keepTopK(logits, topK);
  if (topP < 1) keepTopP(logits, topP);
  if (minP > 0) keepMinP(logits, minP);
  if (typicalP !== undefined) keepTypical(logits, typicalP);
  if (epsilonCutoff > 0) cutEpsilon(logits, epsilonCutoff);
  if (etaCutoff > 0) cutEta(logits, etaCutoff);
};

const applyBiasAndPenalties = (logits: Float32Array, history: ArrayLike<number>, options: WarpOptions): void => {
  for (const [token, bias] of options.logitBias ?? []) logits[token] += bias;
  if (!needsHistory(options)) return;
  const counts = countTokens(history, logits.length);
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0, noRepeatNgramSize } = options;
  if (repetitionPenalty !== 1) penalizeRepetition(logits, counts, repetitionPenalty);
  if (presencePenalty !== 0) penalizePresence(logits, counts, presencePenalty);
  if (frequencyPenalty !== 0) penalizeFrequency(logits, counts, frequencyPenalty);
  if (noRepeatNgramSize !== undefined) forbidRepeatedNgrams(logits, history, noRepeatNgramSize);
};

/** Logits / temperature; the best logit is taken off first when the quotient would leave f32 (tiny temperatures). */
const divide = (logits: Float32Array, temperature: number): void => {
  let extreme = 0;
  let best = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) {
    if (logits[i] > best) best = logits[i];
    const size = Math.abs(logits[i]);
    if (size > extreme && size < Number.POSITIVE_INFINITY) extreme = size;
  }
  const offset = extreme / temperature > 1e30 ? best : 0;
  for (let i = 0; i < logits.length; i++) logits[i] = (logits[i] - offset) / temperature;
};
