/**
 * Drafting behind `generate`: several tokens a pass, the same text. What drafters learn is kept with the model, so that later
 * generations begin warm; what belongs to one text is made anew for each.
 */

import { GallopError, type LanguageModel } from '@gallop/core';
import {
  adedDrafter,
  autoDrafter,
  type Drafter,
  DraftMemory,
  lookaheadDrafter,
  promptLookupDrafter,
  RecyclingMatrix,
  type SpeculationStatistics,
  speculate,
  suffixDrafter,
  TrigramTable,
  tokenRecyclingDrafter,
} from '@gallop/speculative';
import type { TextModel } from '../text-model.ts';
import type { Context } from './context.ts';
import type { DecodeOptions } from './decode.ts';
import type { GenerationStep } from './options.ts';

/** Names of drafting methods. All leave the text as it is. */
export const draftMethods = ['none', 'auto', 'lookup', 'suffix', 'recycling', 'aded', 'lookahead'] as const;

/**
 * How to draft: not at all; `auto`, what pays on this machine; or by one method: `lookup` and `suffix` in the text so far,
 * `recycling` and `aded` by what was generated before, `lookahead` beside the text.
 */
export type DraftMethod = (typeof draftMethods)[number];

/** Rows of a draft where each further one costs an eighth of a pass; `auto` finds its own number. */
const MODERATE_BUDGET = 8;
const LOOKAHEAD_BUDGET = 64;

interface Memory {
  readonly auto: DraftMemory;
  readonly matrix: RecyclingMatrix;
  readonly trigrams: TrigramTable;
}

const memories = new WeakMap<LanguageModel, Memory>();

const memoryOf = (model: LanguageModel): Memory => {
  const { vocabSize } = model;
  const memory = memories.get(model) ?? {
    auto: new DraftMemory({ vocabSize }),
    matrix: new RecyclingMatrix({ vocabSize }),
    trigrams: new TrigramTable(),
  };
  memories.set(model, memory);
  return memory;
};

/** @throws GallopError `invalid-argument` for a method that is none */
export const checkDraft = (draft: DraftMethod | Drafter): void => {
  if (typeof draft === 'object' || draftMethods.includes(draft)) return;
  throw new GallopError(
    'invalid-argument',
    `Expected draft to be one of ${draftMethods.join(', ')}, or a drafter; received ${String(draft)}; choose one of them.`,
  );
};

/** The drafter of a choice, and the most rows it may draft. */
const drafterOf = (draft: DraftMethod | Drafter, model: LanguageModel): { drafter: Drafter; budget?: number } => {
  if (typeof draft === 'object') return { drafter: draft };
  const memory = memoryOf(model);
  if (draft === 'lookup') return { drafter: promptLookupDrafter(), budget: MODERATE_BUDGET };
  if (draft === 'suffix') return { drafter: suffixDrafter(), budget: MODERATE_BUDGET };
  if (draft === 'recycling') return { drafter: tokenRecyclingDrafter(memory), budget: MODERATE_BUDGET };
  if (draft === 'aded') return { drafter: adedDrafter({ table: memory.trigrams }), budget: MODERATE_BUDGET };
  if (draft === 'lookahead') return { drafter: lookaheadDrafter(), budget: LOOKAHEAD_BUDGET };
  return { drafter: autoDrafter({ memory: memory.auto }) };
};

/**
 * Generates tokens after `prompt` with drafts: the tokens of `decodeTokens`, in fewer steps.
 *
 * @param statistics takes every step in
 * @returns by `return`, why it ended
 */
export async function* draftTokens(
  { languageModel, codec }: TextModel,
  prompt: Int32Array,
  context: Context,
  { draft, ...options }: DecodeOptions & { readonly draft: DraftMethod | Drafter },
  statistics: SpeculationStatistics,
): AsyncGenerator<GenerationStep, 'stop' | 'length', void> {
  const endTokens = new Set([...languageModel.tokens.endOfGeneration, ...codec.endOfGeneration]);
  const text = [...prompt];
  const steps = speculate(
    { model: languageModel, session: context.session, tokens: prompt },
    { ...options, ...drafterOf(draft, languageModel), endTokens },
  );
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
    statistics.add(value);
    for (const token of value.tokens) text.push(token);
    context.append(text.slice(context.ids.length, context.session.length));
    const { tokens, position, milliseconds, proposers, drafted, accepted } = value;
    if (tokens.length > 0) yield { tokens, position, milliseconds, proposers, drafted, accepted };
  }
}
