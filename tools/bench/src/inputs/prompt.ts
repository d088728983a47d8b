/** The prompt of the speed benchmarks: the same ids for every engine, of English prose rather than random ids. */

import { readFileSync } from 'node:fs';
import { GallopError } from '@gallop/core';
import type { GgufMetadata } from '@gallop/formats';
import { tokenizerFromGguf } from '@gallop/tokenizer';

/** The opening of "Alice's Adventures in Wonderland" (Lewis Carroll, 1865; public domain). */
const proseText = (): string => readFileSync(new URL('./prompt.txt', import.meta.url), 'utf8');

export interface ModelPrompt {
  readonly ids: readonly number[];
  /** Text of the ids, without special tokens. */
  readonly text: string;
}

/**
 * Exactly `count` ids of prose for the model that the metadata describes, its beginning token first.
 *
 * @throws GallopError `invalid-file` for a vocabulary without English
 */
export const modelPrompt = (metadata: GgufMetadata, count: number): ModelPrompt => {
  const tokenizer = tokenizerFromGguf(metadata);
  const prose = proseText();
  const again = tokenizer.encode(prose, { addSpecialTokens: false });
  if (again.length === 0) {
    throw new GallopError(
      'invalid-file',
      'Expected a vocabulary that covers English; received one that has no token for it; name another model.',
    );
  }
  const ids = [...tokenizer.encode(prose)];
  while (ids.length < count) ids.push(...again);
  ids.length = count;
  return { ids, text: tokenizer.decode(Int32Array.from(ids), { skipSpecialTokens: true }) };
};
