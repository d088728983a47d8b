/** What drafting gained, for people: speed-up and tokens a pass by group of questions, acceptance by depth, exactness. */

import { specBenchReport } from '@gallop/speculative';
import { type Answer, baselineItem, methodItem, type SpeculativeResult } from '../speculative-bench.ts';
import type { Section } from './report.ts';

const GROUPS = ['overall', 'mt_bench', 'translation', 'summarization', 'qa', 'math_reasoning', 'rag'];
const DEPTHS = 6;

const sum = (answers: readonly Answer[], value: (answer: Answer) => number): number =>
  answers.reduce((total, answer) => total + value(answer), 0);

const answersOf = (answers: readonly Answer[], group: string): readonly Answer[] =>
  group === 'overall' ? answers : answers.filter((answer) => answer.group === group);

/** Tokens in all time, method over plain: what a user waits for. */
const speedup = (answers: readonly Answer[], plain: readonly Answer[]): string => {
  const rate = (list: readonly Answer[]): number =>
    sum(list, ({ tokens }) => tokens) / sum(list, ({ seconds }) => seconds);
  return answers.length === 0 ? '' : (rate(answers) / rate(plain)).toFixed(2);
};

const tokensPerPass = (answers: readonly Answer[]): string =>
  answers.length === 0 ? '' : (sum(answers, ({ tokens }) => tokens) / sum(answers, ({ passes }) => passes)).toFixed(2);

/** Share of the drafts of a depth that were accepted, given that the depth above was. */
const acceptance = (answers: readonly Answer[], depth: number): string => {
  const proposed = sum(answers, ({ proposedByDepth }) => proposedByDepth[depth] ?? 0);
  return proposed === 0
    ? ''
    : (sum(answers, ({ acceptedByDepth }) => acceptedByDepth[depth] ?? 0) / proposed).toFixed(2);
};

/** The tables of one model at one temperature. */
export const specSections = (model: string, { temperature, answers }: SpeculativeResult): readonly Section[] => {
  const { none: plain, ...drafted } = answers;
  const methods = Object.entries(drafted);
  const at = `${model}, ${temperature === 0 ? 'greedy' : `temperature ${temperature}`}`;
  const wrong = methods.flatMap(([method, list]) => {
    const count = list.filter(({ identical }) => !identical).length;
    return count > 0 ? [`${method}: ${count} of ${list.length} answers DIFFER from plain decoding`] : [];
  });
  const byGroup = (title: string, cell: (list: readonly Answer[], base: readonly Answer[]) => string): Section => ({
    title: `${title}: ${at}`,
    table: {
      columns: ['', ...GROUPS],
      rows: methods.map(([method, list]) => [
        method,
        ...GROUPS.map((group) => cell(answersOf(list, group), answersOf(plain, group))),
      ]),
    },
    notes: [],
  });
  const published = methods.map(([method, list]) => {
    const { overall } = specBenchReport(list.map(methodItem), plain.map(baselineItem)).groups;
    return `${method} ${overall.speedup.toFixed(2)}`;
  });
  return [
    {
      ...byGroup('decoding speed ÷ plain', speedup),
      notes: [
        `plain: ${(sum(plain, ({ tokens }) => tokens) / sum(plain, ({ seconds }) => seconds)).toFixed(0)} tokens/s`,
        `as Spec-Bench computes it (mean over items): ${published.join(', ')}`,
        ...(wrong.length > 0
          ? wrong
          : [`all ${methods.length * plain.length} answers are those of plain decoding, token for token`]),
      ],
    },
    byGroup('tokens a pass', tokensPerPass),
    {
      title: `acceptance by depth: ${at}`,
      table: {
        columns: [
          '',
          ...Array.from({ length: DEPTHS }, (_, depth) => `depth ${depth + 1}`),
          'rows a pass',
          'ms drafting a pass',
        ],
        rows: methods.map(([method, list]) => [
          method,
          ...Array.from({ length: DEPTHS }, (_, depth) => acceptance(list, depth)),
          (1 + sum(list, ({ drafted: rows }) => rows) / sum(list, ({ passes }) => passes)).toFixed(1),
          (sum(list, ({ draftMilliseconds }) => draftMilliseconds) / sum(list, ({ passes }) => passes)).toFixed(2),
        ]),
      },
      notes: [],
    },
  ];
};
