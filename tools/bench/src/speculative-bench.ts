/**
 * Measures drafting on one model: questions of Spec-Bench, each answered plainly and with every drafting method in turns, from
 * a state that holds the prompt already, so that times are those of decoding. Answers are compared token for token.
 */

import { type BaselineItem, groupOf, type MethodItem } from '@gallop/speculative';
import { Context, type DraftMethod, type GenerateOptions, generate, type Model, type Prompt } from 'gallop';
import type { Progress } from './harness/progress.ts';

export interface Question {
  readonly question_id: number;
  readonly category: string;
  readonly turns: readonly string[];
}

export interface SpeculativeRun {
  readonly questions: readonly Question[];
  readonly methods: readonly DraftMethod[];
  readonly temperatures: readonly number[];
  readonly newTokens: number;
}

/** One answer. */
export interface Answer {
  readonly category: string;
  readonly group: string;
  readonly tokens: number;
  /** Of decoding, without the prompt. */
  readonly seconds: number;
  /** Passes after the first token. */
  readonly passes: number;
  /** Tokens of each of them. */
  readonly acceptLengths: readonly number[];
  readonly drafted: number;
  readonly draftMilliseconds: number;
  readonly proposedByDepth: readonly number[];
  readonly acceptedByDepth: readonly number[];
  /** Whether the tokens are those of plain decoding. */
  readonly identical: boolean;
}

export interface SpeculativeResult {
  readonly temperature: number;
  /** Answers by method, `none` first, in the order of the questions. */
  readonly answers: Readonly<Record<string, readonly Answer[]>>;
}

/** The first turn of a question, as a conversation where the model knows how. */
const promptOf = (model: Model, { turns: [content] }: Question): Prompt =>
  model.hasChatTemplate ? [{ role: 'user', content }] : content;

/** Answers all questions by all methods. */
export const measureSpeculation = async (
  model: Model,
  run: SpeculativeRun,
  progress: Progress,
): Promise<SpeculativeResult[]> => {
  const results: SpeculativeResult[] = [];
  for (const temperature of run.temperatures) {
    const answers: Record<string, Answer[]> = { none: [] };
    for (const method of run.methods) answers[method] = [];
    for (const [index, question] of run.questions.entries()) {
      progress(`temperature ${temperature}, question ${index + 1} of ${run.questions.length}: ${question.category}`);
      await answerAll(model, question, { temperature, seed: question.question_id, maxTokens: run.newTokens }, answers);
    }
    results.push({ temperature, answers });
  }
  return results;
};

const answerAll = async (
  model: Model,
  question: Question,
  sampling: GenerateOptions,
  answers: Record<string, Answer[]>,
): Promise<void> => {
  const prompt = promptOf(model, question);
  using context = new Context(model.languageModel);
  await generate(model, prompt, { ...sampling, maxTokens: 1, context }).result; // computes the prompt
  let plain: readonly number[] = [];
  for (const method of Object.keys(answers)) {
    const { answer, tokens } = await answerOnce(model, prompt, question, {
      ...sampling,
      context,
      draft: method as DraftMethod,
    });
    if (method === 'none') plain = tokens;
    const identical = tokens.length === plain.length && tokens.every((token, i) => token === plain[i]);
    answers[method].push({ ...answer, identical });
  }
};

const answerOnce = async (
  model: Model,
  prompt: Prompt,
  { category }: Question,
  options: GenerateOptions,
): Promise<{ answer: Omit<Answer, 'identical'>; tokens: readonly number[] }> => {
  const acceptLengths: number[] = [];
  const start = performance.now();
  const { tokens, speculation } = await generate(model, prompt, {
    ...options,
    onStep: (step) => acceptLengths.push(step.tokens.length),
  }).result;
  const answer = {
    ...{ category, group: groupOf(category), tokens: tokens.length, acceptLengths, passes: acceptLengths.length },
    seconds: (performance.now() - start) / 1000,
    drafted: speculation?.drafted ?? 0,
    draftMilliseconds: speculation?.draftMilliseconds ?? 0,
    proposedByDepth: speculation?.proposedByDepth ?? [],
    acceptedByDepth: speculation?.acceptedByDepth ?? [],
  };
  return { answer, tokens };
};

/** An answer in the form of Spec-Bench's report. */
export const methodItem = ({ category, tokens, seconds, acceptLengths }: Answer): MethodItem => ({
  category,
  newTokens: [tokens],
  wallTime: [seconds],
  acceptLengths,
});

/** A plain answer in the form of Spec-Bench's report. */
export const baselineItem = ({ category, tokens, seconds }: Answer): BaselineItem => ({
  category,
  answerTokens: [tokens],
  wallTime: [seconds],
});
