/** The tokenizers of the recorded cases, one of every kind. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Tokenizer, tokenizerFromJson } from '@gallop/tokenizer';

const folder = fileURLToPath(new URL('../../../conformance/cases/tokenizer/models', import.meta.url));
const loaded = new Map<string, Tokenizer>();

export const tokenizerNames: readonly string[] = globSync('*/tokenizer.json', { cwd: folder })
  .map((file) => path.dirname(file))
  .sort();

/** A tokenizer by name; loaded once. */
export function sharedTokenizer(name: string): Tokenizer {
  let tokenizer = loaded.get(name);
  if (!tokenizer) {
    tokenizer = tokenizerFromJson(readFileSync(path.join(folder, name, 'tokenizer.json')));
    loaded.set(name, tokenizer);
  }
  return tokenizer;
}
