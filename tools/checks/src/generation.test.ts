import { expect, test } from 'vitest';
import { compareOutcomes } from './generation.ts';

test('equal texts are fine, and a missing backend is a warning', () => {
  const outcomes = [
    { where: 'native', missing: 'no C compiler' },
    { where: 'wasm', text: ' Paris' },
    { where: 'old wasm', text: ' Paris' },
  ];
  expect(compareOutcomes(outcomes)).toEqual({ problems: [], warnings: ['native: no C compiler'] });
});

test('a text that differs, an empty text and no text at all are problems', () => {
  const different = compareOutcomes([
    { where: 'native', text: ' Paris' },
    { where: 'wasm', text: ' Lyon' },
  ]);
  expect(different.problems).toEqual(['wasm wrote " Lyon"; native " Paris"']);
  expect(compareOutcomes([{ where: 'wasm', text: '' }]).problems).toEqual(['the generated text is empty']);
  expect(compareOutcomes([{ where: 'native', missing: 'no' }]).problems).toEqual(['no backend could generate']);
});
