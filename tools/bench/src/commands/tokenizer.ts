/**
 * `bench tokenizer`: how fast a large vocabulary loads and text is encoded, beside other libraries with the same
 * tokenizer.json. Libraries take turns, each time in a fresh process that is warmed up with other texts of the same kind;
 * the fastest run of each counts, and all must agree on the number of tokens.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GallopError } from '@gallop/core';
import { openGguf } from '@gallop/formats';
import { openFile } from '@gallop/formats/node';
import { type TokenizerLibrary, tokenizerLibraries } from '../engines/tokenizers.ts';
import type { Progress } from '../harness/progress.ts';
import { interleave } from '../harness/rounds.ts';
import type { Code } from '../harness/worker-process.ts';
import { type Corpus, corpora } from '../inputs/corpora.ts';
import { findModels, realModels } from '../inputs/models.ts';
import { tokenizerJson } from '../inputs/vocabulary.ts';
import type { Report } from '../report/report.ts';
import { type TokenizerResult, tokenizerSections } from '../report/tokenizer-sections.ts';
import type { TokenizeRun } from '../workers/tokenize.ts';

export interface TokenizerOptions {
  readonly modelsFolder: string;
  readonly peers: string;
  /** Python interpreter to look for the Rust library in. */
  readonly python: string;
  readonly vocabulary: number;
  readonly rounds: number;
  /** How long texts of the same kind are encoded before those that are measured. */
  readonly warmUpMilliseconds: number;
  readonly code: Code;
}

/** A run, or why it failed. */
type Attempt = TokenizeRun | { readonly failed: string };

/** @throws GallopError `not-found` without SmolLM2, whose vocabulary is used */
export const runTokenizer = async (options: TokenizerOptions, progress: Progress): Promise<Report> => {
  const [model] = findModels([path.join(options.modelsFolder, realModels[0])], options.modelsFolder);
  const { libraries, skipped } = tokenizerLibraries(options.peers, options.python, options.code);
  const folder = mkdtempSync(path.join(tmpdir(), 'gallop-bench-tokenizer-'));
  try {
    const tokenizer = path.join(folder, 'tokenizer.json');
    using file = await openGguf(await openFile(model));
    writeFileSync(tokenizer, tokenizerJson(file.metadata, options.vocabulary));
    const results: TokenizerResult[] = [];
    for (const corpus of corpora()) {
      results.push(await measureCorpus(corpus, libraries, { ...options, tokenizer, folder }, progress));
    }
    return {
      name: 'tokenizer',
      title: `Tokenizers with ${options.vocabulary} tokens (byte-level BPE): best of ${options.rounds}, one thread`,
      sections: tokenizerSections(
        results,
        libraries.map(({ name }) => name),
      ),
      skipped,
      data: { options, results },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const measureCorpus = async (
  corpus: Corpus,
  libraries: readonly TokenizerLibrary[],
  {
    tokenizer,
    folder,
    rounds,
    warmUpMilliseconds,
  }: TokenizerOptions & { readonly tokenizer: string; readonly folder: string },
  progress: Progress,
): Promise<TokenizerResult> => {
  const { name, documents } = corpus;
  const file = path.join(folder, 'corpus.json');
  writeFileSync(file, JSON.stringify(corpus));
  const given = new Map<string, Attempt>();
  const samplers = libraries.map((library) => ({
    name: library.name,
    sample: async (): Promise<Attempt> => {
      // What failed once, by the time limit for example, fails again.
      const earlier = given.get(library.name);
      const measured = earlier ?? (await attempt(() => library.run({ tokenizer, corpus: file, warmUpMilliseconds })));
      if ('failed' in measured) given.set(library.name, measured);
      return measured;
    },
  }));
  const attempts = await interleave(samplers, rounds, (library, round) => {
    progress(`${name}: round ${round + 1} of ${rounds}, ${library}`);
  });
  return {
    corpus: name,
    bytes: documents.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    libraries: libraries.map((library) => ({ name: library.name, ...summaryOf(attempts.get(library.name) ?? []) })),
  };
};

const attempt = async (run: () => Promise<TokenizeRun>): Promise<Attempt> => {
  try {
    return await run();
  } catch (error) {
    if (!GallopError.isInstance(error)) throw error;
    return { failed: error.message };
  }
};

const summaryOf = (attempts: readonly Attempt[]): Omit<TokenizerResult['libraries'][number], 'name'> => {
  const runs = attempts.filter((run) => 'tokens' in run);
  const failure = attempts.find((run) => 'failed' in run);
  if (failure !== undefined && 'failed' in failure) return { failed: failure.failed };
  return {
    bytesPerSecond: Math.max(...runs.map((run) => run.bytesPerSecond)),
    loadMilliseconds: Math.min(...runs.map((run) => run.loadMilliseconds)),
    tokens: runs[0].tokens,
  };
};
