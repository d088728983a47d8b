/** Reads the merges of a model file into a PairTable. */
import { GallopError } from '@gallop/core';
import { writeStringUtf8 } from '../text/code-points.ts';
import { packStrings, type StringTable } from '../vocabulary/string-table.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { PairTable } from './pair-table.ts';

const SPACE = 32;

/** Collects merges in rank order. */
class MergeList {
  readonly #vocabulary: Vocabulary;
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #product: Int32Array;
  #joined: Uint8Array = new Uint8Array(512);

  constructor(vocabulary: Vocabulary, count: number) {
    this.#vocabulary = vocabulary;
    this.#left = new Int32Array(count);
    this.#right = new Int32Array(count);
    this.#product = new Int32Array(count);
  }

  /**
   * Sets a merge of bytes[start, middle) and bytes[from, end); `skip` leading bytes of the right part are left out of the
   * product. Returns false if one of the three is no token.
   */
  set(rank: number, bytes: Uint8Array, start: number, middle: number, from: number, end: number, skip = 0): boolean {
    const length = middle - start + Math.max(0, end - from - skip);
    if (this.#joined.length < length) this.#joined = new Uint8Array(length * 2);
    let at = 0;
    for (let index = start; index < middle; index++) this.#joined[at++] = bytes[index];
    for (let index = from + skip; index < end; index++) this.#joined[at++] = bytes[index];
    const left = this.#vocabulary.find(bytes, start, middle);
    const right = this.#vocabulary.find(bytes, from, end);
    const product = this.#vocabulary.find(this.#joined, 0, at);
    const complete = left >= 0 && right >= 0 && product >= 0;
    this.#left[rank] = complete ? left : -1;
    this.#right[rank] = right;
    this.#product[rank] = product;
    return complete;
  }

  table(): PairTable {
    return new PairTable(this.#left, this.#right, this.#product);
  }
}

/** Merges of a GGUF file, "left right" with the space after position 0; one that names an unknown token never happens. */
export function mergesFromTable(vocabulary: Vocabulary, merges: StringTable): PairTable {
  const { data, starts, lengths } = packStrings(merges);
  const list = new MergeList(vocabulary, starts.length);
  for (let rank = 0; rank < starts.length; rank++) {
    const start = starts[rank];
    const end = start + lengths[rank];
    let middle = start + 1;
    while (middle < end && data[middle] !== SPACE) middle++;
    if (middle >= end) throw invalidMerge(rank, merges.at(rank));
    list.set(rank, data, start, middle, middle + 1, end);
  }
  return list.table();
}

/**
 * Merges of a tokenizer.json: "left right" or [left, right].
 * @param prefix what a token inside a word starts with; left out of the right part of a product.
 * @throws GallopError `invalid-file` for another form, or where a part or the product is no token.
 */
export function mergesFromJson(vocabulary: Vocabulary, merges: readonly unknown[], prefix: string): PairTable {
  const list = new MergeList(vocabulary, merges.length);
  const skip = new TextEncoder().encode(prefix).length;
  let bytes = new Uint8Array(1024);
  for (let rank = 0; rank < merges.length; rank++) {
    const merge = merges[rank];
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string' || typeof pair[1] !== 'string') {
      throw invalidMerge(rank, merge);
    }
    const [left, right] = pair as [string, string];
    const room = 3 * (left.length + right.length);
    if (bytes.length < room) bytes = new Uint8Array(room * 2);
    const middle = writeStringUtf8(left, bytes, 0);
    const end = writeStringUtf8(right, bytes, middle);
    if (!list.set(rank, bytes, 0, middle, middle, end, skip)) {
      throw new GallopError(
        'invalid-file',
        `Expected merge ${rank} to join two tokens of the vocabulary into a third; received ${JSON.stringify(pair)}. Use the vocabulary and merges of one tokenizer.`,
      );
    }
  }
  return list.table();
}

function invalidMerge(rank: number, merge: unknown): GallopError {
  return new GallopError(
    'invalid-file',
    `Expected merge ${rank} as two tokens, "left right" or [left, right]; received ${String(JSON.stringify(merge)).slice(0, 80)}. Check the merges of the tokenizer.`,
  );
}
