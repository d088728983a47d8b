/** The frame of a worker program: takes the task, sends the result or the error, and ends. */

import { readFileSync } from 'node:fs';
import { GallopError } from '@gallop/core';
import type { WorkerMessage, WorkerTask } from '../harness/worker-process.ts';

/** The task of this process and how long ago the process was started. */
export interface Job<Task> {
  readonly task: Task;
  /** Milliseconds since just before this process was started. */
  age(): number;
}

const send = <Result>(message: WorkerMessage<Result>): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send?.(message, (error: Error | null) => (error ? reject(error) : resolve()));
  });

/** Does the job that the command line names and sends its result to the parent process. */
export const serve = async <Task, Result>(run: (job: Job<Task>) => Promise<Result>): Promise<void> => {
  const { startedAt, task } = JSON.parse(process.argv[2] ?? '{}') as WorkerTask<Task>;
  try {
    const result = await run({ task, age: () => performance.timeOrigin + performance.now() - startedAt });
    await send({ result });
  } catch (error) {
    const { message } = error as Error;
    await send({ error: GallopError.isInstance(error) ? { code: error.code, message } : { message } });
  }
  process.disconnect?.();
};

/**
 * The most memory this process ever had resident, in bytes. Linux's own account of it counts from the start of the
 * program; the portable one may include the parent's memory at the moment of the fork.
 */
export const peakMemoryBytes = (): number => {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (match !== null) return Number(match[1]) * 1024;
  } catch {
    // no /proc on this system
  }
  return process.resourceUsage().maxRSS * 1024;
};
