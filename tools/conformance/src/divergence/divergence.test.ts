/**
 * 8-bit activations stay as close to the weights' own answers as llama.cpp's do: at the end of the prompts whose float32
 * answers are recorded (adapters/models-real.ts checks ours against them), the divergence is at most what llama.cpp has
 * there, and the best token is the same.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { modelsFolder } from '../real-file.ts';
import { divergenceOf, measureDivergence } from './divergence.ts';

const prompts = [
  'The capital of France is',
  'Once upon a time, in a small village by the sea,',
  'def fibonacci(n):\n    if n < 2:\n        return n\n    return',
  'Die Hauptstadt von Deutschland ist',
  '1, 2, 4, 8, 16, 32,',
];
const question = 'Q: What is 17 + 25?\nA:';
const chat =
  '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n<|im_start|>user\nName three colours.<|im_end|>\n<|im_start|>assistant\n';

test('the divergence of two rows of logits is what the formula says', () => {
  const logits = (...probabilities: number[]): Float32Array => Float32Array.from(probabilities, Math.log);
  const { divergence, agrees } = divergenceOf(logits(0.5, 0.25, 0.25), logits(0.25, 0.5, 0.25));
  expect(divergence).toBeCloseTo(0.5 * Math.log(2) - 0.25 * Math.log(2), 6);
  expect(agrees).toBe(false);
  expect(divergenceOf(logits(0.5, 0.5), logits(0.5, 0.5))).toMatchObject({ divergence: 0, agrees: true });
});

describe.each([
  ['SmolLM2-135M-Instruct.Q4_1.gguf', chat, 0.01],
  ['gemma-3-270m-q4_k_m.gguf', question, 0.025],
] as const)('%s', (name, ownPrompt, most) => {
  const path = join(modelsFolder(), name);
  test.skipIf(!existsSync(path))(`is within ${most} nats (skipped when ${path} is absent)`, async () => {
    const all = [...prompts, ownPrompt];
    const found = await measureDivergence(path, all);
    const lines = found.map(
      ({ divergence }, i) => `${divergence.toFixed(5)} nats  ${JSON.stringify(all[i].slice(0, 40))}`,
    );
    console.log([name, ...lines].join('\n'));
    for (const [i, { divergence, agrees }] of found.entries()) {
      expect(divergence, all[i]).toBeLessThanOrEqual(most);
      expect(agrees, all[i]).toBe(true);
    }
    expect(Math.max(...found.map(({ divergence }) => divergence))).toBeGreaterThan(0); // the two did differ
  });
});
