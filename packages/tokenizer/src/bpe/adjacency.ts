/**
 * Cuts text that reaches BPE in one piece. A merge only ever makes tokens, so where two neighbouring characters stand side
 * by side in no token, no merge can cross: the text falls into parts that are encoded one by one with the same result.
 * The pairs that do occur are kept as bits of a hash: a false "occurs" costs a longer part, never a wrong token.
 */
import type { Splitter } from '../split/splitter.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';

const BITS = 22;

function bitOf(left: number, right: number): number {
  const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right + 0x3c6ef372, 0x85ebca77);
  return (hash ^ (hash >>> 13)) >>> (32 - BITS);
}

/** Pairs of neighbours within tokens. */
function neighbours(vocabulary: Vocabulary): Int32Array {
  const bits = new Int32Array(1 << (BITS - 5));
  vocabulary.forEachCharacter((code, previous) => {
    if (previous < 0) return;
    const bit = bitOf(previous, code);
    bits[bit >>> 5] |= 1 << (bit & 31);
  });
  return bits;
}

/** A splitter that cuts between characters which are neighbours in no token. */
export function adjacencySplitter(vocabulary: Vocabulary): Splitter {
  const bits = neighbours(vocabulary);
  return (codes, at, end) => {
    let stop = at + 1;
    while (stop < end) {
      const bit = bitOf(codes[stop - 1], codes[stop]);
      if ((bits[bit >>> 5] & (1 << (bit & 31))) === 0) break;
      stop++;
    }
    return stop;
  };
}
