#!/usr/bin/env node
/** Entry of the `gallop` program: parses the arguments, runs one command and turns its outcome into an exit status. */

import { exitStatusOf } from './exit-status.ts';
import { createProgram } from './program.ts';

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = exitStatusOf(error, (line) => process.stderr.write(`${line}\n`));
}
