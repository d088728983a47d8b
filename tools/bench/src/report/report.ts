/**
 * What a benchmark found: sections of notes and tables for people, and the measured data for programs. Printed as aligned
 * text or as Markdown; figures in documents come from here and are not typed.
 */

import { GallopError } from '@gallop/core';
import { type Machine, machineLine } from '../harness/machine.ts';
import { alignedTable, markdownTable, type Table } from './table.ts';

/** One table with what must be known to read it. */
export interface Section {
  readonly title: string;
  readonly table: Table;
  /** Settings, sources and reasons, one line each. */
  readonly notes: readonly string[];
}

export interface Report {
  /** Also names the place in a document that `updateDocument` fills. */
  readonly name: string;
  readonly title: string;
  readonly sections: readonly Section[];
  /** Why parts were left out. */
  readonly skipped: readonly string[];
  /** Everything measured; must survive JSON. */
  readonly data: object;
}

/** For terminals. */
export const textOf = (report: Report, machine: Machine): string =>
  [
    `${report.title}\n${machineLine(machine)}`,
    ...report.sections.map(({ title, table, notes }) => [title, alignedTable(table), ...notes].join('\n')),
    ...report.skipped.map((reason) => `skipped: ${reason}`),
    '',
  ].join('\n\n');

/** For documents: one block that says when and where it was measured. */
export const markdownOf = (report: Report, machine: Machine, date: Date): string =>
  [
    `Measured ${date.toISOString().slice(0, 10)} on ${machineLine(machine)}.`,
    ...report.sections.flatMap(({ title, table, notes }) => [
      `**${title}**`,
      markdownTable(table),
      ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join('\n')] : []),
    ]),
    ...report.skipped.map((reason) => `Skipped: ${reason}`),
  ].join('\n\n');

/** For programs. */
export const jsonOf = (reports: readonly Report[], machine: Machine, date: Date): string => {
  const benchmarks = reports.map(({ name, skipped, data }) => ({ name, skipped, ...data }));
  return `${JSON.stringify({ date: date.toISOString(), machine, benchmarks }, undefined, 2)}\n`;
};

const begin = (name: string): string => `<!-- bench:${name} -->`;
const end = (name: string): string => `<!-- /bench:${name} -->`;

/**
 * Replaces the block between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`.
 *
 * @throws GallopError `invalid-file` when the document has no such block
 */
export const updateDocument = (document: string, name: string, block: string): string => {
  const from = document.indexOf(begin(name));
  const to = document.indexOf(end(name), from);
  if (from < 0 || to < 0) {
    throw new GallopError(
      'invalid-file',
      `Expected ${begin(name)} and ${end(name)} in the document; received one without; add them where the figures belong.`,
    );
  }
  return `${document.slice(0, from)}${begin(name)}\n\n${block}\n\n${document.slice(to)}`;
};
