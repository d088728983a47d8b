/**
 * The command `fuzz`: throws made-up files and texts at everything that reads them. Exit status 1 when something was found,
 * 2 for wrong arguments.
 *
 *   fuzz [--minutes 10] [--target NAME]... [--seed N] [--folder DIR]      look for findings
 *   fuzz --replay FILE                                                    run one finding again
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { GallopError, requireArgument } from '@gallop/core';
import { runCampaign } from './campaign.ts';
import { readReproducer } from './reproducer.ts';
import { runCase } from './run-case.ts';
import type { FuzzInput, FuzzTarget } from './target.ts';
import { targets } from './targets/index.ts';

function chosen(names: readonly string[]): readonly FuzzTarget<FuzzInput>[] {
  const known = targets.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  requireArgument(unknown === undefined, () => `Expected targets among ${known.join(', ')}; received ${unknown}.`);
  return names.length === 0 ? targets : targets.filter(({ name }) => names.includes(name));
}

function positive(text: string, name: string): number {
  const value = Number(text);
  requireArgument(
    Number.isFinite(value) && value > 0,
    () => `Expected a positive number after --${name}; received ${text}.`,
  );
  return value;
}

async function replay(file: string): Promise<number> {
  const { target: name, input } = readReproducer(file);
  const [target] = chosen([name]);
  const verdict = await runCase(target, input);
  console.log(verdict.kind === 'finding' ? `FOUND ${name}: ${verdict.what}` : `${name}: ${verdict.kind}`);
  return verdict.kind === 'finding' ? 1 : 0;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      target: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      folder: { type: 'string', default: path.join('node_modules', '.fuzz') },
      replay: { type: 'string' },
    },
  });
  if (values.replay !== undefined) return replay(values.replay);
  const milliseconds = positive(values.minutes, 'minutes') * 60_000;
  const seed = positive(values.seed, 'seed');
  console.log(`seed ${seed}, ${values.minutes} minutes`);
  const results = await runCampaign({
    targets: chosen(values.target),
    module: new URL('./targets/index.ts', import.meta.url).href,
    seed,
    milliseconds,
    folder: path.resolve(values.folder),
    report: console.log,
  });
  return results.some(({ findings }) => findings.length > 0) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isArgument = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  if (!GallopError.isInstance(error) && !isArgument) throw error;
  console.error((error as Error).message);
  process.exitCode = 2;
}
