/**
 * Verifiers keep the target's distribution: whole generations over tables of probabilities against the exact distribution of
 * the text (chi-square), and a biased rule that the same test finds.
 */
import { describe, expect, test } from 'vitest';
import { draftModelDrafter } from '../drafters/draft-model.ts';
import type { Drafter } from '../loop/drafter.ts';
import type { Verification } from '../loop/verification.ts';
import { tableModel } from '../models/table-model.ts';
import { generateTokens, randomTable } from '../testing/worlds.ts';
import type { DraftTree, SampledGroup } from '../tree/draft-tree.ts';
import { chooseFromProbabilities } from './distribution.ts';

const V = 4;
const LENGTH = 3;
const RUNS = 6000;
const targetTable = randomTable(V, 1, 3);
const draftTable = randomTable(V, 2, 3);
const target = tableModel(targetTable);

/** A tree of drawn drafts: `branching[d]` children for each node of depth d. */
const treeDrafter = (branching: readonly number[], replacement: boolean, sort: boolean = false): Drafter => ({
  name: 'drawn tree',
  propose: ({ tokens: text, uniform }) => {
    const tokens = [text[text.length - 1]];
    const parent = [-1];
    const sampled = new Map<number, SampledGroup>();
    let draws = 0;
    let level = [0];
    for (const count of branching) {
      const next: number[] = [];
      for (const node of level) {
        const probabilities = draftTable[tokens[node]];
        const left = Float64Array.from(probabilities);
        const drawn = Array.from({ length: count }, () => {
          const token = chooseFromProbabilities(left, uniform(draws++));
          if (!replacement) left[token] = 0;
          return token;
        });
        if (sort) drawn.sort((a, b) => probabilities[b] - probabilities[a]);
        for (const token of drawn) {
          next.push(tokens.push(token) - 1);
          parent.push(node);
        }
        sampled.set(node, { probabilities, replacement, count });
      }
      level = next;
    }
    return { tokens: Int32Array.from(tokens), parent: Int32Array.from(parent), sampled } satisfies DraftTree;
  },
});

/** Chi-square of the first tokens of many runs against the exact distribution. */
const chiSquare = async (drafter: Drafter, verification: Verification): Promise<number> => {
  const counts = new Float64Array(V ** LENGTH);
  for (let seed = 0; seed < RUNS; seed++) {
    const { tokens } = await generateTokens(target, [0, 1], {
      maxTokens: LENGTH,
      temperature: 1,
      seed,
      drafter,
      verification,
      onFault: 'throw',
    });
    counts[tokens.reduce((index, token) => index * V + token, 0)]++;
  }
  let statistic = 0;
  for (let index = 0; index < counts.length; index++) {
    const digits = [Math.floor(index / (V * V)), Math.floor(index / V) % V, index % V];
    const expected =
      RUNS * targetTable[1][digits[0]] * targetTable[digits[0]][digits[1]] * targetTable[digits[1]][digits[2]];
    statistic += (counts[index] - expected) ** 2 / expected;
  }
  return statistic;
};

/** 63 degrees of freedom: above this once in 10 000. */
const CRITICAL = 113;

const chain = (): Drafter =>
  draftModelDrafter({ model: tableModel(draftTable), drafting: 'sampled', maximum: 3, endTokens: new Set() });
const cases: readonly (readonly [string, () => Drafter, Verification])[] = [
  ['a chain by rejection', chain, 'rejection'],
  ['a chain as a block', chain, 'block'],
  ['a chain, automatically', chain, 'auto'],
  ['a chain by traversal', chain, 'traversal'],
  ['a tree with replacement by rejection', () => treeDrafter([2, 2], true), 'rejection'],
  ['a tree with replacement by traversal', () => treeDrafter([2, 2], true), 'traversal'],
  ['a tree without replacement by rejection', () => treeDrafter([3, 1], false), 'rejection'],
  ['a tree without replacement by traversal', () => treeDrafter([3, 1], false), 'auto'],
  ['a drawn tree by walking', () => treeDrafter([2, 2], false), 'walk'],
];

describe('the text follows the target, drafted as', () => {
  test.each(cases)('%s', async (_, make, verification) => {
    expect(await chiSquare(make(), verification)).toBeLessThan(CRITICAL);
  });

  test('and siblings sorted by value, which is biased, are found out', async () => {
    expect(await chiSquare(treeDrafter([2, 2], false, true), 'rejection')).toBeGreaterThan(CRITICAL);
  });
});
