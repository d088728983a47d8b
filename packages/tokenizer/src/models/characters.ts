/** Token ids of single characters and bytes, the symbols that BPE starts from. */
import { writeUtf8 } from '../text/code-points.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';

const UNASKED = -2;

/** Looks up one-character tokens; answers for the basic plane are remembered. */
export class CharacterTokens {
  readonly #vocabulary: Vocabulary;
  readonly #known: Int32Array = new Int32Array(0x10000).fill(UNASKED);
  readonly #scratch: Uint8Array = new Uint8Array(4);

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** The id of the token that is this character, or -1. */
  id(code: number): number {
    if (code < 0x10000 && this.#known[code] !== UNASKED) return this.#known[code];
    const id = this.#vocabulary.find(this.#scratch, 0, writeUtf8(code, this.#scratch, 0));
    if (code < 0x10000) this.#known[code] = id;
    return id;
  }
}

/** Ids of the byte tokens <0x00> … <0xFF>; -1 for those that a vocabulary lacks. */
export function byteTokens(vocabulary: Vocabulary): Int32Array {
  const ids = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    ids[byte] = vocabulary.idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  }
  return ids;
}
