/**
 * Random journeys through sessions of tiny models: every row has the bits that one token at a time gives, on every backend
 * that this machine can run; and those bits are the reference backend's.
 */
import { createNativeBackend, nativeVariants } from '@gallop/backend-native';
import { createWasmBackend } from '@gallop/backend-wasm';
import { GallopError, type LanguageModel } from '@gallop/core';
import { type Backend, createReferenceBackend } from '@gallop/tensor';
import { describe, expect, test } from 'vitest';
import { type LoadOptions, loadLanguageModel } from './load.ts';
import {
  Draws,
  type JourneyOptions,
  type JourneyReport,
  Oracle,
  openInMemory,
  runJourney,
  type TinyModelOptions,
  tinyModel,
} from './testing/index.ts';

/** Compiled backends by name; the native ones are missing where the library cannot be loaded. */
async function openBackends(): Promise<Map<string, Backend>> {
  const backends = new Map<string, Backend>([
    ['wasm relaxed', await createWasmBackend({ variant: 'relaxed', threads: 1 })],
    ['wasm simd, 2 threads', await createWasmBackend({ variant: 'simd', threads: 2 })],
  ]);
  try {
    for (const variant of nativeVariants())
      backends.set(`native ${variant}`, createNativeBackend({ variant, threads: variant === 'portable' ? 2 : 1 }));
  } catch (error) {
    if (!GallopError.isInstance(error, 'backend-unavailable')) throw error;
  }
  return backends;
}

const backends = await openBackends();

interface Configuration extends TinyModelOptions, Pick<LoadOptions, 'activations' | 'cacheDtype'> {}

const configurations: readonly Configuration[] = [
  { architecture: 'llama', activations: 'f32', cacheDtype: 'f32' },
  { architecture: 'llama', format: 'Q4_1', activations: 'q8', cacheDtype: 'f16', tied: false },
  {
    architecture: 'llama',
    format: 'Q8_0',
    formats: { attn_output: 'F16', ffn_down: 'Q5_1' },
    activations: 'q8',
    cacheDtype: 'f32',
  },
  { architecture: 'gemma3', format: 'BF16', activations: 'f32', cacheDtype: 'f16', layerCount: 7, headSize: 8 },
  {
    architecture: 'gemma3',
    format: 'Q4_0',
    formats: { token_embd: 'Q8_0' },
    activations: 'q8',
    cacheDtype: 'f16',
    headSize: 32,
  },
  {
    ...{
      architecture: 'gemma3',
      format: 'Q4_K',
      formats: { attn_v: 'Q6_K', ffn_down: 'Q5_K', ffn_up: 'Q3_K', ffn_gate: 'Q2_K' },
    },
    ...{ activations: 'q8', layerCount: 1, hiddenSize: 256, feedForwardSize: 256, headSize: 64, vocabSize: 37 },
  },
];

const nameOf = ({ architecture, format = 'F32', formats = {}, activations, cacheDtype }: Configuration): string =>
  `${architecture} ${[format, ...Object.values(formats)].join(' ')}, ${activations} activations, ${cacheDtype ?? 'default'} cache`;

/** Several journeys, as one report. */
async function travel(oracle: Oracle, model: LanguageModel, options: Omit<JourneyOptions, 'seed'>, seeds: number) {
  const total: JourneyReport = { layouts: 0, rows: 0, logits: 0, mismatches: [] };
  for (let seed = 1; seed <= seeds; seed++) {
    const report = await runJourney(model, oracle, { ...options, seed });
    total.rows += report.rows;
    total.mismatches.push(...report.mismatches);
  }
  return total;
}

describe.each(configurations.map((configuration) => [nameOf(configuration), configuration] as const))(
  '%s',
  async (_, configuration) => {
    const file = await openInMemory(tinyModel(configuration));
    const load = (backend: Backend): Promise<LanguageModel> => loadLanguageModel(file, backend, configuration);
    const [, plainest] = [...backends].at(-1)!;

    // Beyond a page of the cache (128 slots), and beyond many windows.
    const document = [...new Draws(9).tokens(200, 30)];
    for (const firstPosition of [0, 41]) {
      const oracle = new Oracle(await load(plainest), document, firstPosition);
      test.each([...backends])(
        `%s repeats one token at a time, positions from ${firstPosition}`,
        async (_, backend) => {
          const options = { steps: 12, document, firstPosition };
          const report = await travel(oracle, await load(backend), options, 5);
          expect(report.mismatches).toEqual([]);
          expect(report.rows).toBeGreaterThan(200);
        },
      );
    }

    const start = document.slice(0, 20);
    const slow = new Oracle(await load(createReferenceBackend()), start);
    test.each([...backends])('%s repeats the reference', async (_, backend) => {
      const report = await travel(slow, await load(backend), { steps: 3, document: start, maximumRows: 8 }, 2);
      expect(report.mismatches).toEqual([]);
      expect(report.rows).toBeGreaterThan(10);
    });
  },
);

test('the reference backend repeats itself however rows are batched', async () => {
  const file = await openInMemory(
    tinyModel({ architecture: 'gemma3', layerCount: 1, keyHeads: 1, headSize: 8, heads: 2 }),
  );
  const model = await loadLanguageModel(file, createReferenceBackend());
  const document = [...new Draws(4).tokens(140, 30)];
  const report = await travel(new Oracle(model, document), model, { steps: 6, document }, 2);
  expect(report.mismatches).toEqual([]);
});

test('a journey notices other numbers', async () => {
  const [[, backend]] = backends;
  const models = [1, 2].map(async (seed) =>
    loadLanguageModel(await openInMemory(tinyModel({ architecture: 'llama', seed })), backend),
  );
  const [expected, received] = await Promise.all(models);
  const document = [...new Draws(4).tokens(10, 30)];
  const report = await travel(new Oracle(expected, document), received, { steps: 4, document }, 1);
  expect(report.mismatches.length).toBe(report.rows);
});
