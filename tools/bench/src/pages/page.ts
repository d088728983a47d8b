/** The page that the browser benchmark opens: measures one generation by Gallop or by wllama, each in its worker. */

import type { PageRun, PageTask } from './protocol.ts';
import { measureWllama } from './wllama.ts';

/** Gallop computes in a worker, as wllama does by itself. */
const measureGallop = (task: PageTask): Promise<PageRun> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./gallop-worker.ts', import.meta.url), { type: 'module' });
    let firstTokenAt = 0;
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }: MessageEvent<'first' | { error: string } | Omit<PageRun, 'firstTokenAt'>>) => {
      if (data === 'first') firstTokenAt = performance.now();
      else if ('error' in data) reject(new Error(data.error));
      else resolve({ ...data, firstTokenAt });
    };
    worker.postMessage(task);
  });

window.measure = (task) => (task.engine === 'gallop' ? measureGallop(task) : measureWllama(task));
