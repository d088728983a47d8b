/**
 * `gallop bench`: how fast one model runs here. Prompt and decoding speed are medians of several runs after one that is
 * not counted; the table says what a forward pass over M rows costs compared with one row, which is what decides whether
 * drafting pays. It shows the fastest passes: other programs can only add time to them.
 */

import { type GenerationResult, generate, type Model } from 'gallop';
import { withInterrupt } from '../interrupt.ts';
import { loadOptionsOf, type ModelOptions } from '../options.ts';
import { formatBytes, formatCount, formatDuration, formatNumber, median } from '../terminal/format.ts';
import { StatusLine } from '../terminal/status-line.ts';
import { loadWithProgress } from './load.ts';

export interface BenchFlags extends ModelOptions {
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly runs: number;
  readonly json?: true;
}

/** Cost of a pass over several rows. */
export interface PassCost {
  readonly rows: number;
  /** Of the fastest pass. */
  readonly milliseconds: number;
  /** Compared with one row. */
  readonly ratio: number;
}

/** What a bench run found. */
interface Report extends Speed {
  readonly backend: string;
  readonly threads: number;
  readonly loadMilliseconds: number;
  readonly peakMemoryBytes: number;
  readonly passes: readonly PassCost[];
}

/** Passes of each row count for every run asked for: they are short. */
const ROUNDS_PER_RUN = 4;
const KIBIBYTE = 1024;
const ROW_COUNTS = [1, 2, 4, 8, 16, 32, 64] as const;

export const runBench = (flags: BenchFlags): Promise<void> =>
  withInterrupt(async (signal) => {
    const { model, loadMilliseconds } = await loadWithProgress(flags.model, { ...loadOptionsOf(flags), signal });
    try {
      using status = new StatusLine(process.stderr, false);
      const speed = await measureSpeed(model, flags, signal, (line) => status.update(line));
      const passes = await measurePasses(model, flags, signal, (line) => status.update(line));
      status.close();
      const peakMemoryBytes = process.resourceUsage().maxRSS * KIBIBYTE;
      const { backend, threads } = model;
      const report: Report = { backend, threads, loadMilliseconds, ...speed, peakMemoryBytes, passes };
      process.stdout.write(flags.json === true ? `${JSON.stringify(report)}\n` : textOf(report, flags));
    } finally {
      model.dispose();
    }
  });

interface Speed {
  readonly firstTokenMilliseconds: number;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}

/** Ids spread over the vocabulary without its end tokens; speed does not depend on what they mean. */
const filler = ({ languageModel: { vocabSize, tokens } }: Model, count: number): Int32Array => {
  const ids = new Int32Array(count);
  for (let i = 0, id = 1; i < count; i++) {
    do id = (id + 7919) % vocabSize;
    while (tokens.endOfGeneration.has(id));
    ids[i] = id;
  }
  return ids;
};

const measureSpeed = async (
  model: Model,
  { promptTokens, newTokens, runs }: BenchFlags,
  signal: AbortSignal,
  show: (line: string) => void,
): Promise<Speed> => {
  const prompt = filler(model, promptTokens);
  const results: GenerationResult[] = [];
  for (let run = 0; run <= runs; run++) {
    show(`speed: run ${run} of ${runs}`);
    const result = await generate(model, prompt, { maxTokens: newTokens, ignoreEnd: true, signal }).result;
    if (run > 0) results.push(result);
  }
  const middle = (field: keyof Speed): number => median(results.map((result) => result[field]));
  return {
    firstTokenMilliseconds: middle('firstTokenMilliseconds'),
    prefillTokensPerSecond: middle('prefillTokensPerSecond'),
    decodeTokensPerSecond: middle('decodeTokensPerSecond'),
  };
};

/** Times passes over M rows after a prompt, without keeping them; row counts take turns, so that drifts hit all alike. */
const measurePasses = async (
  model: Model,
  { promptTokens, runs }: BenchFlags,
  signal: AbortSignal,
  show: (line: string) => void,
): Promise<readonly PassCost[]> => {
  await using session = model.languageModel.openSession();
  const prompt = filler(model, promptTokens);
  await session.forward({ ids: prompt, signal });
  session.commit(Int32Array.from(prompt.keys()));
  const room = model.languageModel.contextLength - promptTokens;
  const counts = ROW_COUNTS.filter((rows) => rows <= room);
  const fastest = counts.map(() => Number.POSITIVE_INFINITY);
  const rounds = runs * ROUNDS_PER_RUN;
  for (let round = 0; round <= rounds; round++) {
    show(`passes: round ${round} of ${rounds}`);
    for (const [index, rows] of counts.entries()) {
      const start = performance.now();
      await session.forward({ ids: filler(model, rows), want: { logits: 'all', topK: 1 }, signal });
      const milliseconds = performance.now() - start;
      session.commit(new Int32Array(0));
      if (round > 0) fastest[index] = Math.min(fastest[index], milliseconds);
    }
  }
  return counts.map((rows, i) => ({ rows, milliseconds: fastest[i], ratio: fastest[i] / fastest[0] }));
};

const textOf = (report: Report, { promptTokens, newTokens, runs }: BenchFlags): string =>
  [
    `${report.backend}, ${formatCount(report.threads, 'thread')}; medians of ${formatCount(runs, 'run')}, prompt ${promptTokens}, ${newTokens} new tokens`,
    `load         ${formatDuration(report.loadMilliseconds)}`,
    `first token  ${formatDuration(report.firstTokenMilliseconds)}`,
    `prompt       ${formatNumber(report.prefillTokensPerSecond)} tokens/s`,
    `decode       ${formatNumber(report.decodeTokensPerSecond)} tokens/s`,
    `peak memory  ${formatBytes(report.peakMemoryBytes)}`,
    '',
    `fastest pass over M rows after ${promptTokens}`,
    'rows  milliseconds  c(M)/c(1)',
    ...report.passes.map(({ rows, milliseconds, ratio }) => {
      return `${String(rows).padStart(4)}  ${milliseconds.toFixed(2).padStart(12)}  ${ratio.toFixed(2).padStart(9)}`;
    }),
    '',
  ].join('\n');
