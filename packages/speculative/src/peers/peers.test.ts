/**
 * The loop over node-llama-cpp's interfaces: over a stand-in that keeps rows as llama.cpp does, and over the library itself where
 * it and a model are installed (`GALLOP_BENCH_PEERS`, by default `.tools/peers`).
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { promptLookupDrafter } from '../drafters/prompt-lookup.ts';
import { RecyclingMatrix } from '../drafters/recycling-matrix.ts';
import { suffixDrafter } from '../drafters/suffix.ts';
import { tokenRecyclingDrafter } from '../drafters/token-recycling.ts';
import { speculate } from '../loop/speculate.ts';
import { generateTokens, hash, loopingModel, VOCABULARY } from '../testing/worlds.ts';
import { type LlamaSequence, llamaCppModel } from './llama-cpp-model.ts';
import { llamaTokenPredictor } from './llama-token-predictor.ts';

/** Keeps rows; gives the logits of `loopingModel` for those that ask, sorted as node-llama-cpp sorts them. */
class StandIn implements LlamaSequence {
  #rows: number[] = [];
  erased = 0;

  get nextTokenIndex(): number {
    return this.#rows.length;
  }

  async controlledEvaluate(
    input: Parameters<LlamaSequence['controlledEvaluate']>[0],
  ): ReturnType<LlamaSequence['controlledEvaluate']> {
    return input.map((item) => {
      const [token, options] = Array.isArray(item) ? item : [item, undefined];
      this.#rows.push(token);
      const wanted = options?.generateNext?.logits;
      if (wanted === undefined) return undefined;
      const [last, before] = [this.#rows[this.#rows.length - 1], this.#rows[this.#rows.length - 2] ?? 0];
      const logits = Array.from({ length: VOCABULARY }, (_, id): [number, number] => [
        id,
        5 * hash(last, before, id, this.#rows.length % 3),
      ]);
      logits.sort((a, b) => b[1] - a[1]);
      return {
        next: { logits: new Map(typeof wanted === 'object' ? logits.slice(0, wanted.filter.includeTop) : logits) },
      };
    });
  }

  async eraseContextTokenRanges([{ start, end }]: { start: number; end: number }[]): Promise<void> {
    this.erased += end - start;
    this.#rows.splice(start, end - start);
  }
}

const prompt = [3, 1, 4, 1, 5, 9, 2, 6];

describe('llamaCppModel', () => {
  test.each([0, 0.9])('says what the model says, with drafts and without, at temperature %d', async (temperature) => {
    const sequence = new StandIn();
    const model = llamaCppModel({ openSequence: () => sequence, vocabSize: VOCABULARY, contextLength: 200 });
    const expected = await generateTokens(loopingModel(), prompt, { maxTokens: 60, temperature, seed: 8 });
    const matrix = new RecyclingMatrix({ vocabSize: VOCABULARY });
    for (const drafter of [undefined, suffixDrafter({ minimumMatch: 1 }), tokenRecyclingDrafter({ matrix })]) {
      sequence.eraseContextTokenRanges([{ start: 0, end: sequence.nextTokenIndex }]);
      const options = { maxTokens: 60, temperature, seed: 8, drafter, budget: 5, onFault: 'throw' } as const;
      const { tokens, rows } = await generateTokens(model, prompt, options);
      expect(tokens).toEqual(expected.tokens);
      expect(rows).toBe(prompt.length + 59);
    }
    expect(sequence.erased).toBeGreaterThan(0);
  });

  test('refuses what chains cannot do', async () => {
    const model = llamaCppModel({ openSequence: () => new StandIn(), vocabSize: VOCABULARY, contextLength: 4 });
    const session = model.openSession();
    const tree = { kind: 'tree', parents: Int32Array.of(-1) } as const;
    await expect(session.forward({ ids: Int32Array.of(1), attention: tree })).rejects.toMatchObject({
      code: 'unsupported',
    });
    await expect(session.forward({ ids: new Int32Array(5) })).rejects.toMatchObject({ code: 'context-overflow' });
    await session.forward({ ids: Int32Array.of(1, 2) });
    expect(() => session.commit(Int32Array.of(1))).toThrow(/leading rows/);
    expect(() => session.fork()).toThrow(/one session a sequence/);
  });
});

test('llamaTokenPredictor predicts what the drafter drafts', async () => {
  abstract class TokenPredictor {
    abstract readonly kind?: string;
  }
  const predictor = llamaTokenPredictor(TokenPredictor, promptLookupDrafter(), 3);
  expect(predictor).toBeInstanceOf(TokenPredictor);
  predictor.reset({ stateTokens: [1, 2, 3, 4, 5, 1, 2] });
  expect(await predictor.predictTokens()).toEqual([3, 4, 5]);
  predictor.pushTokens([3, 9]);
  expect(await predictor.predictTokens()).toEqual([]);
});

const root = path.join(import.meta.dirname, '../../../..');
const library = path.join(
  process.env.GALLOP_BENCH_PEERS ?? path.join(root, '.tools/peers'),
  'node_modules/node-llama-cpp/dist/index.js',
);
const file = path.join(process.env.GALLOP_MODELS ?? path.join(root, 'models'), 'SmolLM2-135M-Instruct.Q4_1.gguf');

describe.skipIf(!existsSync(library) || !existsSync(file))(
  `node-llama-cpp (skipped when ${library} or ${file} is absent)`,
  () => {
    test('writes with drafts what it writes without', async () => {
      const { getLlama, TokenPredictor } = await import(pathToFileURL(library).href);
      const llama = await getLlama({ gpu: false });
      const loaded = await llama.loadModel({ modelPath: file });
      const context = await loaded.createContext({ contextSize: 256, sequences: 2, threads: 1 });
      const text = 'one two three four, one two three four, one two';
      const tokens: number[] = loaded.tokenize(text);
      const model = llamaCppModel<number>({
        openSequence: () => context.getSequence(),
        vocabSize: 49_152,
        endTokens: [loaded.tokens.eos, loaded.tokens.eot],
        contextLength: 256,
      });
      const write = async (drafter?: ReturnType<typeof suffixDrafter>): Promise<{ text: string; steps: number }> => {
        const session = model.openSession();
        const written: number[] = [];
        let steps = 0;
        for await (const step of speculate({ model, session, tokens }, { maxTokens: 24, budget: 4, drafter })) {
          written.push(...step.tokens);
          steps++;
        }
        session.dispose();
        return { text: loaded.detokenize(written), steps };
      };
      const plain = await write();
      const drafted = await write(suffixDrafter());
      expect(drafted.text).toBe(plain.text);
      expect(drafted.steps).toBeLessThan(plain.steps);
      const sequence = context.getSequence({ tokenPredictor: llamaTokenPredictor(TokenPredictor, suffixDrafter()) });
      const evaluated: number[] = [];
      for await (const token of sequence.evaluate(tokens, { temperature: 0 })) if (evaluated.push(token) >= 24) break;
      expect(loaded.detokenize(evaluated)).toBe(plain.text);
      await llama.dispose();
    }, 120_000);
  },
);
