/**
 * Measurements in fresh processes, so that start-up time and peak memory are those of a whole process and no run inherits
 * warm code or memory from another. A worker takes one JSON argument and sends one message.
 */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, GallopError } from '@gallop/core';

/** `built`: the packages as they are published, JavaScript from dist/. `source`: TypeScript, slower to start. */
export type Code = 'built' | 'source';

/** What a worker sends: a result, or why there is none. */
export type WorkerMessage<Result> =
  | { readonly result: Result }
  | { readonly error: { readonly code?: ErrorCode; readonly message: string } };

/** What every worker is told besides its own task. */
export interface WorkerTask<Task> {
  /** Milliseconds since the epoch just before the process was started. */
  readonly startedAt: number;
  readonly task: Task;
}

export interface WorkerOptions {
  readonly code: Code;
  /** Added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The worker is killed after this time. Default ten minutes. */
  readonly limitMilliseconds?: number;
}

const moduleOf = (name: string, code: Code): string =>
  fileURLToPath(new URL(code === 'built' ? `../../dist/workers/${name}.js` : `../workers/${name}.ts`, import.meta.url));

/** Node caches compiled code only where a program asks for it; measured programs run without. */
const environmentOf = (added: Readonly<Record<string, string>>): NodeJS.ProcessEnv => {
  const { NODE_COMPILE_CACHE, ...inherited } = process.env;
  return { ...inherited, ...added };
};

/**
 * Runs a worker to its end.
 *
 * @param name file name in workers/, without its ending
 * @throws GallopError what the worker reports, or `invalid-state` when it ends without a result or takes too long
 */
export const runWorker = <Task, Result>(name: string, task: Task, options: WorkerOptions): Promise<Result> => {
  const { code, environment = {}, limitMilliseconds = 600_000 } = options;
  const startedAt = performance.timeOrigin + performance.now();
  const argument: WorkerTask<Task> = { startedAt, task };
  const child = fork(moduleOf(name, code), [JSON.stringify(argument)], {
    execArgv: code === 'source' ? ['--conditions=@gallop/source'] : [],
    env: environmentOf(environment),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: limitMilliseconds,
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  return new Promise((resolve, reject) => {
    let message: WorkerMessage<Result> | undefined;
    child.once('error', reject);
    child.once('message', (received: WorkerMessage<Result>) => {
      message = received;
    });
    child.once('close', (status, signal) => {
      if (message !== undefined && 'result' in message) resolve(message.result);
      else reject(failureOf(name, message?.error, `${signal ?? `status ${status}`}; it wrote: ${errors.trim()}`));
    });
  });
};

const failureOf = (
  name: string,
  reported: { readonly code?: ErrorCode; readonly message: string } | undefined,
  ending: string,
): GallopError =>
  new GallopError(
    reported?.code ?? 'invalid-state',
    reported === undefined
      ? `Expected a result from the worker ${name}; received its end with ${ending}; run it again or look at that output.`
      : reported.message,
  );
