/** The vocabulary and the merges of a tokenizer.json, from its bytes or from parsed JSON. */
import type { MergeTexts } from '../bpe/build-merges.ts';
import { packStrings } from '../vocabulary/string-table.ts';
import { ByteJsonReader } from './byte-json.ts';
import type { Fields } from './fields.ts';

const OPEN_LIST = 91;
const OPEN_OBJECT = 123;
const SPACE = 32;

/** Packed strings that grow. */
class Stretches {
  starts: Uint32Array = new Uint32Array(4096);
  lengths: Uint32Array = new Uint32Array(4096);
  count = 0;

  push(start: number, end: number): void {
    if (this.count === this.starts.length) {
      this.starts = doubled(this.starts);
      this.lengths = doubled(this.lengths);
    }
    this.starts[this.count] = start;
    this.lengths[this.count++] = end - start;
  }
}

function doubled(array: Uint32Array): Uint32Array {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** Token texts with what stands beside each: an id or a score. */
export interface TokenTexts {
  readonly data: Uint8Array;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  readonly numbers: readonly number[];
}

/** The large parts of a file. */
export interface LargeParts {
  readonly vocabulary: TokenTexts | undefined;
  readonly merges: MergeTexts | undefined;
}

function readTokens(reader: ByteJsonReader): TokenTexts {
  const texts = new Stretches();
  const numbers: number[] = [];
  if (reader.peek() === OPEN_OBJECT) {
    reader.members(() => {
      texts.push(reader.start, reader.stop);
      numbers.push(reader.integer());
    });
  } else {
    reader.elements(() => {
      reader.expect(OPEN_LIST);
      reader.string();
      texts.push(reader.start, reader.stop);
      reader.expect(44);
      numbers.push(reader.number());
      reader.expect(93);
    });
  }
  return { data: reader.bytes, ...packed(texts), numbers };
}

function packed(texts: Stretches): { starts: Uint32Array; lengths: Uint32Array } {
  return { starts: texts.starts.subarray(0, texts.count), lengths: texts.lengths.subarray(0, texts.count) };
}

function readMerges(reader: ByteJsonReader): MergeTexts {
  const left = new Stretches();
  const right = new Stretches();
  reader.elements(() => {
    const isPair = reader.skipIf(OPEN_LIST);
    reader.string();
    if (isPair) {
      left.push(reader.start, reader.stop);
      reader.expect(44);
      reader.string();
      right.push(reader.start, reader.stop);
      reader.expect(93);
      return;
    }
    const space = reader.bytes.subarray(reader.start, reader.stop).indexOf(SPACE);
    if (space < 0) throw reader.fail('a merge "left right"');
    left.push(reader.start, reader.start + space);
    right.push(reader.start + space + 1, reader.stop);
  });
  return { data: reader.bytes, left: packed(left), right: packed(right) };
}

/** A file in two: its large parts, and JSON text with empty ones in their place. */
export interface SplitFile {
  readonly parts: LargeParts;
  readonly rest: string;
}

/**
 * Takes the large parts out of a tokenizer.json.
 * @throws GallopError `invalid-file` where they are not well formed; the rest is left to JSON.parse.
 */
export function splitFile(file: Uint8Array): SplitFile {
  // A copy, because strings are unescaped in place; untouched bytes for what remains.
  const reader = new ByteJsonReader(new Uint8Array(file));
  const kept: string[] = [];
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const parts: { vocabulary?: TokenTexts; merges?: MergeTexts } = {};
  let done = 0;
  const cutOut = <Part>(placeholder: string, read: () => Part): Part => {
    kept.push(decoder.decode(file.subarray(done, reader.at)), placeholder);
    const part = read();
    done = reader.at;
    return part;
  };
  reader.members(() => {
    if (!reader.isString('model') || reader.peek() !== OPEN_OBJECT) return reader.skipValue();
    reader.members(() => {
      const first = reader.peek();
      if (reader.isString('vocab') && (first === OPEN_OBJECT || first === OPEN_LIST)) {
        parts.vocabulary = cutOut(first === OPEN_OBJECT ? '{}' : '[]', () => readTokens(reader));
      } else if (reader.isString('merges') && first === OPEN_LIST) {
        parts.merges = cutOut('[]', () => readMerges(reader));
      } else reader.skipValue();
    });
  });
  kept.push(decoder.decode(file.subarray(done)));
  return { parts: { vocabulary: parts.vocabulary, merges: parts.merges }, rest: kept.join('') };
}

/** The large parts of parsed JSON. */
export function partsOfJson(model: Fields): LargeParts {
  return { vocabulary: tokensOfJson(model), merges: mergesOfJson(model) };
}

function tokensOfJson(model: Fields): TokenTexts | undefined {
  const value = model.raw('vocab');
  const numbers: number[] = [];
  const texts: string[] = [];
  if (Array.isArray(value)) {
    for (const entry of value) {
      const valid = Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number';
      if (!valid) throw model.fail('vocab', 'a list of [text, score]');
      texts.push(entry[0]);
      numbers.push(entry[1]);
    }
  } else {
    model.object('vocab');
    const object = value as Record<string, number>;
    for (const text of Object.keys(object)) {
      texts.push(text);
      numbers.push(object[text]);
    }
  }
  return { ...packStrings(texts), numbers };
}

function mergesOfJson(model: Fields): MergeTexts | undefined {
  if (model.raw('merges') === undefined) return undefined;
  const left: string[] = [];
  const right: string[] = [];
  for (const merge of model.list('merges')) {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    const valid = Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === 'string');
    if (!valid) throw model.fail('merges', 'a list of "left right" or [left, right]');
    left.push(pair[0]);
    right.push(pair[1]);
  }
  const both = packStrings([...left, ...right]);
  const half = left.length;
  return {
    data: both.data,
    left: { starts: both.starts.subarray(0, half), lengths: both.lengths.subarray(0, half) },
    right: { starts: both.starts.subarray(half), lengths: both.lengths.subarray(half) },
  };
}
