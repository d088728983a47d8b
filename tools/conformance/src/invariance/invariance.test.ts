/** A few journeys through the real models on every backend variant; `npm run invariance` makes many. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { modelsFolder } from '../real-file.ts';
import { surveyModel } from './survey.ts';
import { listVariants } from './variants.ts';

// One thread, so that other test files running beside do not slow it down; the portable instruction set takes minutes.
const variants = listVariants([1]).filter(({ name }) => name !== 'native portable');

describe.each([
  ['SmolLM2-135M-Instruct.Q4_1.gguf', 'q8', 2],
  ['SmolLM2-135M-Instruct.Q4_1.gguf', 'f32', 1],
  ['gemma-3-270m-q4_k_m.gguf', 'q8', 1],
] as const)('%s with %s activations', (name, activations, journeys) => {
  const path = join(modelsFolder(), name);
  test.skipIf(!existsSync(path))(
    `repeats one token at a time to the bit (skipped when ${path} is absent)`,
    async () => {
      const small = { journeys, steps: 3, promptTokens: 30, maximumRows: 12 };
      const results = await surveyModel({ path, activations, variants, ...small });
      for (const { variant, mismatches, rows } of results) {
        expect(mismatches, variant).toEqual([]);
        expect(rows, variant).toBeGreaterThan(10);
      }
    },
  );
});
