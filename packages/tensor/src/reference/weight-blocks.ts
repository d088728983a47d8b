/**
 * Weight rows as GGUF stores them, read 32 columns at a time: unsigned codes with a scale and, by format, a zero point
 * or a minimum for each group of 32 or 16 columns. Value of a column: scale · (code − zero point), or
 * scale · code + minimum. Field offsets are those of the format definitions.
 */
import { multiply, subtract } from './arithmetic.ts';
import { fromBfloat, fromHalf } from './half-floats.ts';

/** 32 columns of one row. */
export interface Block {
  readonly codes: Uint8Array;
  /** One scale for all columns, or one for each 16. */
  readonly scales: readonly number[];
  readonly zeroPoint: number;
  /** As many as scales; absent in formats with a zero point. */
  readonly minimums?: readonly number[];
}

export interface BlockFormat {
  readonly blockColumns: number;
  readonly fileBytes: number;
  /** Columns 32 · part … of the block at the start of `bytes`. */
  read(bytes: Uint8Array, part: number): Block;
}

const half = (bytes: Uint8Array, at: number): number => fromHalf(bytes[at] | (bytes[at + 1] << 8));
const signed = (byte: number): number => (byte << 24) >> 24;
const codes32 = (code: (column: number) => number): Uint8Array => Uint8Array.from({ length: 32 }, (_, l) => code(l));
/** Low nibbles are columns 0 … 15, high nibbles columns 16 … 31. */
const nibble = (bytes: Uint8Array, at: number, l: number): number =>
  l < 16 ? bytes[at + l] & 15 : bytes[at + l - 16] >> 4;
const bitOf = (bytes: Uint8Array, at: number, l: number): number => (bytes[at + (l >> 3)] >> (l & 7)) & 1;

const q4_0: BlockFormat = {
  blockColumns: 32,
  fileBytes: 18,
  read: (b) => ({ codes: codes32((l) => nibble(b, 2, l)), scales: [half(b, 0)], zeroPoint: 8 }),
};
const q4_1: BlockFormat = {
  blockColumns: 32,
  fileBytes: 20,
  read: (b) => ({
    codes: codes32((l) => nibble(b, 4, l)),
    scales: [half(b, 0)],
    zeroPoint: 0,
    minimums: [half(b, 2)],
  }),
};
const q5_0: BlockFormat = {
  blockColumns: 32,
  fileBytes: 22,
  read: (b) => ({
    codes: codes32((l) => nibble(b, 6, l) | (bitOf(b, 2, l) << 4)),
    scales: [half(b, 0)],
    zeroPoint: 16,
  }),
};
const q5_1: BlockFormat = {
  blockColumns: 32,
  fileBytes: 24,
  read: (b) => ({
    codes: codes32((l) => nibble(b, 8, l) | (bitOf(b, 4, l) << 4)),
    scales: [half(b, 0)],
    zeroPoint: 0,
    minimums: [half(b, 2)],
  }),
};
/** Signed codes, made unsigned by a zero point of 128. */
const q8_0: BlockFormat = {
  blockColumns: 32,
  fileBytes: 34,
  read: (b) => ({ codes: codes32((l) => signed(b[2 + l]) + 128), scales: [half(b, 0)], zeroPoint: 128 }),
};

/** The 2-bit codes of the K formats: a byte holds one column of each of four parts, 32 bytes serve 128 columns. */
const twoBits = (b: Uint8Array, at: number, part: number, l: number): number =>
  (b[at + 32 * (part >> 2) + l] >> (2 * (part & 3))) & 3;

const q2_k: BlockFormat = {
  blockColumns: 256,
  fileBytes: 84,
  read(b, part) {
    const packed = [b[2 * part], b[2 * part + 1]];
    const minusMinimum = subtract(0, half(b, 82));
    return {
      codes: codes32((l) => twoBits(b, 16, part, l)),
      scales: packed.map((byte) => multiply(half(b, 80), byte & 15)),
      zeroPoint: 0,
      minimums: packed.map((byte) => multiply(minusMinimum, byte >> 4)),
    };
  },
};

