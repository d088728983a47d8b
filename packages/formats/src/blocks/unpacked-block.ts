/**
 * The one form every block format is taken apart into: small integer codes, and per group of elements a scale and an
 * offset, so that element e of group g is
 *
 *     value = scale[g] · code[e] + offset[g]
 *
 * Dequantisation evaluates exactly this; an integer dot product sums code · activation per group first.
 */
export interface UnpackedBlock {
  /** One integer per element, up to 256. */
  readonly codes: Int16Array;
  /** One scale per group, up to 32. */
  readonly scales: Float32Array;
  /** One offset per group; meaningful when `hasOffsets`. */
  readonly offsets: Float32Array;
  /** Elements that share a scale. */
  groupSize: number;
  hasOffsets: boolean;
}

/** Takes the block that starts at `at` apart. */
export type Unpack = (bytes: Uint8Array, at: number, block: UnpackedBlock) => void;

/** A block to unpack into, again and again. */
export function emptyBlock(): UnpackedBlock {
  return {
    codes: new Int16Array(256),
    scales: new Float32Array(32),
    offsets: new Float32Array(32),
    groupSize: 32,
    hasOffsets: false,
  };
}

/** A little-endian 16-bit number. */
export function u16(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}

/** A little-endian 32-bit number, unsigned. */
export function u32(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;
}

/** A signed byte. */
export function i8(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) >> 24;
}
