/**
 * What committed files must not contain: paths of one machine, and hosts of package registries (a lockfile that names
 * one installs from nowhere else). Also lists, as warnings, files that have grown too long or too large.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Findings, trackedFiles } from './workspace.ts';

const longestSource = 400;
const largestFile = 1 << 20;

interface TextRule {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files that the rule looks at; all when absent. */
  readonly files?: RegExp;
}

const rules: readonly TextRule[] = [
  {
    what: 'a path of one machine',
    pattern: /(?:(?<![\w.~$}*/-])|(?<=file:\/\/))\/(?:root|home|Users|work|farm)\/[\w.-]+/,
  },
  { what: 'a path of one machine', pattern: /\b[A-Z]:\\Users\\\w+/ },
  {
    what: 'a package registry',
    pattern: /\bregistry\.[\w-]+\.(?:org|com|io)\b|\bfiles\.pythonhosted\.|\bpypi\.org\/simple|\bnpmmirror\./,
  },
  {
    what: 'where a package comes from',
    pattern: /\btarball: |"resolved": /,
    files: /(?:^|\/)(?:pnpm-lock\.yaml|package-lock\.json)$/,
  },
];

/** What is wrong with the text of a file, one finding a line. */
export function judgeText(file: string, text: string): string[] {
  return text.split('\n').flatMap((line, index) =>
    rules
      .filter((rule) => rule.files?.test(file) ?? true)
      .flatMap((rule) => {
        const match = rule.pattern.exec(line);
        return match ? [`${file}:${index + 1} names ${rule.what}: ${match[0].trim()}`] : [];
      }),
  );
}

const judgeSize = (file: string, contents: Buffer, text: string | undefined): string[] => {
  const warnings: string[] = [];
  if (contents.length > largestFile) warnings.push(`${file} has ${(contents.length / 2 ** 20).toFixed(1)} MiB`);
  const lines = /\.(ts|tsx|mjs|cjs|c|h|wgsl)$/.test(file) ? (text?.split('\n').length ?? 1) - 1 : 0;
  if (lines > longestSource) warnings.push(`${file} has ${lines} lines (more than ${longestSource})`);
  return warnings;
};

/** Checks every tracked file of the repository at `root`. */
export function checkText(root: string): Findings {
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const file of trackedFiles(root)) {
    const contents = readFileSync(path.join(root, file));
    const text = contents.subarray(0, 8192).includes(0) ? undefined : contents.toString('utf8');
    warnings.push(...judgeSize(file, contents, text));
    if (text !== undefined) problems.push(...judgeText(file, text));
  }
  return { problems, warnings };
}
