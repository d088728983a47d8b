/**
 * Remembers the token ids of pieces. Text repeats itself: most pieces of a page are found here and never reach the model.
 * Keys and values lie in typed arrays; when one of them is full everything is forgotten and filling starts over.
 */

/** Longest piece, in code points, that is worth remembering. */
const LONGEST = 48;
const SLOTS = 1 << 16;
const ENTRIES = SLOTS / 2;
const KEY_POOL = ENTRIES * 12;
const ID_POOL = ENTRIES * 6;

/** A bounded map from pieces (code points) to token ids. */
export class PieceCache {
  readonly #slots: Int32Array = new Int32Array(SLOTS);
  readonly #hashes: Int32Array = new Int32Array(ENTRIES);
  /** Where the key of entry i starts in the pool; that of entry i + 1 follows it. The same for ids. */
  readonly #keyStarts: Int32Array = new Int32Array(ENTRIES + 1);
  readonly #idStarts: Int32Array = new Int32Array(ENTRIES + 1);
  readonly #keys: Int32Array = new Int32Array(KEY_POOL);
  readonly #ids: Int32Array = new Int32Array(ID_POOL);
  #count = 0;
  #missHash = 0;
  #missSlot = 0;

  /** Number of look-ups answered, for tests. */
  hits = 0;

  /** Appends the ids of the piece to `out` and returns true, or returns false. */
  lookUp(codes: Int32Array, start: number, end: number, out: IdBuffer): boolean {
    const length = end - start;
    if (length > LONGEST) return false;
    let hash = length;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ codes[at], 0x01000193);
    hash ^= hash >>> 15;
    const slots = this.#slots;
    let slot = hash & (SLOTS - 1);
    for (let entry = slots[slot]; entry !== 0; entry = slots[slot]) {
      if (this.#hashes[entry - 1] === hash && this.#matches(entry - 1, codes, start, end)) {
        out.append(this.#ids, this.#idStarts[entry - 1], this.#idStarts[entry]);
        this.hits++;
        return true;
      }
      slot = (slot + 1) & (SLOTS - 1);
    }
    this.#missHash = hash;
    this.#missSlot = slot;
    return false;
  }

  #matches(entry: number, codes: Int32Array, start: number, end: number): boolean {
    let key = this.#keyStarts[entry];
    if (this.#keyStarts[entry + 1] - key !== end - start) return false;
    for (let at = start; at < end; at++) if (this.#keys[key++] !== codes[at]) return false;
    return true;
  }

  /** Remembers the ids of the piece that the last `lookUp` did not find. */
  add(codes: Int32Array, start: number, end: number, ids: Int32Array, from: number, to: number): void {
    const length = end - start;
    if (length > LONGEST || to - from > LONGEST * 4) return;
    const keyAt = this.#keyStarts[this.#count];
    const idAt = this.#idStarts[this.#count];
    if (this.#count === ENTRIES || keyAt + length > KEY_POOL || idAt + to - from > ID_POOL) {
      this.#slots.fill(0);
      this.#count = 0;
      return;
    }
    for (let at = 0; at < length; at++) this.#keys[keyAt + at] = codes[start + at];
    for (let at = from; at < to; at++) this.#ids[idAt + at - from] = ids[at];
    this.#hashes[this.#count] = this.#missHash;
    this.#slots[this.#missSlot] = ++this.#count;
    this.#keyStarts[this.#count] = keyAt + length;
    this.#idStarts[this.#count] = idAt + to - from;
  }
}

/** A growing list of token ids. */
export class IdBuffer {
  ids: Int32Array;
  length = 0;

  constructor(capacity = 256) {
    this.ids = new Int32Array(capacity);
  }

  push(id: number): void {
    if (this.length === this.ids.length) this.#grow(this.length + 1);
    this.ids[this.length++] = id;
  }

  append(source: Int32Array, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > this.ids.length) this.#grow(length);
    const ids = this.ids;
    let at = this.length;
    for (let index = from; index < to; index++) ids[at++] = source[index];
    this.length = length;
  }

  #grow(needed: number): void {
    const larger = new Int32Array(Math.max(needed, this.ids.length * 2));
    larger.set(this.ids);
    this.ids = larger;
  }

  /** A copy of the ids so far. */
  toArray(): Int32Array {
    return this.ids.slice(0, this.length);
  }
}
