/** `models:fetch [NAME…]`: fetches the named model files (all without a name) into the folder GALLOP_MODELS. */

import { constants } from 'node:os';
import path from 'node:path';
import { GallopError, requireArgument } from '@gallop/core';
import { catalogue } from './catalogue.ts';
import { fetchModel } from './fetch.ts';

const report = (line: string): void => void process.stderr.write(`[models] ${line}\n`);

const main = async (names: readonly string[]): Promise<void> => {
  const known = catalogue.map((model) => model.name);
  const unknown = names.find((name) => !known.includes(name));
  requireArgument(unknown === undefined, () => `expected names among ${known.join(', ')}; received ${unknown}`);
  const folder = path.resolve(process.env.GALLOP_MODELS || 'models');
  for (const model of catalogue.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const outcome = await fetchModel(model, folder, report);
    report(`${model.file}: ${outcome} in ${folder}`);
  }
};

// Leaving through process.exit lets the exit handlers stop pip and remove what is unfinished.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!GallopError.isInstance(error)) throw error;
  report(`error: ${error.message}`);
  process.exitCode = 1;
}
