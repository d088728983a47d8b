/**
 * The tokens of a model: text ↔ id. Texts stay packed UTF-8 bytes and the look-up is an open-addressing table of typed
 * arrays, so that a quarter of a million tokens load in tens of milliseconds and no string is made before it is asked for.
 * The hash is FNV-1a from a start value drawn for each vocabulary, so that a hostile file cannot aim at collisions.
 */
import { GallopError } from '@gallop/core';
import { writeStringUtf8 } from '../text/code-points.ts';
import { type PackedStrings, packStrings, type StringTable } from './string-table.ts';

const PRIME = 0x01000193;
const ABSENT = 0xffffffff;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** One step of the hash: takes in a byte. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, PRIME);
}

function slotOf(hash: number, mask: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return (hash ^ (hash >>> 15)) & mask;
}

function withAliases(values: Uint32Array, more: readonly number[] = []): Uint32Array {
  if (more.length === 0) return values;
  const all = new Uint32Array(values.length + more.length);
  all.set(values);
  all.set(more, values.length);
  return all;
}

/** Tokens whose id another text has taken: they are found by text only. */
interface Aliases {
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
  readonly ids: readonly number[];
}

/** Tokens by text and by id. Of two ids with equal text the one added last is found. */
export class Vocabulary {
  /** One more than the largest id. */
  readonly size: number;
  /** Number of tokens in the file: members of a list, different texts of a mapping. */
  readonly count: number;
  /** The start value of the hash of a text. */
  readonly hashStart: number = (Math.random() * 0x100000000) | 0;
  /** Bytes of the longest token. */
  readonly longest: number;
  readonly #data: Uint8Array;
  readonly #starts: Uint32Array;
  readonly #lengths: Uint32Array;
  readonly #mask: number;
  readonly #slotHash: Int32Array;
  /** id + 1, or 0 for an empty slot; from size + 1 on, aliases. */
  readonly #slotId: Int32Array;
  readonly #aliasIds: readonly number[];
  readonly #texts: (string | undefined)[] = [];
  #scratch: Uint8Array = new Uint8Array(256);

  /** Tokens in id order; an entry with starts = 0xffffffff is no token. */
  constructor(packed: PackedStrings, aliases?: Aliases) {
    this.#data = packed.data;
    this.size = packed.starts.length;
    this.#starts = withAliases(packed.starts, aliases?.starts);
    this.#lengths = withAliases(packed.lengths, aliases?.lengths);
    this.#aliasIds = aliases?.ids ?? [];
    const entries = this.#starts.length;
    let capacity = 16;
    while (capacity < entries * 2) capacity *= 2;
    this.#mask = capacity - 1;
    this.#slotHash = new Int32Array(capacity);
    this.#slotId = new Int32Array(capacity);
    let longest = 0;
    let count = 0;
    for (let entry = 0; entry < entries; entry++) {
      if (this.#starts[entry] === ABSENT) continue;
      if (this.#lengths[entry] > longest) longest = this.#lengths[entry];
      if (this.#insert(entry)) count++;
    }
    this.longest = longest;
    this.count = aliases ? count : this.size;
  }

  /** Tokens whose id is their index. */
  static fromTable(table: StringTable): Vocabulary {
    return new Vocabulary(packStrings(table));
  }

  /**
   * Tokens with ids of their own.
   * @throws GallopError `invalid-file` for an id that is no integer, or far above the number of tokens.
   */
  static withIds(packed: PackedStrings, ids: ArrayLike<number>): Vocabulary {
    const count = packed.starts.length;
    const limit = count * 8 + 65_536;
    let size = 0;
    for (let index = 0; index < count; index++) {
      const id = ids[index];
      if (!Number.isInteger(id) || id < 0 || id >= limit) {
        throw new GallopError(
          'invalid-file',
          `Expected token ids from 0 up to about the number of tokens (${count}); received ${id}. Check the vocabulary.`,
        );
      }
      if (id >= size) size = id + 1;
    }
    const starts = new Uint32Array(size).fill(ABSENT);
    const lengths = new Uint32Array(size);
    const aliases = { starts: [] as number[], lengths: [] as number[], ids: [] as number[] };
    for (let index = 0; index < count; index++) {
      const id = ids[index];
      if (starts[id] !== ABSENT) {
        aliases.starts.push(packed.starts[index]);
        aliases.lengths.push(packed.lengths[index]);
        aliases.ids.push(id);
        continue;
      }
      starts[id] = packed.starts[index];
      lengths[id] = packed.lengths[index];
    }
    return new Vocabulary({ data: packed.data, starts, lengths }, aliases);
  }

  /** Returns true for a text that was not there before. */
  #insert(entry: number): boolean {
    const data = this.#data;
    const start = this.#starts[entry];
    const end = start + this.#lengths[entry];
    const hash = this.hash(data, start, end, this.hashStart);
    let slot = slotOf(hash, this.#mask);
    while (this.#slotId[slot] !== 0) {
      if (this.#slotHash[slot] === hash && this.#equals(this.#slotId[slot] - 1, data, start, end)) break;
      slot = (slot + 1) & this.#mask;
    }
    const isNew = this.#slotId[slot] === 0;
    this.#slotHash[slot] = hash;
    this.#slotId[slot] = entry + 1;
    return isNew;
  }

  /** The id of an entry of the table. */
  #idAt(entry: number): number {
    return entry < this.size ? entry : this.#aliasIds[entry - this.size];
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#lengths[id] === end - start && this.#same(this.#starts[id], bytes, start, end);
  }

  #same(own: number, bytes: Uint8Array, start: number, end: number): boolean {
    const data = this.#data;
    for (let at = start; at < end; at++, own++) if (data[own] !== bytes[at]) return false;
    return true;
  }

  /** The hash of bytes[start, end), continuing from `hash`. */
  hash(bytes: Uint8Array, start: number, end: number, hash: number): number {
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], PRIME);
    return hash;
  }

