/**
 * `bench decode`: how fast prompts are read and text is written, beside another library. Every engine is first tuned to
 * this machine on the same work, then all are measured in turns, each time in a fresh process or page.
 */

import { GallopError } from '@gallop/core';
import { type GgufFile, openGguf } from '@gallop/formats';
import { openFile } from '@gallop/formats/node';
import { cacheBytesPerToken, weightBytesPerToken } from '../bandwidth/bytes-per-token.ts';
import { BandwidthMeter } from '../bandwidth/read-bandwidth.ts';
import type { Comparison } from '../engines/comparison.ts';
import { type Engine, type Workload, workSeconds } from '../engines/engine.ts';
import { compareInNode } from '../engines/node-comparison.ts';
import type { Progress } from '../harness/progress.ts';
import { interleave } from '../harness/rounds.ts';
import { minimum } from '../harness/statistics.ts';
import { type Settings, tune } from '../harness/tuning.ts';
import type { Code } from '../harness/worker-process.ts';
import { findModels, modelName } from '../inputs/models.ts';
import { modelPrompt } from '../inputs/prompt.ts';
import { type DecodeResult, decodeSections } from '../report/decode-sections.ts';
import type { Report } from '../report/report.ts';

export interface DecodeOptions {
  readonly against?: 'node-llama-cpp' | 'wllama';
  readonly models: readonly string[];
  readonly modelsFolder: string;
  readonly peers: string;
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly rounds: number;
  /** Thread counts to try. */
  readonly threads: readonly number[];
  readonly code: Code;
}

/** @throws GallopError `not-found` for a model, a peer or a browser that is missing, or what an engine reports */
export const runDecode = async (options: DecodeOptions, progress: Progress): Promise<Report> => {
  const models = findModels(options.models, options.modelsFolder);
  await using comparison = await compare(options);
  const results: DecodeResult[] = [];
  for (const model of models) results.push(await measureModel(model, comparison, options, progress));
  const beside = options.against === undefined ? '' : ` beside ${options.against}`;
  return {
    name: options.against === undefined ? 'decode' : `decode-${options.against}`,
    title: `Prompt and decoding speed${beside}: prompt ${options.promptTokens}, ${options.newTokens} new tokens, greedy; medians of ${options.rounds}`,
    sections: results.flatMap((result) => decodeSections(result, comparison.goals)),
    skipped: comparison.skipped,
    data: { options: { ...options, models }, results },
  };
};

/** The bundler and the browser's driver are only loaded where they are needed. */
const compare = async (options: DecodeOptions): Promise<Comparison> => {
  if (options.against !== 'wllama') return compareInNode(options);
  const { compareInBrowser } = await import('../engines/browser-comparison.ts');
  return compareInBrowser(options);
};

const measureModel = async (
  model: string,
  { engines, readsMemory, tuning }: Comparison,
  options: DecodeOptions,
  progress: Progress,
): Promise<DecodeResult> => {
  using file = await openGguf(await openFile(model));
  const work = workloadOf(file, model, options);
  const name = modelName(model);
  const tuned: { engine: Engine; settings: Settings }[] = [];
  for (const engine of engines) {
    progress(`${name}: tuning ${engine.name}`);
    tuned.push({ engine, settings: await tuneEngine(engine, work, tuning) });
  }
  using meter = new BandwidthMeter();
  const samplers = tuned.map(({ engine, settings }) => ({
    name: engine.name,
    sample: () => engine.run(work, settings),
  }));
  const samples = await interleave(samplers, options.rounds, (engine, round, run) => {
    progress(
      `${name}: round ${round + 1} of ${options.rounds}, ${engine}: ${run.decodeTokensPerSecond.toFixed(1)} tokens/s`,
    );
    if (readsMemory && engine === engines[0].name) meter.measure(Number(tuned[0].settings.threads));
  });
  return {
    model: name,
    engines: tuned.map(({ engine, settings }) => {
      return { name: engine.name, role: engine.role, settings, runs: samples.get(engine.name) ?? [] };
    }),
    bytesPerToken: weightBytesPerToken(file) + cacheBytesPerToken(file, options.promptTokens + options.newTokens / 2),
    bandwidth: meter.best,
  };
};

const workloadOf = (file: GgufFile, model: string, { promptTokens, newTokens }: DecodeOptions): Workload => {
  const architecture = file.metadata.string('general.architecture');
  const room = file.metadata.number(`${architecture}.context_length`);
  if (promptTokens + newTokens > room) {
    throw new GallopError(
      'context-overflow',
      `Expected at most ${room} tokens in all for ${modelName(model)}; received ${promptTokens} + ${newTokens}; ask for fewer.`,
    );
  }
  const { ids, text } = modelPrompt(file.metadata, promptTokens);
  return { model, promptIds: ids, promptText: text, newTokens };
};

const tuneEngine = (
  engine: Engine,
  { model, promptIds, promptText, newTokens }: Workload,
  { workShare, runs }: Comparison['tuning'],
): Promise<Settings> => {
  const work: Workload = {
    model,
    promptIds: promptIds.slice(0, Math.ceil(promptIds.length * workShare)),
    promptText: promptText.slice(0, Math.ceil(promptText.length * workShare)),
    newTokens: Math.max(2, Math.ceil(newTokens * workShare)),
  };
  return tune(engine.start, engine.axes, async (settings) => {
    const seconds: number[] = [];
    for (let run = 0; run < runs; run++) seconds.push(workSeconds(await engine.run(work, settings), work));
    return minimum(seconds);
  });
};
