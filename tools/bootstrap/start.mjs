// `npm start`: sets everything up, fetches a small real model and lets it write, live.

import path from 'node:path';
import { runAsProgram } from './child.mjs';
import { runCommand } from './commands.mjs';
import { modelsFolder } from './setup.mjs';

const modelFile = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const prompt = 'Write a short guide for someone who visits Paris for the first time.';
const sampling = [
  '--temperature',
  '0.6',
  '--top-p',
  '0.9',
  '--repetition-penalty',
  '1.1',
  '--seed',
  '2',
  '--max-tokens',
  '220',
];

await runAsProgram(async () => {
  const fetched = await runCommand('models:fetch', ['smollm2']);
  if (fetched !== 0) return fetched;
  const model = path.join(modelsFolder, modelFile);
  return runCommand('gallop', [
    'generate',
    '--model',
    model,
    '--prompt',
    prompt,
    ...sampling,
    ...process.argv.slice(2),
  ]);
});
