/** The closed forms of parallel decoding, the random stream, scoring, and measures of order. */
import { expect, test } from 'vitest';
import {
  decodingOrder,
  globalAutoregressiveness,
  localAutoregressiveness,
  orderCorrelation,
  passAtK,
} from '../measure/order.ts';
import { parseList, parseListStrictly } from './parse.ts';
import { perfectAccuracies, shuffleStepAccuracy, totalCorrelation } from './perfect-denoiser.ts';
import { PythonRandom, taskSeed } from './python-random.ts';
import { scoreRemoveRandom, scoreReplaceRandom, scoreShuffle } from './score.ts';
import { printList, waitingLine } from './waiting-line.ts';

const permutations = (items: readonly number[]): number[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
const list = (n: number): number[] => Array.from({ length: n }, (_, index) => index);
const fixed = (values: Float64Array): number[] => Array.from(values, (value) => Number(value.toFixed(4)));

test('what parallel decoding costs a perfect model', () => {
  const shuffles = permutations(list(4));
  expect(fixed(perfectAccuracies(shuffles, 'random'))).toEqual([1, 0.375, 0.375, 0.0938]);
  expect(totalCorrelation(shuffles)).toBeCloseTo(2.3671, 4);
  const changed = shuffles.filter((order) => order.some((item, index) => item !== index));
  expect(fixed(perfectAccuracies(changed, 'random'))).toEqual([1, 0.3989, 0.3654, 0.0919]);
  const replaced = list(5).map((index) => list(5).map((item) => (item === index ? 9 : item)));
  expect(fixed(perfectAccuracies(replaced, 'random'))).toEqual([1, 0.8889, 0.64, 0.8192, 0.4096]);
  const removed = list(4).map((index) => list(4).filter((item) => item !== index));
  expect(fixed(perfectAccuracies(removed, 'left'))).toEqual([1, 0.875, 0.75]);
  const inserted = list(5).map((index) => [...list(4).slice(0, index), 9, ...list(4).slice(index)]);
  expect(fixed(perfectAccuracies(inserted, 'left'))).toEqual([1, 0.4667, 0.272, 0.1824, 0.1229]);
  expect(totalCorrelation([[1, 2, 3]])).toBe(0);
  expect(shuffleStepAccuracy(4, 4)).toBeCloseTo(24 / 256, 12);
});

test('tasks have the published seeds and are made of different words', async () => {
  expect(await taskSeed('waiting_line/copy')).toBe(31940);
  expect(await taskSeed('waiting_line/shuffle')).toBe(30142);
  const words = list(20).map((index) => `Word ${index}`);
  const options = { seed: 1, words, minLength: 3, maxLength: 6, samples: 8, samplesPerLength: 2 };
  for (const task of ['copy', 'shuffle', 'insert_random', 'remove_index'] as const) {
    const { samples, examples } = waitingLine({ ...options, task });
    expect(samples.map(({ metadata }) => metadata.length)).toEqual([3, 3, 4, 4, 5, 5, 6, 6]);
    expect(examples[0]).toHaveLength(8);
    for (const { input } of samples) {
      const items = parseList(String(input.context));
      expect(new Set(items).size).toBe(items.length);
    }
  }
  expect(() => waitingLine({ ...options, task: 'copy', maxLength: 21 })).toThrow('maxLength');
});

test('a sample holds nothing twice, whichever way it is drawn', () => {
  const random = new PythonRandom(7);
  for (const size of [6, 30, 2000]) expect(new Set(random.sample(list(size), 6)).size).toBe(6);
  expect(() => random.choice([])).toThrow('whole number');
});

test('lists are read kindly and strictly', () => {
  expect(parseList('x ["A B", "C"] y')).toEqual(['A B', 'C']);
  expect(parseList(printList(['A', 'B']))).toEqual(['A', 'B']);
  expect(parseListStrictly('["A","B"]')).toBeNull();
  expect(scoreRemoveRandom('["A", "C"]', { input: ['A', 'B', 'C'] }).score).toBe(1);
  expect(scoreRemoveRandom('["C", "A"]', { input: ['A', 'B', 'C'] }).score).toBe(0);
  expect(scoreReplaceRandom('[W, B, C]', { input: ['A', 'B', 'C'], word: 'W' })).toEqual({ score: 1, scoreStrict: 0 });
  expect(scoreShuffle('["A", "B"]', { input: ['A', 'B'] }).score).toBe(0);
});

test('how left to right an order is', () => {
  const local = (order: number[], form: 'set' | 'sequence') =>
    [1, 2, 3].map((k) => localAutoregressiveness(order, k, { form, promptHistory: false }));
  expect(local([0, 1, 2, 3], 'sequence')).toEqual([0.75, 0.5, 0.25]);
  expect(local([1, 0, 2, 3], 'set')).toEqual([0.25, 0.25, 0.25]);
  expect(local([0, 2, 1, 3, 4], 'set')).toEqual([0.2, 0.2, 0.4]);
  expect([1, 2, 3].map((k) => globalAutoregressiveness([3, 2, 1, 0], k))).toEqual([0.25, 0.5, 0.75]);
  expect(localAutoregressiveness([0, 1, 2, 3], 4)).toBe(1);
  expect(orderCorrelation([3, 2, 1, 0]).kendall).toBe(-1);
  expect([
    ...decodingOrder(
      [
        [9, 1],
        [2, 1],
      ],
      9,
    ),
  ]).toEqual([1, 0]);
  expect(passAtK(4, 1, 2)).toBeCloseTo(0.5, 12);
});
