/** Drafters against obvious references, the cards' worked examples, bounds and saved states. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { treeTemplate } from '../tree/static-tree.ts';
import { buildTrie } from '../tree/trie.ts';
import { cutPaths, draftTrie } from './aded.ts';
import { NgramPool } from './lookahead-pool.ts';
import { promptLookup } from './prompt-lookup.ts';
import { fusePaths, prunedPaths, pruneTrie } from './rasd.ts';
import { RecyclingMatrix } from './recycling-matrix.ts';
import { retrieve, TokenCorpus } from './retrieval.ts';
import { FollowingAutomaton } from './suffix.ts';
import { SuffixAutomaton } from './suffix-automaton.ts';
import { recycledTree } from './token-recycling.ts';
import { puct, searchTrigrams } from './trigram-search.ts';
import { TrigramTable } from './trigram-table.ts';

const texts = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 60 });

/** Longest suffix of `text` that also ends earlier. */
const longestRepeat = (text: readonly number[]): number => {
  for (let length = text.length - 1; length > 0; length--) {
    for (let end = length; end < text.length; end++) {
      if (text.slice(end - length, end).join() === text.slice(text.length - length).join()) return length;
    }
  }
  return 0;
};

describe('SuffixAutomaton', () => {
  test('finds the longest repeat after every token, in time that stays small', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const automaton = new SuffixAutomaton();
        for (const [i, token] of text.entries()) {
          automaton.add(token);
          expect(automaton.match.length).toBe(longestRepeat(text.slice(0, i + 1)));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('counts occurrences', () => {
    const automaton = new SuffixAutomaton();
    for (const token of [1, 2, 1, 2, 1, 3, 1, 2]) automaton.add(token);
    const at = [1, 2].reduce((match, token) => automaton.advance(match, token), { state: 0, length: 0 });
    expect(automaton.occurrences(at.state)).toBe(3);
  });

  test('follows a text that goes on, and starts anew for another', () => {
    const text = new FollowingAutomaton();
    text.follow(Int32Array.of(1, 2, 3, 4));
    text.follow(Int32Array.of(1, 2, 3, 4, 5, 6));
    expect([...text.automaton.tokens]).toEqual([1, 2, 3, 4, 5]);
    text.follow(Int32Array.of(9, 2, 3));
    expect([...text.automaton.tokens]).toEqual([9, 2]);
  });
});

describe('TokenCorpus', () => {
  test('finds what a search from the start finds', () => {
    fc.assert(
      fc.property(texts, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }), (text, sequence) => {
        const expected = text.flatMap((_, i) =>
          text.slice(i, i + sequence.length).join() === sequence.join() ? [i] : [],
        );
        expect([...new TokenCorpus(Int32Array.from(text)).find(sequence)]).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test('retrieves nothing where nothing matches, and refuses counts that are none', () => {
    const corpus = new TokenCorpus(Int32Array.of(1, 2, 3));
    expect(retrieve(corpus, Int32Array.of(9, 9)).suffixLength).toBe(0);
    expect(retrieve(new TokenCorpus(new Int32Array()), Int32Array.of(9, 9)).prefixes).toEqual([]);
    expect(() => retrieve(corpus, Int32Array.of(1), { choices: 0 })).toThrow(/choices/);
  });
});

describe('promptLookup', () => {
  test('cuts before an end token and at the greatest length', () => {
    const text = Int32Array.of(1, 2, 7, 8, 9, 1, 2);
    expect([...promptLookup(text)]).toEqual([7, 8, 9, 1, 2]);
    expect([...promptLookup(text, { endTokens: new Set([8]) })]).toEqual([7]);
    expect([...promptLookup(text, { maxLength: 8 })]).toEqual([]);
    expect([...promptLookup(text, { maxLength: 4 })]).toEqual([7, 8]);
    expect([...promptLookup(text, { mode: 'spec-bench', numPredicted: 3 })]).toEqual([7, 8, 9]);
  });

  test('refuses a text shorter than the n-gram where the published code does', () => {
    expect(() => promptLookup(Int32Array.of(1, 2), { mode: 'spec-bench' })).toThrow(/at least maxNgram/);
    expect(promptLookup(Int32Array.of(1))).toHaveLength(0);
  });
});

describe('RecyclingMatrix', () => {
  test('stays within 2 MB for any vocabulary', () => {
    for (const vocabSize of [100, 49_152, 128_256, 262_144]) {
      expect(new RecyclingMatrix({ vocabSize }).bytes()).toBeLessThanOrEqual(2e6);
    }
  });

  test('reads drafts off as the worked example does', () => {
    const matrix = new RecyclingMatrix({ vocabSize: 6, topK: 2 });
    for (const [token, row] of [
      [3, [4, 5]],
      [4, [2, 1]],
      [5, [0, 3]],
    ] as const)
      matrix.set(token, row);
    const { tokens, parent } = recycledTree(treeTemplate([[0], [1], [0, 0], [0, 1], [1, 0]]), matrix, 3);
    expect([[...tokens], [...parent]]).toEqual([
      [3, 4, 5, 2, 1, 0],
      [-1, 0, 0, 1, 1, 2],
    ]);
  });

  test('goes on from saved rows with the same drafts, and refuses other bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 299_999 }), fc.integer({ min: 0, max: 99 }))), (rows) => {
        const options = { vocabSize: 300_000, topK: 3, maximumBytes: 20_000 };
        const matrix = new RecyclingMatrix(options);
        for (const [token, value] of rows) matrix.set(token, [value, value + 1, value + 2]);
        const copy = new RecyclingMatrix(options);
        copy.restore(matrix.save());
        for (const [token] of rows) expect(copy.get(token)).toEqual(matrix.get(token));
      }),
      { numRuns: 50 },
    );
    const matrix = new RecyclingMatrix({ vocabSize: 10, topK: 2 });
    for (const bytes of [new Uint8Array(), new Uint8Array(7), new RecyclingMatrix({ vocabSize: 11, topK: 2 }).save()]) {
      expect(() => matrix.restore(bytes)).toThrow(/saved matrix/);
    }
    matrix.set(3, [4, 5]);
    const broken = matrix.save();
    new DataView(broken.buffer).setInt32(20, 99, true);
    expect(() => matrix.restore(broken)).toThrow(/ids below 10/);
  });
});

describe('ADED', () => {
  test('values children and bumps as the worked examples say', () => {
    expect(puct({ score: 3.2, visits: 2, prior: 0.5 }, 5)).toBeCloseTo(13.734252, 5);
    expect(puct({ score: 1.4, visits: 1, prior: 0.2 }, 5)).toBeCloseTo(8.680551, 5);
    const table = new TrigramTable();
    for (let call = 0; call < 80; call++) table.bump([1, 2, 3, 4]);
    expect(table.weight(1, 2, 3)).toBe(3);
    expect(table.size).toBe(2);
  });

  test('searches as the worked example does', () => {
    const table = new TrigramTable();
    for (const [a, b, c, weight] of [
      [1, 2, 3, 0.7],
      [1, 2, 4, 0.3],
      [2, 3, 5, 1],
      [3, 5, 6, 1],
      [2, 4, 7, 1],
    ])
      table.set(a, b, c, weight);
    const { drafts, nodes } = searchTrigrams(table, [1, 2], () => 0.5, { scoreToken: 'intended' });
    expect(drafts).toEqual([
      [3, 5],
      [3, 5, 6],
      [4, 7],
    ]);
    expect(nodes.map(({ visits }) => visits)).toEqual([150, 118, 118, 117, 32, 31]);
    expect(draftTrie(2, drafts).tokens).toHaveLength(6);
  });

  test('forgets the rows touched longest ago', () => {
    const table = new TrigramTable(3);
    for (let a = 0; a < 5; a++) table.set(a, 0, 0, 1);
    table.set(2, 0, 1, 1);
    table.set(9, 0, 0, 1);
    expect([2, 3, 4, 9].map((a) => table.weight(a, 0, 0))).toEqual([1, 0, 1, 1]);
  });

  test('cuts the most diverse path first, or the least visited', () => {
    const paths = [[1], [1, 2, 3], [4, 5]];
    expect(cutPaths(paths, 4)).toEqual([[1], [4, 5]]);
    expect(cutPaths(paths, 4, 'visits')).toEqual([[1], [1, 2, 3]]);
  });
});

test('RASD prunes and fuses as the worked example does', () => {
  const [a, b, c, d, e, x, z] = [0, 1, 2, 3, 4, 5, 6];
  const trie = buildTrie(
    -1,
    [
      [a, c, d, e],
      [a, x],
      [z, a],
    ],
    [3, 1, 5],
  );
  const pruned = pruneTrie(trie, [0.6, 0.3, 0, 0, 0, 0, 0.001], { topTokens: 2, budget: 4 });
  expect([...pruned.scores]).toEqual([1, 0.6, expect.closeTo(0.45), expect.closeTo(0.45), expect.closeTo(0.45)]);
  const draft = { tokens: Int32Array.of(-1, a, b, c), parent: Int32Array.of(-1, 0, 0, 1) };
  const fused = fusePaths(draft, prunedPaths(pruned), 64);
  expect([[...fused.tokens], [...fused.parent], [...fused.retrieved]]).toEqual([
    [-1, a, b, c, d, e],
    [-1, 0, 0, 1, 3, 4],
    [0, 0, 0, 0, 1, 1],
  ]);
});

test('NgramPool keeps the newest continuations of a token', () => {
  const pool = new NgramPool({ level: 3, guessSetSize: 2 });
  pool.fill([1, 2, 3, 1, 2, 4, 1, 2, 3]);
  expect(pool.get(1)).toEqual([
    [2, 4],
    [2, 3],
  ]);
});
