import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GallopError } from '../errors.ts';
import { chooseByUniform, chooseGreedy, sampleToken } from './choose.ts';
import { softmax } from './distribution.ts';
import type { WarpOptions } from './options.ts';
import { warpLogits } from './warp.ts';

const row = (...logits: number[]): Float32Array => Float32Array.from(logits);
const rowOf = (probabilities: readonly number[]): Float32Array => Float32Array.from(probabilities, Math.log);
const kept = (logits: Float32Array): number[] =>
  [...logits.keys()].filter((i) => logits[i] !== Number.NEGATIVE_INFINITY);
const warped = (logits: Float32Array, options: WarpOptions, history: number[] = []): Float32Array => {
  const copy = logits.slice();
  warpLogits(copy, history, options);
  return copy;
};

const anyRow = fc
  .array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 60 })
  .map((values) => Float32Array.from(values));

describe('processors of the history', () => {
  it('penalizes repetition, presence and frequency', () => {
    const logits = row(2, -2, 1, 0);
    expect([...warped(logits, { repetitionPenalty: 2 }, [0, 0, 1])]).toEqual([1, -4, 1, 0]);
    expect([...warped(logits, { presencePenalty: 1 }, [0, 0, 1])]).toEqual([1, -3, 1, 0]);
    expect([...warped(logits, { frequencyPenalty: 1 }, [0, 0, 1])]).toEqual([0, -3, 1, 0]);
  });

  it('forbids the end of a repeated n-gram', () => {
    const logits = row(0, 0, 0, 0);
    expect(kept(warped(logits, { noRepeatNgramSize: 1 }, [1, 2]))).toEqual([0, 3]);
    expect(kept(warped(logits, { noRepeatNgramSize: 2 }, [1, 2, 1]))).toEqual([0, 1, 3]);
    expect(kept(warped(logits, { noRepeatNgramSize: 3 }, [1, 2, 3, 1, 2]))).toEqual([0, 1, 2]);
    expect(kept(warped(logits, { noRepeatNgramSize: 9 }, [1, 2]))).toEqual([0, 1, 2, 3]);
  });

  it('adds biases, and forbids tokens by one', () => {
    const logitBias = new Map([
      [0, Number.NEGATIVE_INFINITY],
      [1, 2],
    ]);
    expect([...warped(row(9, 1, 2), { logitBias })]).toEqual([Number.NEGATIVE_INFINITY, 3, 2]);
  });
});

