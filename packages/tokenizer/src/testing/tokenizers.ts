/** Tokenizers for tests: those of the recorded cases, and small ones written out. */
import { readFileSync } from 'node:fs';
import { tokenizerFromJson } from '../json/tokenizer-from-json.ts';
import type { Tokenizer } from '../tokenizer.ts';

const folder = new URL('../../../../tools/conformance/cases/tokenizer/models/', import.meta.url);
const loaded = new Map<string, Tokenizer>();

/** A tokenizer of the recorded cases. */
export function recorded(name: string): Tokenizer {
  let tokenizer = loaded.get(name);
  if (!tokenizer) {
    tokenizer = tokenizerFromJson(readFileSync(new URL(`${name}/tokenizer.json`, folder)));
    loaded.set(name, tokenizer);
  }
  return tokenizer;
}

/** A tokenizer.json around a model, as an object. */
export function file(model: object, parts: object = {}): object {
  const empty = { truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: null };
  return { version: '1.0', ...empty, post_processor: null, decoder: null, model, ...parts };
}

/** Token texts as a vocabulary with ids in order. */
export function vocabulary(...tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

/** An added token with all flags off but those given. */
export function added(id: number, content: string, flags: object = {}): object {
  const off = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
  return { id, content, ...off, ...flags };
}
