/**
 * The command line: names, options and help. Commands are imported when they are run, so that `--help` and a wrong option
 * answer at once.
 */

import { readFileSync } from 'node:fs';
import { ggufRecipes } from '@gallop/formats';
import { Command, Option } from 'commander';
import { backendOptions, countValue, samplingOptions } from './options.ts';

const withOptions = (command: Command, options: readonly Option[]): Command => {
  for (const option of options) command.addOption(option);
  return command;
};

const modelOption = (): Option =>
  new Option('--model <file>', 'GGUF file, URL or hf:OWNER/NAME/FILE').makeOptionMandatory();

const rawOption = (): Option => new Option('--raw', 'give the prompt as it is, without the chat template');

/** The version in package.json, which lies one level up from the sources as well as from the bundle. */
const packageVersion = (): string => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
};

/** The program; `parseAsync` rejects with a CommanderError instead of exiting. */
export const createProgram = (): Command => {
  const program = new Command('gallop')
    .description('Generate text with language models, fast.')
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('Run with --help for all options.')
    .configureHelp({ showGlobalOptions: true });
  addGenerate(program);
  addChat(program);
  addBench(program);
  addInfo(program);
  addConvert(program);
  return program;
};

const addGenerate = (program: Command): void => {
  const command = program
    .command('generate')
    .description('write text after a prompt')
    .addOption(modelOption())
    .requiredOption('--prompt <text>', 'what to answer, or with --raw to continue')
    .addOption(rawOption())
    .option('--json', 'print one JSON object instead of streaming text')
    .action(async (flags) => (await import('./commands/generate.ts')).runGenerate(flags));
  withOptions(command, [...samplingOptions(), ...backendOptions()]);
};

const addChat = (program: Command): void => {
  const command = program
    .command('chat')
    .description('talk with a model; /reset forgets, /exit leaves, Ctrl-C stops an answer')
    .addOption(modelOption())
    .option('--system <text>', 'instructions that stand before the conversation')
    .action(async (flags) => (await import('./commands/chat.ts')).runChat(flags));
  withOptions(command, [...samplingOptions(), ...backendOptions()]);
};

const addBench = (program: Command): void => {
  const command = program
    .command('bench')
    .description('measure prompt and decoding speed, and what a pass over several rows costs')
    .addOption(modelOption())
    .addOption(new Option('--prompt-tokens <count>', 'prompt length').argParser(countValue).default(512))
    .addOption(new Option('--new-tokens <count>', 'tokens to decode').argParser(countValue).default(128))
    .addOption(new Option('--runs <count>', 'runs; medians are reported').argParser(countValue).default(5))
    .option('--json', 'print one JSON object')
    .action(async (flags) => (await import('./commands/bench.ts')).runBench(flags));
  withOptions(command, backendOptions());
};

const addInfo = (program: Command): void => {
  program
    .command('info')
    .description('show what a model file holds')
    .addOption(modelOption())
    .option('--json', 'print one JSON object')
    .action(async (flags) => (await import('./commands/info.ts')).runInfo(flags));
};

const addConvert = (program: Command): void => {
  program
    .command('convert')
    .description('write a model as a GGUF file with other weight types')
    .requiredOption('--model <path>', 'GGUF file, or folder with config.json and safetensors')
    .requiredOption('--out <file>', 'GGUF file to write')
    .addOption(new Option('--type <name>', 'weight type of most tensors').choices(ggufRecipes).default('Q8_0'))
    .action(async (flags) => (await import('./commands/convert.ts')).runConvert(flags));
};
