/**
 * Lets the published packages generate with a real model, once for every Node and backend of the machine. Greedy text
 * must be the same everywhere; the system's older Node also covers the code paths without the newest instructions.
 */

import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './command.ts';
import type { Findings } from './workspace.ts';

const modelFile = 'SmolLM2-135M-Instruct.Q4_1.gguf';

// A machine without a C compiler has no native backend: that is a missing result, not a failure.
const script = `
import { generate, loadModel } from 'gallop';
const [file, backend] = process.argv.slice(2);
try {
  const model = await loadModel(file, { backend });
  let text = '';
  for await (const piece of generate(model, 'The capital of France is', { maxTokens: 12 })) text += piece;
  console.log(JSON.stringify({ text, backend: model.backend }));
  model.dispose();
} catch (error) {
  if (error.code !== 'backend-unavailable') throw error;
  console.log(JSON.stringify({ missing: error.message }));
}
`;

/** What one run printed: a text, or why its backend is missing. */
export interface Outcome {
  readonly where: string;
  readonly text?: string;
  readonly missing?: string;
}

/** Every text must equal the first; a backend that is missing is a warning. */
export function compareOutcomes(outcomes: readonly Outcome[]): Findings {
  const texts = outcomes.filter(({ text }) => text !== undefined);
  const problems = texts
    .filter(({ text }) => text !== texts[0]?.text)
    .map(
      ({ where, text }) =>
        `${where} wrote ${JSON.stringify(text)}; ${texts[0]?.where} ${JSON.stringify(texts[0]?.text)}`,
    );
  if (texts.length === 0) problems.push('no backend could generate');
  if (texts.some(({ text }) => text === '')) problems.push('the generated text is empty');
  const missing = outcomes.filter((outcome) => outcome.missing !== undefined);
  return { problems, warnings: missing.map((outcome) => `${outcome.where}: ${outcome.missing}`) };
}

/** Generates in the consumer's folder with each Node binary and each backend. */
export function generateEverywhere(folder: string, nodes: readonly string[]): Findings {
  const model = path.join(path.resolve(process.env.GALLOP_MODELS ?? 'models'), modelFile);
  if (!existsSync(model)) return { problems: [], warnings: [`generation not tried: no ${model}; run models:fetch`] };
  writeFileSync(path.join(folder, 'generate.mjs'), script);
  const outcomes: Outcome[] = [];
  try {
    for (const node of nodes) {
      const version = runCommand(node, ['--version'], folder).trim();
      for (const backend of ['native', 'wasm']) {
        const output = JSON.parse(runCommand(node, ['generate.mjs', model, backend], folder)) as Omit<Outcome, 'where'>;
        outcomes.push({ ...output, where: `${backend} in Node ${version}` });
      }
    }
    return compareOutcomes(outcomes);
  } catch (error) {
    return { problems: [`generating with the published packages: ${(error as Error).message}`], warnings: [] };
  }
}
