/** `bench spec`: what drafting gains on real questions, by method and kind of question, and that it changes no token. */

import { readFileSync } from 'node:fs';
import { GallopError } from '@gallop/core';
import { type DraftMethod, loadModel } from 'gallop';
import type { Progress } from '../harness/progress.ts';
import { findModels, modelName } from '../inputs/models.ts';
import type { Report, Section } from '../report/report.ts';
import { specSections } from '../report/spec-sections.ts';
import { measureSpeculation, type Question, type SpeculativeResult } from '../speculative-bench.ts';

export interface SpecOptions {
  readonly models: readonly string[];
  readonly modelsFolder: string;
  /** A `question.jsonl` of Spec-Bench; without it, the questions kept in this repository. */
  readonly questions?: string;
  /** Questions of each category at most. */
  readonly perCategory: number;
  readonly methods: readonly DraftMethod[];
  readonly temperatures: readonly number[];
  readonly newTokens: number;
  readonly backend: 'native' | 'wasm';
  readonly threads?: number;
}

const kept = new URL('../../../../packages/gallop/src/testing/spec-bench/questions.json', import.meta.url);

/** @throws GallopError `not-found` or `invalid-file` for a file of questions that is none */
const readQuestions = ({ questions, perCategory }: SpecOptions): Question[] => {
  const counts = new Map<string, number>();
  return parseQuestions(questions ?? kept).filter(({ category }) => {
    counts.set(category, (counts.get(category) ?? 0) + 1);
    return counts.get(category)! <= perCategory;
  });
};

const parseQuestions = (file: string | URL): Question[] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new GallopError(
      'not-found',
      `Expected a file of questions; received ${file}, which cannot be read; name another.`,
      { cause },
    );
  }
  try {
    return text.startsWith('[')
      ? JSON.parse(text)
      : text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
  } catch (cause) {
    throw new GallopError(
      'invalid-file',
      `Expected one JSON question a line in ${file}; fetch Spec-Bench's question.jsonl again.`,
      { cause },
    );
  }
};

/** @throws GallopError `not-found` for models or questions that are missing, or what loading reports */
export const runSpec = async (options: SpecOptions, progress: Progress): Promise<Report> => {
  const questions = readQuestions(options);
  const sections: Section[] = [];
  const results: { readonly model: string; readonly runs: readonly SpeculativeResult[] }[] = [];
  for (const file of findModels(options.models, options.modelsFolder)) {
    const { backend, threads } = options;
    using model = await loadModel(file, { backend, ...(threads !== undefined && { threads }) });
    progress(modelName(file));
    const runs = await measureSpeculation(model, { ...options, questions }, progress);
    results.push({ model: modelName(file), runs });
    sections.push(...runs.flatMap((run) => specSections(`${modelName(file)} on ${backend}`, run)));
  }
  return {
    name: 'spec',
    title: `Drafting on Spec-Bench: ${questions.length} questions, first turns, up to ${options.newTokens} tokens, learning across questions`,
    sections,
    skipped: [],
    data: { options, results },
  };
};
