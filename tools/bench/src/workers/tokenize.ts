/** Loads one tokenizer and encodes one corpus in a fresh process. */

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Tokenizer, tokenizerFromJson } from '@gallop/tokenizer';
import type { Corpus } from '../inputs/corpora.ts';
import { type Job, serve } from './worker.ts';

export interface TokenizeTask {
  /** Module of @huggingface/tokenizers; without it, @gallop/tokenizer. */
  readonly entry?: string;
  /** tokenizer.json. */
  readonly tokenizer: string;
  /** JSON file with a `Corpus`. */
  readonly corpus: string;
  /** Its warm-up texts are encoded again and again for this long, its documents once. */
  readonly warmUpMilliseconds: number;
}

export interface TokenizeRun {
  /** From the file's bytes in memory to a tokenizer, the first time in the process. */
  readonly loadMilliseconds: number;
  /** UTF-8 bytes of text in a second, for documents that were not seen before. */
  readonly bytesPerSecond: number;
  readonly tokens: number;
}

/** The part of @huggingface/tokenizers that is used; it is not a dependency. */
interface Library {
  readonly Tokenizer: new (
    tokenizer: object,
    config: object,
  ) => { encode(text: string, options: { readonly add_special_tokens: false }): { readonly ids: readonly number[] } };
}

/** Encodes a text and tells how many tokens it has. */
type Encode = (text: string) => number;

const gallop = (bytes: Uint8Array): Encode => {
  const tokenizer: Tokenizer = tokenizerFromJson(bytes);
  return (text) => tokenizer.encode(text, { addSpecialTokens: false }).length;
};

const huggingFace = ({ Tokenizer: Peer }: Library, bytes: Uint8Array): Encode => {
  const tokenizer = new Peer(JSON.parse(new TextDecoder().decode(bytes)) as object, {});
  return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids.length;
};

const run = async ({ task }: Job<TokenizeTask>): Promise<TokenizeRun> => {
  const bytes = readFileSync(task.tokenizer);
  const { warmUp, documents } = JSON.parse(readFileSync(task.corpus, 'utf8')) as Corpus;
  const library = task.entry && ((await import(pathToFileURL(task.entry).href)) as Library);
  const loading = performance.now();
  const encode = library ? huggingFace(library, bytes) : gallop(bytes);
  const loadMilliseconds = performance.now() - loading;
  const size = documents.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const start = performance.now();
  do for (const text of warmUp) encode(text);
  while (performance.now() - start < task.warmUpMilliseconds);
  const began = performance.now();
  const tokens = documents.reduce((sum, text) => sum + encode(text), 0);
  return { loadMilliseconds, bytesPerSecond: (size / (performance.now() - began)) * 1000, tokens };
};

await serve(run);
