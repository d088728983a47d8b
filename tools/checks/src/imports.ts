/** Reads which modules a TypeScript file names: imports, re-exports, dynamic imports and `new URL(…, import.meta.url)`. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** A module specifier and the file (full path) that names it. */
export interface ImportSite {
  readonly file: string;
  readonly specifier: string;
}

const locatedFile = /new URL\(\s*['"`](\.[^'"`]*)['"`]\s*,\s*import\.meta\.url/g;

/** Every specifier in a source text, in no particular order. */
export function specifiersOf(source: string): string[] {
  const imported = ts.preProcessFile(source, true, true).importedFiles.map(({ fileName }) => fileName);
  const located = [...source.matchAll(locatedFile)].map((match) => match[1] as string);
  return [...imported, ...located];
}

/** All imports of the TypeScript sources below a folder; none when the folder does not exist. */
export function importsBelow(folder: string): ImportSite[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return names
    .filter((name) => /\.(ts|tsx|mts)$/.test(name))
    .map((name) => path.join(folder, name))
    .flatMap((file) => specifiersOf(readFileSync(file, 'utf8')).map((specifier) => ({ file, specifier })));
}
