/** Worked examples of commit rules, schedules and plans, and what must hold of them for any scores. */
import { randomUniform } from '@gallop/core';
import { expect, test } from 'vitest';
import { adaBlockLength } from '../blocks/ada-block.ts';
import { ascendingPlan } from '../blocks/ascending.ts';
import type { Candidates } from '../loop/sampler.ts';
import { gumbelToken } from '../propose/proposers.ts';
import { timeGridCounts, uniformCounts } from '../quota/schedules.ts';
import { endPenaltyFactor } from '../score/scorers.ts';
import { commitCertain } from './entropy-threshold.ts';
import { filterLogits, sigmoid } from './learned-filter.ts';
import { commitAroundAnchors } from './local-leap.ts';
import { commitAbove, commitAboveOrBest, commitByFactor, commitWithinEntropy } from './rules.ts';

const among = (scores: readonly number[], quota: number = scores.length): Candidates => ({
  positions: Int32Array.from(scores.keys()),
  scores: Float64Array.from(scores),
  quota,
});
const sorted = (positions: readonly number[]): number[] => [...positions].sort((a, b) => a - b);

test('even schedules give the remainder to the first steps', () => {
  expect([...uniformCounts(10, 4)]).toEqual([3, 3, 2, 2]);
  expect([...uniformCounts(8, 3)]).toEqual([3, 3, 2]);
});

test("Dream's grid decides nothing at first and two tokens at the end", () => {
  expect([...timeGridCounts(8, { steps: 8 })]).toEqual([0, 1, 1, 1, 1, 1, 1, 2]);
  expect([...timeGridCounts(32, { steps: 8 })]).toEqual([3, 4, 4, 4, 4, 4, 4, 5]);
});

test('ascending plans decide everything once, whatever the length and the blocks', () => {
  expect([...ascendingPlan(16).quota]).toEqual([1, 2, 4, 9]);
  expect([...ascendingPlan(128, 4).blockSizes]).toEqual([15, 16, 32, 65]);
  for (let length = 2; length < 300; length++) {
    for (let blocks = 1; blocks <= Math.floor(Math.log2(length)); blocks++) {
      const { quota, blockSizes, stepCount } = ascendingPlan(length, blocks);
      expect(quota.reduce((sum, count) => sum + count, 0)).toBe(length);
      expect(blockSizes.reduce((sum, size) => sum + size, 0)).toBe(length);
      expect(stepCount.reduce((sum, count) => sum + count, 0)).toBe(quota.length);
    }
  }
});

test('the factor rule, as published and strict', () => {
  const [code, strict] = [true, false].map((compatible) => commitByFactor({ factor: 1, compatible }));
  expect(code(among([0.4, 0.3]))).toHaveLength(2);
  expect(code(among([0.99, 0.98, 0.97, 0.5]))).toHaveLength(4);
  expect(code(among([0.99, 0.97, 0.6, 0.5]))).toHaveLength(2);
  expect(strict(among([0.4, 0.3]))).toHaveLength(1);
  expect(strict(among([0.99, 0.98, 0.97, 0.5]))).toHaveLength(3);
});

test('LocalLeap relaxes the threshold around anchors only', () => {
  const scores = [0.5, 0.8, 0.95, 0.76, 0.7, 0.74, 0.8, 0.3, 0.2, 0.77];
  expect(commitAroundAnchors({ radius: 2 })(among(scores))).toEqual([1, 2, 3]);
  expect(commitAroundAnchors({ radius: 4 })(among(scores))).toEqual([1, 2, 3, 6]);
  expect(commitAroundAnchors()(among([0.1, 0.85, 0.8]))).toEqual([1]);
});

test('LocalLeap commits more for larger radii and lower thresholds, and never less than the threshold rule', () => {
  for (let seed = 0; seed < 50; seed++) {
    const scores = Array.from({ length: 12 }, (_, position) => randomUniform({ seed, position }));
    const run = (radius: number, relaxedThreshold: number): number[] =>
      commitAroundAnchors({ radius, relaxedThreshold })(among(scores));
    expect(run(4, 0.6)).toEqual(expect.arrayContaining(run(2, 0.6)));
    expect(run(2, 0.5)).toEqual(expect.arrayContaining(run(2, 0.7)));
    expect(run(1, 0.8)).toEqual(expect.arrayContaining(commitAbove(0.9)(among(scores))));
  }
});

test('rules of SDAR and dParallel', () => {
  const scores = [0.97, 0.91, 0.6, 0.2];
  expect(commitAboveOrBest(0.9)(among(scores, 1))).toEqual([0, 1]);
  expect(commitAboveOrBest(0.99)(among(scores, 1))).toEqual([0]);
  expect(commitWithinEntropy(0.35)(among([-0.1, -0.2, -0.3]))).toEqual([0, 1]);
  expect(commitWithinEntropy(0)(among([-0.5, -0.2]))).toEqual([1]);
  expect(sorted(commitCertain(0.5)(among([-0.3251, -0.5004, -0.2])))).toEqual([0, 2]);
  expect(commitCertain(-1)(among([-0.3, -0.2]))).toEqual([1]);
});

test('a filter of identities accepts what is above its threshold', () => {
  const identity = [1, 0, 0, 1];
  const filter = { hidden: identity, hiddenBias: [0, 0], output: identity, outputBias: [0, 0] };
  const accepted = Array.from(filterLogits(filter, [0.95, 0.85]), (value) => sigmoid(value) > sigmoid(0.9));
  expect(accepted).toEqual([true, false]);
  expect(filterLogits(filter, [0.5])).toHaveLength(1);
  expect(() => filterLogits(filter, [1, 2, 3])).toThrow('one block size');
});

test('EOSER delays the end at first', () => {
  expect(endPenaltyFactor(2, { steps: 5, schedule: 'linear' })).toBeCloseTo(0.7, 12);
  expect(endPenaltyFactor(0, { steps: 1, schedule: 'ass' })).toBe(1);
});

test('AdaBlock ends a block at the most confident delimiter of the window', () => {
  const confidences = new Map([
    [3, 0.35],
    [7, 0.6],
  ]);
  const at = (index: number) => ({ token: confidences.has(index) ? 1 : 0, confidence: confidences.get(index) ?? 0.9 });
  const run = (delimiterThreshold: number, generated: number = 0): number =>
    adaBlockLength(generated, at, { length: 40, delimiters: new Set([1]), delimiterThreshold });
  expect(run(0.5)).toBe(8);
  expect(run(0.65)).toBe(32);
  expect(run(0.5, 35)).toBe(5);
});

test('Gumbel noise draws from the softmax', () => {
  const logits = [1, 0, -1];
  const counts = [0, 0, 0];
  const draws = 20_000;
  for (let position = 0; position < draws; position++) {
    const uniforms = logits.map((_, purpose) => randomUniform({ seed: 4, position, purpose }) + 2 ** -26);
    counts[gumbelToken(logits, uniforms, 1)]++;
  }
  const total = logits.reduce((sum, value) => sum + Math.exp(value), 0);
  const statistic = logits.reduce((sum, value, token) => {
    const expected = (draws * Math.exp(value)) / total;
    return sum + (counts[token] - expected) ** 2 / expected;
  }, 0);
  expect(statistic).toBeLessThan(13.8); // 2 degrees of freedom, 0.1 %
});
