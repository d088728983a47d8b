import { expect, test } from 'vitest';
import { JAVASCRIPT, OURS } from '../engines/tokenizers.ts';
import { type TokenizerResult, tokenizerSections } from './tokenizer-sections.ts';

const measured = (megabytesPerSecond: number, tokens: number, loadMilliseconds: number): object => ({
  bytesPerSecond: megabytesPerSecond * 1e6,
  tokens,
  loadMilliseconds,
});
const corpus = (name: string, ours: object, theirs: object): TokenizerResult => ({
  corpus: name,
  bytes: 100,
  libraries: [
    { name: OURS, ...ours },
    { name: JAVASCRIPT, ...theirs },
  ],
});

test('speeds, ratios and goals; failures and different counts are told', () => {
  const [encoding, loading] = tokenizerSections(
    [
      corpus('English', measured(10, 7, 120), measured(2, 7, 300)),
      corpus('code', measured(10, 7, 100), measured(5, 8, 310)),
      corpus('a word', measured(1, 7, 110), { failed: 'Maximum call stack size exceeded\n  at x' }),
    ],
    [OURS, JAVASCRIPT],
  );
  expect(encoding.table.rows).toEqual([
    ['English', '10.0', '2.00', '5.00×', '≥ 3× met'],
    ['code', '10.0', '5.00', '2.00×', '≥ 3× missed'],
    ['a word', '1.00', 'failed', '–', ''],
  ]);
  expect(encoding.notes).toEqual([
    `${JAVASCRIPT} on a word: Maximum call stack size exceeded`,
    `code: token counts differ: ${OURS} 7, ${JAVASCRIPT} 8`,
  ]);
  expect(loading.table.rows).toEqual([['loading from memory, ms', '100', '300', '≤ 150 ms met']]);
});
