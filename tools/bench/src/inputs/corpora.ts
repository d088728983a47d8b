/**
 * Texts to tokenize. Ordinary ones come from what every checkout has: the installed packages' READMEs, this workspace's
 * own sources, and the Chinese messages of the TypeScript compiler. Worst cases are made: a megabyte without anything to
 * split at, which a method of quadratic time does not survive.
 */

import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Corpus {
  readonly name: string;
  /** Texts of the same kind, to make a program warm with; none is measured, since libraries remember words. */
  readonly warmUp: readonly string[];
  /** Texts to encode one by one. */
  readonly documents: readonly string[];
}

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const MEGABYTE = 1_000_000;
const DOCUMENT_CHARACTERS = 4000;

/** Texts of about 4000 characters, cut at line ends, up to `characters` in all. */
export const splitDocuments = (text: string, characters: number = MEGABYTE): readonly string[] => {
  const documents: string[] = [];
  const end = Math.min(text.length, characters);
  for (let from = 0; from < end; ) {
    const line = text.indexOf('\n', from + DOCUMENT_CHARACTERS);
    const to = line < 0 || line >= end ? end : line + 1;
    documents.push(text.slice(from, to));
    from = to;
  }
  return documents;
};

const filesText = (pattern: string): string =>
  globSync(pattern, { cwd: root })
    .sort()
    .map((file) => readFileSync(path.join(root, file), 'utf8'))
    .join('\n');

const chineseText = (): string => {
  const require = createRequire(path.join(root, 'package.json'));
  const messages = ['zh-cn', 'zh-tw'].flatMap((language) => {
    const file: unknown = require(`typescript/lib/${language}/diagnosticMessages.generated.json`);
    return Object.values(file as Readonly<Record<string, string>>);
  });
  return messages.join('\n');
};

/** Lower-case letters in an order without a pattern (a linear congruential generator), the same for the same seed. */
const letters = (count: number, seed: number): string => {
  let state = seed;
  const codes = Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 97 + Math.floor((state / 2 ** 32) * 26);
  });
  return new TextDecoder().decode(codes);
};

/** Every second document warms up. */
const ordinary = (name: string, text: string): Corpus => {
  const documents = splitDocuments(text);
  return {
    name,
    warmUp: documents.filter((_, index) => index % 2 === 1),
    documents: documents.filter((_, index) => index % 2 === 0),
  };
};

const WARM_UP_CHARACTERS = 20_000;

/** One document without a place to split at. */
const worstCase = (name: string, characters: number, make: (characters: number, seed: number) => string): Corpus => ({
  name,
  warmUp: [make(WARM_UP_CHARACTERS, 1)],
  documents: [make(characters, 2)],
});

/** All texts; reading them takes a second. */
export const corpora = (): readonly Corpus[] => [
  ordinary('English', filesText('node_modules/.pnpm/*/node_modules/*/README.md')),
  ordinary('code', filesText('packages/*/src/**/*.ts')),
  ordinary('Chinese', chineseText()),
  worstCase('one word of 1 MB', MEGABYTE, letters),
  worstCase('1 MB of spaces', MEGABYTE, (characters) => ' '.repeat(characters)),
  worstCase('1 MB of combining marks', MEGABYTE / 2, (characters) => `e${'\u0301'.repeat(characters)}`),
];
