/** What a benchmark is doing, on standard error: results alone go to standard output. */

/** Told one line when something begins or has been measured. */
export type Progress = (line: string) => void;

/** Writes lines with the time since the start. */
export const progressTo = (stream: { write(text: string): unknown }): Progress => {
  const start = performance.now();
  return (line) => {
    stream.write(`[${((performance.now() - start) / 1000).toFixed(0).padStart(4)} s] ${line}\n`);
  };
};
