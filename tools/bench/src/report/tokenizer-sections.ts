/** Tokenizer speeds for people: encoding by corpus, and loading. */

import { JAVASCRIPT, OURS, RUST } from '../engines/tokenizers.ts';
import { minimum } from '../harness/statistics.ts';
import { figure, ratioFigure } from './figures.ts';
import { atLeast, atMost, type Goal, goalCell } from './goal.ts';
import type { Section } from './report.ts';

export interface TokenizerResult {
  readonly corpus: string;
  readonly bytes: number;
  readonly libraries: readonly {
    readonly name: string;
    readonly bytesPerSecond?: number;
    readonly loadMilliseconds?: number;
    readonly tokens?: number;
    readonly failed?: string;
  }[];
}

const RATIO_GOALS: readonly (readonly [peer: string, goal: Goal])[] = [
  [JAVASCRIPT, atLeast(3)],
  [RUST, atLeast(0.5)],
];
const LOAD_GOAL = atMost(150);

export const tokenizerSections = (
  results: readonly TokenizerResult[],
  libraries: readonly string[],
): readonly Section[] => [encodingSection(results, libraries), loadingSection(results, libraries)];

const encodingSection = (results: readonly TokenizerResult[], libraries: readonly string[]): Section => {
  const compared = RATIO_GOALS.filter(([peer]) => libraries.includes(peer));
  const rows = results.map(({ corpus, libraries: measured }) => {
    const speedOf = (name: string): number | undefined =>
      measured.find((library) => library.name === name)?.bytesPerSecond;
    const cells = libraries.map((name) => {
      const speed = speedOf(name);
      return speed === undefined ? 'failed' : figure(speed / 1e6);
    });
    const ratios = compared.flatMap(([peer, goal]) => {
      const [ours, theirs] = [speedOf(OURS), speedOf(peer)];
      if (ours === undefined || theirs === undefined) return ['–', ''];
      return [ratioFigure(ours / theirs), goalCell(ours / theirs, goal, (limit) => `${limit}×`)];
    });
    return [corpus, ...cells, ...ratios];
  });
  const columns = ['encoding, MB/s', ...libraries, ...compared.flatMap(([peer]) => [`gallop ÷ ${peer}`, 'goal'])];
  return { title: 'Encoding', table: { columns, rows }, notes: [...failures(results), ...disagreements(results)] };
};

const failures = (results: readonly TokenizerResult[]): readonly string[] =>
  results.flatMap(({ corpus, libraries }) =>
    libraries.flatMap(({ name, failed }) =>
      failed === undefined ? [] : [`${name} on ${corpus}: ${failed.split('\n')[0]}`],
    ),
  );

const disagreements = (results: readonly TokenizerResult[]): readonly string[] => {
  const different = results.flatMap(({ corpus, libraries }) => {
    const counted = libraries.filter(({ tokens }) => tokens !== undefined);
    if (new Set(counted.map(({ tokens }) => tokens)).size <= 1) return [];
    return [`${corpus}: token counts differ: ${counted.map(({ name, tokens }) => `${name} ${tokens}`).join(', ')}`];
  });
  return different.length > 0
    ? different
    : ['all libraries give the same number of tokens for every text they survive'];
};

const loadingSection = (results: readonly TokenizerResult[], libraries: readonly string[]): Section => {
  const times = libraries.map((name) => {
    const loads = results.flatMap(({ libraries: measured }) => {
      return measured.flatMap((library) => (library.name === name ? [library.loadMilliseconds ?? []].flat() : []));
    });
    return loads.length === 0 ? undefined : minimum(loads);
  });
  const ours = times[libraries.indexOf(OURS)];
  const cells = times.map((time) => (time === undefined ? '–' : figure(time)));
  const goal = ours === undefined ? '' : goalCell(ours, LOAD_GOAL, (limit) => `${limit} ms`);
  return {
    title: 'Loading',
    table: { columns: ['', ...libraries, 'goal'], rows: [['loading from memory, ms', ...cells, goal]] },
    notes: [],
  };
};
