/** Entry of `bench`: parses the arguments, runs one benchmark and turns its outcome into an exit status. */

import { GallopError } from '@gallop/core';
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';

const USAGE = 2;

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE;
  else if (GallopError.isInstance(error)) {
    process.stderr.write(`bench: ${error.code}: ${error.message}\n`);
    process.exitCode = 1;
  } else throw error;
}
