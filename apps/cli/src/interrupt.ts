/** Ctrl-C as an AbortSignal: the first press cancels what runs, so that it can clean up; a second one kills. */

/** The reason of a signal that Ctrl-C aborted. */
export class Interrupted extends Error {
  constructor() {
    super('Interrupted.');
    this.name = 'Interrupted';
  }
}

/** Runs `task` with a signal that Ctrl-C aborts. */
export const withInterrupt = async <Result>(task: (signal: AbortSignal) => Promise<Result>): Promise<Result> => {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort(new Interrupted());
  process.once('SIGINT', interrupt);
  try {
    return await task(controller.signal);
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
};
