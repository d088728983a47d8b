/** Models for tests: random logits that depend on everything a row sees, and a model that knows one text. */
import { type LanguageModel, randomUniform } from '@gallop/core';
import type { DiffusionStep } from '../loop/step.ts';
import { canvasModel } from '../models/function-model.ts';

export const maskToken = 11;
export const endToken = 10;
export const vocabSize = 12;

/** Logits that are a function of the position and of all ids in view; the mask itself is likely too. */
export const randomModel = (
  seed: number,
  logitAlignment: 'same' | 'next' = 'same',
  sharpness: number = 6,
): LanguageModel =>
  canvasModel({
    ...{ vocabSize, maskToken, logitAlignment, contextLength: 64 },
    logits: ({ position, ids }) => {
      let text = seed;
      for (const id of ids) text = (Math.imul(text, 31) + id + 7) >>> 0;
      return Float32Array.from({ length: vocabSize }, (_, token) => {
        return sharpness * randomUniform({ seed: text, position, purpose: token });
      });
    },
  });

/** A model that is sure of a text, position by position. */
export const knowingModel = (text: readonly number[], logitAlignment: 'same' | 'next' = 'same'): LanguageModel =>
  canvasModel({
    ...{ vocabSize, maskToken, logitAlignment, contextLength: 64 },
    logits: ({ position }) => {
      const about = logitAlignment === 'next' ? position + 1 : position;
      return Float32Array.from({ length: vocabSize }, (_, token) => (token === text[about] ? 9 : 0));
    },
  });

export const collect = async (steps: AsyncIterable<DiffusionStep>): Promise<DiffusionStep[]> => {
  const all: DiffusionStep[] = [];
  for await (const step of steps) all.push(step);
  return all;
};

export const lastIds = (steps: readonly DiffusionStep[]): number[] => Array.from(steps[steps.length - 1].ids);
