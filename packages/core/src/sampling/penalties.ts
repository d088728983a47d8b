/**
 * Processors that look at the history: they change or remove the logits of tokens that were there before. All work in
 * place on one row. Definitions as in transformers' `generation/logits_process.py`; presence and frequency penalties as
 * in OpenAI's API: logit − presence · [count > 0] − frequency · count.
 */

import { requireArgument } from '../errors.ts';

/** How often each token is in the history. Throws `invalid-argument` for ids outside the vocabulary. */
export const countTokens = (history: ArrayLike<number>, vocabSize: number): Map<number, number> => {
  const counts = new Map<number, number>();
  for (let i = 0; i < history.length; i++) {
    const token = history[i];
    requireArgument(Number.isInteger(token) && token >= 0 && token < vocabSize, () => {
      return `Expected history tokens to be ids below ${vocabSize}; received ${token} at index ${i}; pass the ids that the model was fed.`;
    });
    counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  return counts;
};

/** Every token of the history once: logit < 0 ? logit · penalty : logit / penalty. */
export const penalizeRepetition = (
  logits: Float32Array,
  counts: ReadonlyMap<number, number>,
  penalty: number,
): void => {
  for (const token of counts.keys()) {
    logits[token] = logits[token] < 0 ? logits[token] * penalty : logits[token] / penalty;
  }
};

/** Every token of the history once: logit − penalty. */
export const penalizePresence = (logits: Float32Array, counts: ReadonlyMap<number, number>, penalty: number): void => {
  for (const token of counts.keys()) logits[token] -= penalty;
};

/** Every token of the history: logit − penalty · count. */
export const penalizeFrequency = (logits: Float32Array, counts: ReadonlyMap<number, number>, penalty: number): void => {
  for (const [token, count] of counts) logits[token] -= penalty * count;
};

/** Removes each token that would repeat an n-gram of the history (size 1: each token of the history). */
export const forbidRepeatedNgrams = (logits: Float32Array, history: ArrayLike<number>, size: number): void => {
  const prefix = history.length - size + 1;
  for (let start = 0; start < prefix; start++) {
    let same = 0;
    while (same < size - 1 && history[start + same] === history[prefix + same]) same++;
    if (same === size - 1) logits[history[start + same]] = Number.NEGATIVE_INFINITY;
  }
};
