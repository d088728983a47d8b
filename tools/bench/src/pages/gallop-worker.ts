/** Gallop's half of the browser benchmark: loads the model from its bytes, generates once, posts the rates. */

import { loadModel } from 'gallop';
import { timeGeneration } from '../engines/timed-generation.ts';
import type { PageTask } from './protocol.ts';

const measure = async ({ modelUrl, promptIds, newTokens, threads }: PageTask): Promise<object> => {
  const blob = await (await fetch(modelUrl)).blob();
  const contextLength = promptIds.length + newTokens;
  using model = await loadModel(blob, { backend: 'wasm', threads, contextLength });
  const { asked, first, ...measured } = await timeGeneration(model, promptIds, newTokens, () => postMessage('first'));
  return { ...measured, threads: model.threads };
};

self.addEventListener('message', ({ data }: MessageEvent<PageTask>) => {
  measure(data)
    .catch((error: unknown) => ({ error: String(error) }))
    .then((message: object) => postMessage(message));
});
