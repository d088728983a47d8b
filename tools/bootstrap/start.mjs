// `npm start`: sets everything up, fetches a small real model and lets it write, live.

import path from 'node:path';
import { runAsProgram } from './child.mjs';
import { runCommand } from './commands.mjs';
import { modelsFolder } from './setup.mjs';

const modelFile = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const prompt = 'Explain in three short sentences why the sky is blue, then write a haiku about it.';

await runAsProgram(async () => {
  const fetched = await runCommand('models:fetch', ['smollm2']);
  if (fetched !== 0) return fetched;
  const model = path.join(modelsFolder, modelFile);
  const options = ['--model', model, '--prompt', prompt, '--max-tokens', '200', '--seed', '1'];
  return runCommand('gallop', ['generate', ...options, ...process.argv.slice(2)]);
});
