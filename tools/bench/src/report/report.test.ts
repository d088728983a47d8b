import { describe, expect, test } from 'vitest';
import { describeMachine } from '../harness/machine.ts';
import { figure, ratioFigure, shareFigure } from './figures.ts';
import { atLeast, atMost, goalCell, reaches } from './goal.ts';
import { jsonOf, markdownOf, type Report, textOf, updateDocument } from './report.ts';
import { alignedTable, markdownTable } from './table.ts';

const table = { columns: ['', 'speed'], rows: [['é | x', '12'], ['b']] };
const report: Report = {
  name: 'toy',
  title: 'Toy',
  sections: [{ title: 'Model', table, notes: ['settings: none'] }],
  skipped: ['a peer: not there'],
  data: { results: [1, 2] },
};

describe('tables', () => {
  test('aligned: names to the left, figures to the right, missing cells empty', () => {
    expect(alignedTable(table)).toBe('       speed\n─────  ─────\né | x     12\nb');
  });

  test('Markdown: bars are escaped', () => {
    expect(markdownTable(table)).toBe('|  | speed |\n|---|--:|\n| é \\| x | 12 |\n| b |  |');
  });
});

test('figures have three digits', () => {
  expect([0, 0.01234, 1.234, 56.78, 1234.5, Number.NaN].map(figure)).toEqual([
    ...['0', '0.0123', '1.23', '56.8', '1235', '–'],
  ]);
  expect([ratioFigure(2.499), shareFigure(0.756)]).toEqual(['2.50×', '76 %']);
});

test('goals', () => {
  expect([reaches(2.5, atLeast(2.5)), reaches(2.4, atLeast(2.5)), reaches(1.2, atMost(1))]).toEqual([
    true,
    false,
    false,
  ]);
  expect(goalCell(3, atLeast(2.5), (limit) => `${limit}×`)).toBe('≥ 2.5× met');
  expect(goalCell(1.1, atMost(1), String)).toBe('≤ 1 missed');
});

describe('reports', () => {
  const machine = describeMachine();
  const date = new Date(0);

  test('say the machine, the figures and what is missing', () => {
    for (const text of [textOf(report, machine), markdownOf(report, machine, date)]) {
      expect(text).toContain(`${machine.cores} cores`);
      for (const part of ['Model', 'speed', '12', 'settings: none', 'a peer: not there']) expect(text).toContain(part);
    }
  });

  test('as JSON', () => {
    const parsed: unknown = JSON.parse(jsonOf([report], machine, date));
    expect(parsed).toMatchObject({
      date: '1970-01-01T00:00:00.000Z',
      machine: { cores: machine.cores },
      benchmarks: [{ name: 'toy', skipped: ['a peer: not there'], results: [1, 2] }],
    });
  });

  test('go to their place in a document, and nowhere else', () => {
    const document =
      '# D\n<!-- bench:toy -->\nold\n<!-- /bench:toy -->\nend\n<!-- bench:other --><!-- /bench:other -->';
    const updated = updateDocument(document, 'toy', 'new');
    expect(updated).toBe(document.replace('\nold\n', '\n\nnew\n\n'));
    expect(updateDocument(updated, 'toy', 'new')).toBe(updated);
    expect(() => updateDocument(document, 'none', 'x')).toThrow(/Expected <!-- bench:none -->/);
  });
});
