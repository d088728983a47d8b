/**
 * Row invariance of a real model: random journeys through sessions on every backend variant, each row compared to the bit
 * with one token at a time on the best one. The text that prompts begin with is this repository's license.
 */
import { readFileSync } from 'node:fs';
import type { LanguageModel } from '@gallop/core';
import { openGguf } from '@gallop/formats';
import { openFile } from '@gallop/formats/node';
import { loadLanguageModel } from '@gallop/models';
import { type JourneyReport, Oracle, runJourney } from '@gallop/models/testing';
import { tokenizerFromGguf } from '@gallop/tokenizer';
import type { Variant } from './variants.ts';

export interface SurveyOptions {
  /** A GGUF file. */
  readonly path: string;
  readonly activations: 'q8' | 'f32';
  readonly variants: readonly Variant[];
  /** Journeys on each variant, at most; seeds are 1, 2, … */
  readonly journeys: number;
  /** No journey begins later than this on a variant. Default: no limit. */
  readonly seconds?: number;
  /** Steps of each journey after its prompt. Default 8. */
  readonly steps?: number;
  /** Tokens of the longest prompt. Default 300: beyond two pages of the cache. */
  readonly promptTokens?: number;
  /** Rows of a call, at most. Default 32. */
  readonly maximumRows?: number;
  /** Position of the first token. Default 0. */
  readonly firstPosition?: number;
  /** Told after each variant. */
  readonly onResult?: (result: SurveyResult) => void;
}

export interface SurveyResult extends JourneyReport {
  readonly variant: string;
  readonly threads: number;
  readonly seconds: number;
}

/** A model on a backend of its own. */
interface Loaded extends Disposable {
  readonly model: LanguageModel;
  readonly document: readonly number[];
}

async function load({ path, activations, promptTokens = 300 }: SurveyOptions, variant: Variant): Promise<Loaded> {
  using file = await openGguf(openFile(path));
  const backend = await variant.open();
  const model = await loadLanguageModel(file, backend, { activations });
  const text = readFileSync(new URL('../../../../LICENSE', import.meta.url), 'utf8').slice(0, promptTokens * 20);
  const document = [...tokenizerFromGguf(file.metadata).encode(text)].slice(0, promptTokens);
  const dispose = (): void => {
    model.dispose();
    backend.dispose();
  };
  return { model, document, [Symbol.dispose]: dispose };
}

/** Surveys the variants one after the other. */
export async function surveyModel(options: SurveyOptions): Promise<SurveyResult[]> {
  const { variants, onResult, firstPosition = 0 } = options;
  using best = await load(options, { ...variants[0], threads: 1 });
  await using oracle = new Oracle(best.model, best.document, firstPosition);
  const results: SurveyResult[] = [];
  for (const variant of variants) {
    const result = await surveyVariant(options, variant, oracle);
    results.push(result);
    onResult?.(result);
  }
  return results;
}

async function surveyVariant(options: SurveyOptions, variant: Variant, oracle: Oracle): Promise<SurveyResult> {
  const { journeys, seconds = Number.POSITIVE_INFINITY, steps = 8, maximumRows = 32, firstPosition = 0 } = options;
  using loaded = await load(options, variant);
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  const total = { layouts: 0, rows: 0, logits: 0, mismatches: [] as string[] };
  for (let seed = 1; seed <= journeys && elapsed() < seconds; seed++) {
    const { document, model } = loaded;
    const report = await runJourney(model, oracle, { seed, steps, document, maximumRows, firstPosition });
    total.layouts += report.layouts;
    total.rows += report.rows;
    total.logits += report.logits;
    total.mismatches.push(...report.mismatches);
  }
  return { ...total, variant: variant.name, threads: variant.threads, seconds: elapsed() };
}
