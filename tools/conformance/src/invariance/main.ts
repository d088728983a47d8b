/**
 * `invariance`: whether every logit of the real models is the same to the bit however rows are batched, on every backend
 * variant of this machine. Prints a table; the exit status is 1 when anything differs.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { modelsFolder } from '../real-file.ts';
import { type SurveyResult, surveyModel } from './survey.ts';
import { listVariants } from './variants.ts';

const files = ['SmolLM2-135M-Instruct.Q4_1.gguf', 'gemma-3-270m-q4_k_m.gguf'];

const usage = `Usage: invariance [--journeys N] [--seconds S] [--threads LIST] [--only TEXT] [--activations q8|f32] [FILE.gguf ...]

  --journeys N       journeys on each variant, at most (default 30; each is a prompt in chunks and 8 calls)
  --seconds S        no journey begins later than this on a variant (default 180)
  --threads LIST     numbers of threads (default 1,2)
  --only TEXT        variants whose name contains this
  --activations A    q8 or f32 (default: both)
  FILE.gguf          default: ${files.join(', ')} in GALLOP_MODELS`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    journeys: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '180' },
    threads: { type: 'string', default: '1,2' },
    only: { type: 'string', default: '' },
    activations: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const count = (value: number): string => value.toLocaleString('en');

function resultRow(model: string, activations: string, result: SurveyResult): string {
  const { variant, threads, layouts, rows, logits, mismatches, seconds } = result;
  const counts = [layouts, rows, logits, mismatches.length].map(count);
  return row([model, activations, variant, threads, ...counts, seconds.toFixed(0)]);
}

async function main(): Promise<number> {
  const paths = (positionals.length > 0 ? positionals : files.map((name) => join(modelsFolder(), name))).filter(
    (path) => {
      const exists = existsSync(path);
      if (!exists) console.error(`skipped: ${path} is absent; set GALLOP_MODELS or run models:fetch`);
      return exists;
    },
  );
  const variants = listVariants(values.threads.split(',').map(Number)).filter(({ name }) => name.includes(values.only));
  const kinds = values.activations === undefined ? (['q8', 'f32'] as const) : [values.activations as 'q8' | 'f32'];
  console.log(
    row(['model', 'activations', 'backend', 'threads', 'layouts', 'rows', 'logits', 'different rows', 'seconds']),
  );
  console.log(row(Array(9).fill('---')));
  const differences: string[] = [];
  for (const path of paths)
    for (const activations of kinds) {
      const name = path.split('/').at(-1)!;
      const onResult = (result: SurveyResult): void => console.log(resultRow(name, activations, result));
      const budget = { journeys: Number(values.journeys), seconds: Number(values.seconds) };
      const results = await surveyModel({ path, activations, variants, ...budget, onResult });
      differences.push(
        ...results.flatMap(({ variant, mismatches }) => mismatches.map((text) => `${variant}: ${text}`)),
      );
    }
  for (const difference of differences.slice(0, 20)) console.error(difference);
  return differences.length > 0 || paths.length === 0 ? 1 : 0;
}

if (values.help) console.log(usage);
else process.exitCode = await main();
