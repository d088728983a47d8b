/** Loading a model with a progress bar, as every command does it. */

import { type LoadModelOptions, loadModel, type Model } from 'gallop';
import { formatBytes } from '../terminal/format.ts';
import { progressBar, StatusLine } from '../terminal/status-line.ts';

/** Loads a model; the bar and warnings go to standard error. */
export const loadWithProgress = async (
  source: string,
  options: LoadModelOptions,
): Promise<{ model: Model; loadMilliseconds: number }> => {
  const start = performance.now();
  using status = new StatusLine(process.stderr, false);
  const model = await loadModel(source, {
    ...options,
    onProgress: ({ phase, loadedBytes, totalBytes }) => {
      status.update(`${phase}ing ${progressBar(loadedBytes / totalBytes)} ${formatBytes(loadedBytes)}`);
    },
    onWarning: (line) => {
      status.close();
      process.stderr.write(`gallop: ${line}\n`);
    },
  });
  return { model, loadMilliseconds: performance.now() - start };
};
