/** Where results go: standard output as text or Markdown, and files that options name. */

import { readFileSync, writeFileSync } from 'node:fs';
import type { Machine } from './harness/machine.ts';
import { jsonOf, markdownOf, type Report, textOf, updateDocument } from './report/report.ts';

export interface OutputOptions {
  /** Print Markdown instead of aligned text. */
  readonly markdown?: true;
  /** Write everything measured to this file. */
  readonly json?: string;
  /** Replace the block of each benchmark in this Markdown document. */
  readonly update?: string;
}

/** Prints a report and puts it into its place in a document. @throws GallopError `invalid-file` without such a place */
export const writeReport = (report: Report, machine: Machine, { markdown, update }: OutputOptions): void => {
  const block = markdownOf(report, machine, new Date());
  process.stdout.write(markdown === true ? `## ${report.title}\n\n${block}\n\n` : textOf(report, machine));
  if (update !== undefined) writeFileSync(update, updateDocument(readFileSync(update, 'utf8'), report.name, block));
};

/** Writes what was measured, one object per report. */
export const writeData = (reports: readonly Report[], machine: Machine, { json }: OutputOptions): void => {
  if (json !== undefined) writeFileSync(json, jsonOf(reports, machine, new Date()));
};
