/** Repeatable test data: numbers, and rows of every weight format as a file would store them. */
import { fileRowBytes, type WeightFormat } from '../weight.ts';

/** Uniform numbers in [0, 1) (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer of [from, to). */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from));
  }

  /** Numbers in (−scale, scale), most of them small. */
  floats(count: number, scale = 1): Float32Array {
    return Float32Array.from({ length: count }, () => (this.next() * 2 - 1) * scale * this.next());
  }
}

/** Where a format's blocks hold float16 numbers, and the length of a block. */
const halfFields: Partial<Record<WeightFormat, { blockBytes: number; at: readonly number[] }>> = {
  F16: { blockBytes: 2, at: [0] },
  Q4_0: { blockBytes: 18, at: [0] },
  Q4_1: { blockBytes: 20, at: [0, 2] },
  Q5_0: { blockBytes: 22, at: [0] },
  Q5_1: { blockBytes: 24, at: [0, 2] },
  Q8_0: { blockBytes: 34, at: [0] },
  Q2_K: { blockBytes: 84, at: [80, 82] },
  Q3_K: { blockBytes: 110, at: [108] },
  Q4_K: { blockBytes: 144, at: [0, 2] },
  Q5_K: { blockBytes: 176, at: [0, 2] },
  Q6_K: { blockBytes: 210, at: [208] },
};

/** Rows of random codes; scales are of either sign, normal or subnormal, at most 2 in magnitude. */
export function randomRows(format: WeightFormat, rows: number, columns: number, random: Random): Uint8Array {
  const bytes = new Uint8Array(rows * fileRowBytes(format, columns));
  const view = new DataView(bytes.buffer);
  if (format === 'F32') {
    random.floats(rows * columns).forEach((value, i) => {
      view.setFloat32(4 * i, value, true);
    });
    return bytes;
  }
  if (format === 'BF16') {
    for (let at = 0; at < bytes.length; at += 2)
      view.setUint16(at, (random.integer(0, 2) << 15) | random.integer(110 << 7, 128 << 7), true);
    return bytes;
  }
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.integer(0, 256);
  const { blockBytes, at } = halfFields[format]!;
  for (let block = 0; block < bytes.length; block += blockBytes)
    for (const field of at)
      view.setUint16(block + field, (random.integer(0, 2) << 15) | random.integer(0, 16 << 10), true);
  return bytes;
}