describe('truncation', () => {
  it('keeps ties with the k-th token', () => {
    expect(kept(warped(row(1, 3, 2, 2, 0), { topK: 2 }))).toEqual([1, 2, 3]);
  });

  it('keeps the k largest of any row', () => {
    fc.assert(
      fc.property(anyRow, fc.integer({ min: 1, max: 70 }), (logits, topK) => {
        const threshold = logits.slice().sort().reverse()[Math.min(topK, logits.length) - 1];
        expect(kept(warped(logits, { topK }))).toEqual([...logits.keys()].filter((i) => logits[i] >= threshold));
      }),
    );
  });

  it('keeps the smallest set that reaches the probability', () => {
    const logits = rowOf([0.5, 0.3, 0.15, 0.05]);
    expect(kept(warped(logits, { topP: 0.4 }))).toEqual([0]);
    expect(kept(warped(logits, { topP: 0.7 }))).toEqual([0, 1]);
    expect(kept(warped(logits, { topP: 0.9 }))).toEqual([0, 1, 2]);
    expect(kept(warped(logits, { topP: 1 }))).toEqual([0, 1, 2, 3]);
  });

  it('agrees with a full sort, though it sorts only part', () => {
    fc.assert(
      fc.property(anyRow, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (logits, topP) => {
        const probabilities = softmax(logits);
        const order = [...logits.keys()].sort((a, b) => probabilities[a] - probabilities[b]);
        let cumulative = 0;
        const removed = order.slice(0, -1).filter((i) => (cumulative += probabilities[i]) <= 1 - topP - 1e-12);
        const result = new Set(kept(warped(logits, { topP })));
        for (const i of removed.slice(0, -1)) expect(result.has(i)).toBe(false);
        expect(result.has(order[order.length - 1])).toBe(true);
        expect([...result].reduce((sum, i) => sum + probabilities[i], 0)).toBeGreaterThanOrEqual(topP - 1e-9);
      }),
    );
  });

  it('keeps by a fraction of the best, by surprise and by cut-offs', () => {
    const logits = rowOf([0.5, 0.3, 0.15, 0.05]);
    expect(kept(warped(logits, { minP: 0.5 }))).toEqual([0, 1]);
    expect(kept(warped(logits, { minP: 1 }))).toEqual([0]);
    // Entropy 1.142 nats; surprises 0.693, 1.204, 1.897, 2.996: the second is nearest, then the first.
    expect(kept(warped(logits, { typicalP: 0.2 }))).toEqual([1]);
    expect(kept(warped(logits, { typicalP: 0.6 }))).toEqual([0, 1]);
    expect(kept(warped(logits, { epsilonCutoff: 0.2 }))).toEqual([0, 1]);
    expect(kept(warped(logits, { epsilonCutoff: 0.9 }))).toEqual([0]);
    // min(0.4, √0.4 · exp(−1.142)) = 0.202
    expect(kept(warped(logits, { etaCutoff: 0.4 }))).toEqual([0, 1]);
  });

  it('always leaves a token, and never the wrong number of one', () => {
    const options = fc.record(
      {
        temperature: fc.double({ min: 1e-320, max: 1e6, noNaN: true }),
        topK: fc.integer({ min: 1, max: 1e6 }),
        topP: fc.double({ min: 1e-300, max: 1, noNaN: true }),
        minP: fc.double({ min: 0, max: 1, noNaN: true }),
        typicalP: fc.double({ min: 1e-300, max: 1, noNaN: true }),
        epsilonCutoff: fc.double({ min: 0, max: 0.999, noNaN: true }),
        etaCutoff: fc.double({ min: 0, max: 0.999, noNaN: true }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anyRow, options, (logits, chosen) => {
        const result = warped(logits, chosen);
        expect(softmax(result).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
        if (chosen.typicalP === undefined) {
          expect(logits[chooseGreedy(result)]).toBeCloseTo(Math.max(...logits), 5);
        }
      }),
    );
  });
});

describe('choice', () => {
  it('is the lowest id among the best when greedy', () => {
    expect(chooseGreedy(row(1, 5, 5, 2))).toBe(1);
    expect(sampleToken(row(4, 5, 5, 2), [1], { temperature: 0, repetitionPenalty: 2 })).toBe(2);
  });

  it('is the first index whose cumulative probability exceeds the draw', () => {
    const logits = row(0, Number.NEGATIVE_INFINITY, 0, 0, 0);
    expect([0, 0.2499, 0.25, 0.5, 0.9999].map((draw) => chooseByUniform(logits, draw))).toEqual([0, 0, 2, 3, 4]);
    for (const draw of [1, -0.1, Number.NaN]) expect(() => chooseByUniform(logits, draw)).toThrow(GallopError);
  });

  it('depends on seed and absolute position only', () => {
    const logits = new Float32Array(1000);
    const draw = (history: number, seed: number): number =>
      sampleToken(logits.slice(), new Int32Array(history), { seed, temperature: 1 });
    expect(draw(5, 1)).toBe(draw(5, 1));
    expect(new Set([draw(5, 1), draw(6, 1), draw(5, 2), draw(6, 2)]).size).toBe(4);
  });

  it('follows the distribution (chi-square over 20 000 positions)', () => {
    const probabilities = [0.4, 0.3, 0.2, 0.08, 0.02];
    const draws = 20_000;
    const counts = probabilities.map(() => 0);
    const logits = rowOf(probabilities);
    for (let i = 0; i < draws; i++) counts[sampleToken(logits.slice(), { length: i }, { seed: 11 })]++;
    const statistic = counts.reduce(
      (sum, n, i) => sum + (n - draws * probabilities[i]) ** 2 / (draws * probabilities[i]),
      0,
    );
    expect(statistic).toBeLessThan(23.5); // 4 degrees of freedom, p = 0.0001
  });
});

describe('what cannot be sampled', () => {
  const wrong: readonly [keyof WarpOptions, number][] = [
    ['temperature', Number.NaN],
    ['temperature', -1],
    ['temperature', Number.POSITIVE_INFINITY],
    ['topK', 0],
    ['topK', 1.5],
    ['topP', 0],
    ['topP', 1.01],
    ['minP', -0.1],
    ['typicalP', 0],
    ['repetitionPenalty', 0],
    ['presencePenalty', Number.NaN],
    ['frequencyPenalty', Number.POSITIVE_INFINITY],
    ['noRepeatNgramSize', 0],
    ['epsilonCutoff', 1],
    ['etaCutoff', Number.NaN],
  ];
  it.each(wrong)('%s = %d', (field, value) => {
    expect(() => warped(row(1, 2), { [field]: value })).toThrow(new RegExp(`Expected ${field} .*received ${value}`));
  });

  it('biases and history of unknown tokens', () => {
    expect(() => warped(row(1, 2), { logitBias: new Map([[2, 1]]) })).toThrow(/ids below 2; received 2/);
    expect(() => warped(row(1, 2), { logitBias: new Map([[0, Number.NaN]]) })).toThrow(/received NaN for token 0/);
    expect(() => warped(row(1, 2), { presencePenalty: 1 }, [2])).toThrow(/received 2 at index 0/);
  });

  it('rows without a choice', () => {
    expect(() => chooseGreedy(row(Number.NaN, 1))).toThrow(/received NaN/);
    expect(() => sampleToken(row(1, 2), [0, 1], { noRepeatNgramSize: 1 })).toThrow(/all -Infinity/);
  });
});
