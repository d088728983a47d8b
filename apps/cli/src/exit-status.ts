/**
 * What a failure means to the shell: 2 for a wrong command line (commander has explained it by then), 130 for Ctrl-C,
 * 1 for everything else, with one clear line. Stack traces are for errors that are not of the project's class.
 */

import { GallopError } from '@gallop/core';
import { CommanderError } from 'commander';
import { Interrupted } from './interrupt.ts';

const USAGE = 2;
const INTERRUPTED = 130;

/** Exit status of an error; prints what the user should read. */
export const exitStatusOf = (error: unknown, print: (line: string) => void): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  if (error instanceof Interrupted) return INTERRUPTED;
  if (GallopError.isInstance(error)) print(`gallop: ${error.code}: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}`);
  else print(`gallop: unexpected error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
};
