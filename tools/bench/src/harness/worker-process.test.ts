import { expect, test } from 'vitest';
import type { GallopTask } from '../workers/gallop-generate.ts';
import { runWorker } from './worker-process.ts';

const task: GallopTask = { model: 'no/such/model.gguf', promptIds: [1], newTokens: 2, backend: 'wasm', threads: 1 };

test("a worker's error arrives with its code", async () => {
  const failing = runWorker('gallop-generate', task, { code: 'source' });
  await expect(failing).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('no/such/model') });
});

test('a worker that ends without a result is told with what it wrote', async () => {
  const failing = runWorker('no-such-worker', task, { code: 'source' });
  await expect(failing).rejects.toThrow(
    /Expected a result from the worker no-such-worker.*status 1.*Cannot find module/s,
  );
});

test('a worker that takes too long is ended', async () => {
  const failing = runWorker('gallop-generate', task, { code: 'source', limitMilliseconds: 1 });
  await expect(failing).rejects.toThrow(/its end with SIGTERM/);
});
