/** Small models and drafters for tests: texts that repeat themselves, tables of probabilities, drafters that misbehave. */

import { type LanguageModel, randomWords, wordToUniform } from '@gallop/core';
import type { Drafter } from '../loop/drafter.ts';
import { type SpeculateOptions, speculate } from '../loop/speculate.ts';
import type { DecodingStep } from '../loop/step.ts';
import { functionModel } from '../models/table-model.ts';
import { chainTree } from '../tree/draft-tree.ts';

/** A uniform number named by any integers. */
export const hash = (...parts: readonly number[]): number =>
  wordToUniform(
    randomWords({ seed: parts[0], stream: parts[1] ?? 0, position: parts[2] ?? 0, purpose: parts[3] ?? 0 })[0],
  );

export const VOCABULARY = 23;

/**
 * Logits that depend on the last two tokens and the length of the text modulo 3: greedy text runs into loops, sampled text
 * does not, and a row fed at a wrong place gets other numbers.
 */
export const loopingModel = (
  options: { endTokens?: Iterable<number>; treeAttention?: boolean; contextLength?: number } = {},
): LanguageModel =>
  functionModel({
    vocabSize: VOCABULARY,
    ...options,
    logits: (text) => {
      const last = text[text.length - 1];
      const before = text[text.length - 2] ?? 0;
      return Float32Array.from({ length: VOCABULARY }, (_, token) => 5 * hash(last, before, token, text.length % 3));
    },
  });

/** A first-order table of probabilities. */
export const randomTable = (size: number, seed: number, sharpness: number = 2): Float64Array[] =>
  Array.from({ length: size }, (_, from) => {
    const row = Float64Array.from({ length: size }, (_, to) => Math.exp(sharpness * hash(seed, from, to)));
    const sum = row.reduce((total, value) => total + value, 0);
    return row.map((value) => value / sum);
  });

export interface Generated {
  readonly tokens: readonly number[];
  readonly steps: readonly DecodingStep[];
  readonly reason: 'stop' | 'length';
  /** Rows of the state at the end. */
  readonly rows: number;
}

/** Runs a generation to its end. */
export const generateTokens = async (
  model: LanguageModel,
  prompt: readonly number[],
  options: SpeculateOptions,
): Promise<Generated> => {
  const session = model.openSession();
  const run = speculate({ model, session, tokens: prompt }, options);
  const steps: DecodingStep[] = [];
  for (;;) {
    const { done, value } = await run.next();
    if (done) {
      const tokens = steps.flatMap((step) => step.tokens);
      return { tokens, steps, reason: value, rows: session.length };
    }
    steps.push(value);
  }
};

/** Always proposes the same wrong chain. */
export const stubbornDrafter = (token: number, length: number): Drafter => ({
  name: 'stubborn',
  propose: ({ tokens, budget }) =>
    chainTree(tokens[tokens.length - 1], new Int32Array(Math.min(length, budget)).fill(token)),
});