  /** The id of the token with these UTF-8 bytes, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    if (end - start > this.longest) return -1;
    return this.findHashed(this.hash(bytes, start, end, this.hashStart), bytes, start, end);
  }

  /** As `find`, for a caller that has the hash already. */
  findHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
    let slot = slotOf(hash, this.#mask);
    for (let id = this.#slotId[slot]; id !== 0; id = this.#slotId[slot]) {
      if (this.#slotHash[slot] === hash && this.#equals(id - 1, bytes, start, end)) return this.#idAt(id - 1);
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }

  /** The id of the token bytes[start, middle) + bytes[from, end), or -1. */
  findJoined(bytes: Uint8Array, start: number, middle: number, from: number, end: number): number {
    const first = middle - start;
    const hash = this.hash(bytes, from, end, this.hash(bytes, start, middle, this.hashStart));
    let slot = slotOf(hash, this.#mask);
    for (let entry = this.#slotId[slot]; entry !== 0; entry = this.#slotId[slot]) {
      if (this.#slotHash[slot] === hash && this.#lengths[entry - 1] === first + end - from) {
        const own = this.#starts[entry - 1];
        if (this.#same(own, bytes, start, middle) && this.#same(own + first, bytes, from, end))
          return this.#idAt(entry - 1);
      }
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }

  /** The id of a token text, or -1. */
  idOf(text: string): number {
    if (text.length > this.longest) return -1;
    if (this.#scratch.length < text.length * 3) this.#scratch = new Uint8Array(text.length * 3);
    return this.find(this.#scratch, 0, writeStringUtf8(text, this.#scratch, 0));
  }

  /** True if the id is a token's. */
  has(id: number): boolean {
    return id >= 0 && id < this.size && this.#starts[id] !== ABSENT;
  }

  /** The text of a token, undefined for an id that has none. */
  text(id: number): string | undefined {
    if (!this.has(id)) return undefined;
    return (this.#texts[id] ??= decoder.decode(this.bytes(id)));
  }

  /** The UTF-8 bytes of a token that exists, as a view that must not be changed. */
  bytes(id: number): Uint8Array {
    return this.#data.subarray(this.#starts[id], this.#starts[id] + this.#lengths[id]);
  }

  /** Calls back with every character of every token and the character before it in the token, -1 at its start. */
  forEachCharacter(callback: (code: number, previous: number) => void): void {
    const data = this.#data;
    for (let id = 0; id < this.size; id++) {
      if (this.#starts[id] === ABSENT) continue;
      let previous = -1;
      const end = this.#starts[id] + this.#lengths[id];
      for (let at = this.#starts[id]; at < end; ) {
        let code = data[at++];
        if (code >= 0xc0) {
          code &= code >= 0xf0 ? 7 : code >= 0xe0 ? 15 : 31;
          while (at < end && (data[at] & 0xc0) === 0x80) code = (code << 6) | (data[at++] & 63);
        }
        callback(code, previous);
        previous = code;
      }
    }
  }
}
