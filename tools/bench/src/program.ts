/** The command line of the benchmarks: names, options and help. Each command is imported when it is run. */

import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Command, Option } from 'commander';
import type { DraftMethod } from 'gallop';
import { buildPackages } from './harness/build.ts';
import { describeMachine } from './harness/machine.ts';
import { type Progress, progressTo } from './harness/progress.ts';
import { threadCounts } from './harness/tuning.ts';
import type { Code } from './harness/worker-process.ts';
import { realModels } from './inputs/models.ts';
import { append, countFrom, countsValue } from './options.ts';
import { type OutputOptions, writeData, writeReport } from './output.ts';
import type { Report } from './report/report.ts';
import { FULL, QUICK } from './sizes.ts';

/** Where the workspace keeps tools that npm installs, and peers unless told otherwise. */
const DEFAULT_PEERS = '.tools/peers';

interface CommonFlags extends OutputOptions {
  readonly source?: true;
}

const peersOption = (): Option =>
  new Option('--peers <folder>', 'where npm installed the other libraries')
    .env('GALLOP_BENCH_PEERS')
    .default(DEFAULT_PEERS);

const modelOption = (): Option =>
  new Option('--model <file>', 'GGUF file; may be given several times (default: the real models)').argParser(append);

const countOption = (flags: string, description: string, least: number, normal: number): Option =>
  new Option(flags, description).argParser(countFrom(least)).default(normal);

const withCommon = (command: Command): Command =>
  command
    .option('--source', 'measure the TypeScript sources without building; they start slower')
    .option('--json <file>', 'write everything measured to this file')
    .option('--markdown', 'print Markdown')
    .option('--update <file>', 'replace the block of this benchmark in this Markdown document');

/** What the environment says, and the code to measure: built first unless the sources are asked for. */
const surroundings = ({ source }: CommonFlags) => {
  if (source !== true) buildPackages();
  return {
    modelsFolder: process.env.GALLOP_MODELS || 'models',
    python: process.env.GALLOP_BENCH_PYTHON || 'python3',
    cores: availableParallelism(),
    code: (source === true ? 'source' : 'built') as Code,
  };
};

/** Runs one benchmark and writes its report. */
const perform = async (flags: CommonFlags, run: (progress: Progress) => Promise<Report>): Promise<void> => {
  const machine = describeMachine();
  const report = await run(progressTo(process.stderr));
  writeReport(report, machine, flags);
  writeData([report], machine, flags);
};

/** The program; `parseAsync` rejects with a CommanderError instead of exiting. */
export const createProgram = (): Command => {
  const program = new Command('bench')
    .description('Measure Gallop: against other libraries, and against the machine.')
    .exitOverride()
    .showHelpAfterError('Run with --help for all options.');
  addDecode(program);
  addVerify(program);
  addTokenizer(program);
  addSpec(program);
  addAll(program);
  return program;
};

interface DecodeFlags extends CommonFlags {
  readonly against?: 'node-llama-cpp' | 'wllama';
  readonly peers: string;
  readonly model?: readonly string[];
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly rounds: number;
  readonly threads?: readonly number[];
}

const addDecode = (program: Command): void => {
  const command = program
    .command('decode')
    .description('speed of prompts and of decoding, time to the first token, memory')
    .addOption(new Option('--against <library>', 'measure this one in turns').choices(['node-llama-cpp', 'wllama']))
    .addOption(peersOption())
    .addOption(modelOption())
    .addOption(countOption('--prompt-tokens <count>', 'prompt length', 1, FULL.promptTokens))
    .addOption(countOption('--new-tokens <count>', 'tokens to write', 2, FULL.newTokens))
    .addOption(countOption('--rounds <count>', 'measurements of each engine', 1, FULL.decodeRounds))
    .addOption(
      new Option('--threads <list>', 'thread counts to try (default: one up to all cores)').argParser(countsValue),
    )
    .action(async ({ model: models = [], ...flags }: DecodeFlags) => {
      const { runDecode } = await import('./commands/decode.ts');
      await perform(flags, (progress) => {
        const around = surroundings(flags);
        return runDecode({ threads: threadCounts(around.cores), ...flags, models, ...around }, progress);
      });
    });
  withCommon(command);
};

interface VerifyFlags extends CommonFlags {
  readonly model?: readonly string[];
  readonly rows: readonly number[];
  readonly contexts: readonly number[];
  readonly variant?: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly threads?: number;
  readonly chart?: string;
}

