/** Gallop's half of the browser benchmark: loads the model from its bytes, generates once, posts the rates. */

import { generate, loadModel } from 'gallop';
import { ratesOf } from '../engines/engine.ts';
import type { PageTask } from './protocol.ts';

const measure = async ({ modelUrl, promptIds, newTokens, threads }: PageTask): Promise<object> => {
  const blob = await (await fetch(modelUrl)).blob();
  const contextLength = promptIds.length + newTokens;
  using model = await loadModel(blob, { backend: 'wasm', threads, contextLength });
  const asked = performance.now();
  let [first, last] = [0, 0];
  const { tokens } = await generate(model, Int32Array.from(promptIds), {
    maxTokens: newTokens,
    ignoreEnd: true,
    onStep: () => {
      last = performance.now();
      if (first === 0) postMessage('first');
      first ||= last;
    },
  }).result;
  const rates = ratesOf(promptIds.length, newTokens, asked, first, last);
  return { ...rates, threads: model.threads, tokens: tokens.slice(0, 16) };
};

self.addEventListener('message', ({ data }: MessageEvent<PageTask>) => {
  measure(data)
    .catch((error: unknown) => ({ error: String(error) }))
    .then((message: object) => postMessage(message));
});
