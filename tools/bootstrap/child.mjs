// Runs a program as if it had been started directly: its streams are ours, signals reach it, and we end as it ended.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs the program to its end; resolves to its exit status (128 + number when a signal ended it). */
export const runChild = (command, args, options) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the whole process group: the program has it already.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of forwarded) process.on(signal, forward);
    const settle = (finish, value) => {
      for (const signal of forwarded) process.off(signal, forward);
      finish(value);
    };
    child.on('error', (error) => settle(reject, error));
    child.on('close', (status, signal) => settle(resolve, signal ? 128 + constants.signals[signal] : status));
  });

/** Runs `main` as the whole program: its result is the exit status, and a failure is one line on stderr. */
export const runAsProgram = async (main) => {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  }
};