const addVerify = (program: Command): void => {
  const command = program
    .command('verify')
    .description('cost of a pass over M rows compared with one, by backend and instruction set')
    .addOption(modelOption())
    .addOption(new Option('--rows <list>', 'row counts M').argParser(countsValue).default(FULL.rows, FULL.rows.join()))
    .addOption(
      new Option('--contexts <list>', 'rows before each pass')
        .argParser(countsValue)
        .default(FULL.contexts, FULL.contexts.join()),
    )
    .addOption(new Option('--variant <name>', 'instruction set; several times (default: all)').argParser(append))
    .addOption(countOption('--rounds <count>', 'most passes of each M', 1, FULL.verifyRounds))
    .addOption(countOption('--seconds <count>', 'most seconds for each table row', 1, FULL.verifySeconds))
    .addOption(new Option('--threads <count>', 'threads to compute with (default: all cores)').argParser(countFrom(1)))
    .option('--chart <file>', 'draw the first model as SVG')
    .action(async ({ model: models = [], variant: variants = [], chart, ...flags }: VerifyFlags) => {
      const { drawVerify, runVerify } = await import('./commands/verify.ts');
      await perform(flags, async (progress) => {
        const around = surroundings(flags);
        const report = await runVerify({ threads: around.cores, ...flags, models, variants, ...around }, progress);
        if (chart !== undefined) await drawVerify(report, chart);
        return report;
      });
    });
  withCommon(command);
};

interface TokenizerFlags extends CommonFlags {
  readonly peers: string;
  readonly vocabulary: number;
  readonly rounds: number;
  readonly warmUpMilliseconds: number;
}

const addTokenizer = (program: Command): void => {
  const command = program
    .command('tokenizer')
    .description('loading and encoding speed of tokenizers')
    .addOption(peersOption())
    .addOption(countOption('--vocabulary <count>', 'tokens of the tokenizer', 50_000, FULL.vocabulary))
    .addOption(countOption('--rounds <count>', 'measurements of each library', 1, FULL.tokenizerRounds))
    .addOption(countOption('--warm-up-milliseconds <count>', 'before each', 1, FULL.warmUpMilliseconds))
    .action(async (flags: TokenizerFlags) => {
      const { runTokenizer } = await import('./commands/tokenizer.ts');
      await perform(flags, (progress) => runTokenizer({ ...flags, ...surroundings(flags) }, progress));
    });
  withCommon(command);
};

interface SpecFlags extends CommonFlags {
  readonly model?: readonly string[];
  readonly questions?: string;
  readonly perCategory: number;
  readonly method?: readonly DraftMethod[];
  readonly temperature?: readonly string[];
  readonly newTokens: number;
  readonly backend: 'native' | 'wasm';
  readonly threads?: number;
  readonly quick?: true;
}

const addSpec = (program: Command): void => {
  const command = program
    .command('spec')
    .description('what drafting gains on the questions of Spec-Bench, and that it changes no token')
    .addOption(modelOption())
    .option('--questions <file>', "Spec-Bench's question.jsonl (default: one question of each category)")
    .addOption(countOption('--per-category <count>', 'questions of each category at most', 1, 1000))
    .addOption(new Option('--method <name>', 'drafting method; several times (default: auto)').argParser(append))
    .addOption(new Option('--temperature <number>', 'several times (default: 0 and 0.8)').argParser(append))
    .addOption(countOption('--new-tokens <count>', 'tokens of an answer at most', 2, FULL.newTokens))
    .addOption(new Option('--backend <name>', 'what computes').choices(['native', 'wasm']).default('native'))
    .addOption(new Option('--threads <count>', 'threads to compute with').argParser(countFrom(1)))
    .option('--quick', 'one model, greedy, short answers: to see that everything runs, not how fast')
    .action(
      async ({
        model: models = [],
        method: methods = ['auto'],
        temperature = ['0', '0.8'],
        quick,
        ...flags
      }: SpecFlags) => {
        const { runSpec } = await import('./commands/spec.ts');
        const { modelsFolder } = surroundings(flags);
        const size = quick
          ? {
              models: models.length > 0 ? models : [path.join(modelsFolder, realModels[0])],
              temperatures: [0],
              newTokens: 24,
              perCategory: 1,
            }
          : { models, temperatures: temperature.map(Number) };
        await perform(flags, (progress) => runSpec({ ...flags, methods, modelsFolder, ...size }, progress));
      },
    );
  withCommon(command);
};

interface AllFlags extends CommonFlags {
  readonly peers: string;
  readonly quick?: true;
}

const addAll = (program: Command): void => {
  const command = program
    .command('all')
    .description('every benchmark, one after the other')
    .addOption(peersOption())
    .option('--quick', 'small work and few rounds: to see that everything runs, not how fast')
    .action(async (flags: AllFlags) => {
      const { runAll } = await import('./commands/all.ts');
      const machine = describeMachine();
      const options = { ...surroundings(flags), peers: flags.peers, sizes: flags.quick === true ? QUICK : FULL };
      const { reports, complete } = await runAll(options, progressTo(process.stderr), (report) => {
        writeReport(report, machine, flags);
      });
      writeData(reports, machine, flags);
      if (!complete) process.exitCode = 1;
    });
  withCommon(command);
};
