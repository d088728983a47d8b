/** Changes to bytes: flipped bits, telling numbers, cuts, repeats, insertions. */
import type { Random } from '../random.ts';

/** Numbers at which things break. */
export const tellingNumbers: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  4n,
  7n,
  8n,
  31n,
  32n,
  127n,
  128n,
  255n,
  256n,
  65_535n,
  65_536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

type Change = (bytes: Uint8Array, at: number, random: Random) => Uint8Array;

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

const changes: readonly Change[] = [
  (bytes, at, random) => {
    const copy = bytes.slice();
    if (at < copy.length) copy[at] ^= 1 << random.below(8);
    return copy;
  },
  (bytes, at, random) => {
    const copy = bytes.slice();
    if (at < copy.length) copy[at] = random.below(256);
    return copy;
  },
  (bytes, at, random) => {
    const copy = bytes.slice();
    if (at + 8 <= copy.length) new DataView(copy.buffer).setBigUint64(at, random.pick(tellingNumbers), true);
    return copy;
  },
  (bytes, at) => bytes.slice(0, at),
  (bytes, at, random) => joined(bytes.subarray(0, at), bytes.subarray(at + random.below(16))),
  (bytes, at, random) => joined(bytes.subarray(0, at), random.bytes(random.between(1, 8)), bytes.subarray(at)),
  (bytes, at, random) => {
    const from = random.below(bytes.length + 1);
    return joined(bytes.subarray(0, at), bytes.subarray(from, from + random.below(64)), bytes.subarray(at));
  },
];

/** One to four changes. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let result = bytes;
  for (let count = random.between(1, 4); count > 0; count--) {
    result = random.pick(changes)(result, random.below(result.length + 1), random);
  }
  return result;
}