/** Scale k of 16: low four bits in bytes 96 … 103, high two bits in bytes 104 … 107, minus 32. */
function q3Scale(b: Uint8Array, k: number): number {
  const low = k < 8 ? b[96 + k] & 15 : b[96 + k - 8] >> 4;
  const high = (b[104 + (k & 3)] >> (2 * (k >> 2))) & 3;
  return (low | (high << 4)) - 32;
}
const q3_k: BlockFormat = {
  blockColumns: 256,
  fileBytes: 110,
  read: (b, part) => ({
    codes: codes32((l) => twoBits(b, 32, part, l) | (((b[l] >> part) & 1) << 2)),
    scales: [0, 1].map((group) => multiply(half(b, 108), q3Scale(b, 2 * part + group))),
    zeroPoint: 4,
  }),
};

/** 6-bit scale and minimum `part` out of the 12 bytes from `at`. */
function scaleAndMinimum(b: Uint8Array, at: number, part: number): [number, number] {
  const s = b.subarray(at, at + 12);
  if (part < 4) return [s[part] & 63, s[part + 4] & 63];
  return [(s[part + 4] & 15) | ((s[part - 4] >> 6) << 4), (s[part + 4] >> 4) | ((s[part] >> 6) << 4)];
}
/** A byte holds the nibble of one column of an even part and of the odd part after it. */
const partNibble = (b: Uint8Array, at: number, part: number, l: number): number =>
  (b[at + 32 * (part >> 1) + l] >> (4 * (part & 1))) & 15;

function readQ4Or5K(b: Uint8Array, part: number, codes: Uint8Array): Block {
  const [scale, minimum] = scaleAndMinimum(b, 4, part);
  return {
    codes,
    scales: [multiply(half(b, 0), scale)],
    zeroPoint: 0,
    minimums: [multiply(subtract(0, half(b, 2)), minimum)],
  };
}
const q4_k: BlockFormat = {
  blockColumns: 256,
  fileBytes: 144,
  read: (b, part) =>
    readQ4Or5K(
      b,
      part,
      codes32((l) => partNibble(b, 16, part, l)),
    ),
};
const q5_k: BlockFormat = {
  blockColumns: 256,
  fileBytes: 176,
  read: (b, part) =>
    readQ4Or5K(
      b,
      part,
      codes32((l) => partNibble(b, 48, part, l) | (((b[16 + l] >> part) & 1) << 4)),
    ),
};
const q6_k: BlockFormat = {
  blockColumns: 256,
  fileBytes: 210,
  read(b, part) {
    const lowAt = 64 * (part >> 2) + 32 * (part & 1);
    const lowShift = part & 2 ? 4 : 0;
    return {
      codes: codes32((l) => ((b[lowAt + l] >> lowShift) & 15) | (twoBits(b, 128, part, l) << 4)),
      scales: [0, 1].map((group) => multiply(half(b, 208), signed(b[192 + 2 * part + group]))),
      zeroPoint: 32,
    };
  },
};

/** By the format ids of commands (those of GGUF). */
export const blockFormats: ReadonlyMap<number, BlockFormat> = new Map([
  [2, q4_0],
  [3, q4_1],
  [6, q5_0],
  [7, q5_1],
  [8, q8_0],
  [10, q2_k],
  [11, q3_k],
  [12, q4_k],
  [13, q5_k],
  [14, q6_k],
]);

export interface FloatFormat {
  readonly bytes: number;
  read(view: DataView, at: number): number;
}

export const floatFormats: ReadonlyMap<number, FloatFormat> = new Map([
  [0, { bytes: 4, read: (view: DataView, at: number) => view.getFloat32(at, true) }],
  [1, { bytes: 2, read: (view: DataView, at: number) => fromHalf(view.getUint16(at, true)) }],
  [30, { bytes: 2, read: (view: DataView, at: number) => fromBfloat(view.getUint16(at, true)) }],
]);
