/** Turns merges as they stand in a model file, pairs of token texts, into a PairTable. */
import { GallopError } from '@gallop/core';
import { packStrings, type StringTable } from '../vocabulary/string-table.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { PairTable } from './pair-table.ts';

const SPACE = 32;

interface Stretches {
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
}

/** Left and right texts of merges in rank order, all stretches of one array of UTF-8 bytes. */
export interface MergeTexts {
  readonly data: Uint8Array;
  readonly left: Stretches;
  readonly right: Stretches;
}

/** Merges of a GGUF file, "left right" with the space after position 0; one that names an unknown token never happens. */
export function mergesFromTable(vocabulary: Vocabulary, merges: StringTable): PairTable {
  const { data, starts, lengths } = packStrings(merges);
  const count = starts.length;
  const left: Stretches = { starts, lengths: new Uint32Array(count) };
  const right: Stretches = { starts: new Uint32Array(count), lengths: new Uint32Array(count) };
  for (let rank = 0; rank < count; rank++) {
    const end = starts[rank] + lengths[rank];
    let middle = starts[rank] + 1;
    while (middle < end && data[middle] !== SPACE) middle++;
    if (middle >= end) throw invalidMerge(rank, JSON.stringify(merges.at(rank)));
    left.lengths[rank] = middle - starts[rank];
    right.starts[rank] = middle + 1;
    right.lengths[rank] = end - middle - 1;
  }
  return build(vocabulary, { data, left, right }, 0, false);
}

/**
 * Merges of a tokenizer.json.
 * @param prefix what a token inside a word starts with; left out of the right part of a product.
 * @throws GallopError `invalid-file` where a part or the product is no token.
 */
export function mergesFromTexts(vocabulary: Vocabulary, merges: MergeTexts, prefix: string): PairTable {
  return build(vocabulary, merges, new TextEncoder().encode(prefix).length, true);
}

function build(vocabulary: Vocabulary, merges: MergeTexts, skip: number, strict: boolean): PairTable {
  const { data, left, right } = merges;
  const count = left.starts.length;
  const lefts = new Int32Array(count);
  const rights = new Int32Array(count);
  const products = new Int32Array(count);
  for (let rank = 0; rank < count; rank++) {
    const start = left.starts[rank];
    const middle = start + left.lengths[rank];
    const from = right.starts[rank];
    const end = from + right.lengths[rank];
    lefts[rank] = vocabulary.find(data, start, middle);
    rights[rank] = vocabulary.find(data, from, end);
    products[rank] = vocabulary.findJoined(data, start, middle, Math.min(from + skip, end), end);
    if (lefts[rank] >= 0 && rights[rank] >= 0 && products[rank] >= 0) continue;
    if (strict) {
      const text = (at: number, to: number): string => new TextDecoder().decode(data.subarray(at, to));
      throw invalidMerge(rank, JSON.stringify([text(start, middle), text(from, end)]));
    }
    lefts[rank] = -1;
  }
  return new PairTable(lefts, rights, products);
}

function invalidMerge(rank: number, merge: string): GallopError {
  return new GallopError(
    'invalid-file',
    `Expected merge ${rank} to join two tokens of the vocabulary into a third; received ${merge.slice(0, 120)}. Use the vocabulary and merges of one tokenizer.`,
  );
}
