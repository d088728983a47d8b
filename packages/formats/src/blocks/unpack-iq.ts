/**
 * Unpacking of the codebook formats IQ1, IQ2 and IQ3. A code is an index into a fixed grid of 4 or 8 small magnitudes;
 * signs come apart, either as 8 plain bits or as 7 bits whose parity gives the eighth. Below ib counts groups of 32
 * elements, g the four groups of 8 within, j the elements of one.
 */
import { halfToFloat } from '../values/float-formats.ts';
import {
  iq1sGrid,
  iq2sGrid,
  iq2xsGrid,
  iq2xxsGrid,
  iq3sGrid,
  iq3xxsGrid,
  type PackedGrid,
} from './iq-grids.generated.ts';
import { type Unpack, type UnpackedBlock, u16, u32 } from './unpacked-block.ts';

const grids = new Map<PackedGrid, Int8Array>();

/** A codebook's magnitudes, 4 or 8 for each index. */
function grid(packed: PackedGrid): Int8Array {
  let values = grids.get(packed);
  if (values === undefined) {
    const bytes = atob(packed.codes);
    const perByte = 8 / packed.bits;
    values = Int8Array.from({ length: bytes.length * perByte }, (_, index) => {
      const byte = bytes.charCodeAt(Math.floor(index / perByte));
      return packed.levels[(byte >> (packed.bits * (index % perByte))) & ((1 << packed.bits) - 1)];
    });
    grids.set(packed, values);
  }
  return values;
}

/** Eight sign bits from seven: the eighth makes their number even. */
const signs: Uint8Array = Uint8Array.from({ length: 128 }, (_, seven) => {
  let parity = 0;
  for (let bit = 0; bit < 7; bit++) parity ^= (seven >> bit) & 1;
  return seven | (parity << 7);
});

function prepare(block: UnpackedBlock, groupSize: number, hasOffsets = false): void {
  block.groupSize = groupSize;
  block.hasOffsets = hasOffsets;
}

/** Writes `count` grid values from `from`, negated where the sign bits, starting at bit `bit`, say so. */
function signed(codes: Int16Array, to: number, values: Int8Array, from: number, count: number, bits: number): void {
  for (let j = 0; j < count; j++) codes[to + j] = (bits >> j) & 1 ? -values[from + j] : values[from + j];
}

/** d @0; per ib 8 bytes @2: four indices, then u32 with 4 × 7 sign bits and a 4-bit scale. */
export const unpackIQ2_XXS: Unpack = (bytes, at, block) => {
  const d = halfToFloat(u16(bytes, at));
  const values = grid(iq2xxsGrid);
  prepare(block, 32);
  for (let ib = 0; ib < 8; ib++) {
    const word = u32(bytes, at + 2 + 8 * ib + 4);
    block.scales[ib] = d * (0.5 + (word >>> 28)) * 0.25;
    for (let g = 0; g < 4; g++) {
      const index = bytes[at + 2 + 8 * ib + g];
      signed(block.codes, 32 * ib + 8 * g, values, 8 * index, 8, signs[(word >>> (7 * g)) & 127]);
    }
  }
};

/** d @0; u16 q[32] @2: 9 bits of index, 7 of sign; 4-bit scales[16] @66. */
export const unpackIQ2_XS: Unpack = (bytes, at, block) => {
  const values = grid(iq2xsGrid);
  scalesOfIQ2(bytes, at, at + 66, block);
  for (let part = 0; part < 32; part++) {
    const q = u16(bytes, at + 2 + 2 * part);
    signed(block.codes, 8 * part, values, 8 * (q & 511), 8, signs[q >> 9]);
  }
};

/** d @0; qs[32] @2, signs[32] @34, qh[8] @66 (two more index bits), 4-bit scales[16] @74. */
export const unpackIQ2_S: Unpack = (bytes, at, block) => {
  const values = grid(iq2sGrid);
  scalesOfIQ2(bytes, at, at + 74, block);
  for (let part = 0; part < 32; part++) {
    const index = bytes[at + 2 + part] | (((bytes[at + 66 + (part >> 2)] >> (2 * (part & 3))) & 3) << 8);
    signed(block.codes, 8 * part, values, 8 * index, 8, bytes[at + 34 + part]);
  }
};

function scalesOfIQ2(bytes: Uint8Array, at: number, scales: number, block: UnpackedBlock): void {
  const d = halfToFloat(u16(bytes, at));
  prepare(block, 16);
  for (let group = 0; group < 16; group++) {
    block.scales[group] = d * (0.5 + ((bytes[scales + (group >> 1)] >> (4 * (group & 1))) & 15)) * 0.25;
  }
}

/** d @0; qs[64] @2, one index per 4 elements; per ib u32 @66 with 4 × 7 sign bits and a 4-bit scale. */
export const unpackIQ3_XXS: Unpack = (bytes, at, block) => {
  const d = halfToFloat(u16(bytes, at));
  const values = grid(iq3xxsGrid);
  prepare(block, 32);
  for (let ib = 0; ib < 8; ib++) {
    const word = u32(bytes, at + 66 + 4 * ib);
    block.scales[ib] = d * (0.5 + (word >>> 28)) * 0.5;
    for (let t = 0; t < 8; t++) {
      const bits = signs[(word >>> (7 * (t >> 1))) & 127] >> (4 * (t & 1));
      signed(block.codes, 32 * ib + 4 * t, values, 4 * bytes[at + 2 + 8 * ib + t], 4, bits);
    }
  }
};

/** d @0; qs[64] @2, qh[8] @66 (a ninth index bit), signs[32] @74, 4-bit scales[8] @106. */
export const unpackIQ3_S: Unpack = (bytes, at, block) => {
  const d = halfToFloat(u16(bytes, at));
  const values = grid(iq3sGrid);
  prepare(block, 32);
  for (let ib = 0; ib < 8; ib++) {
    block.scales[ib] = d * (1 + 2 * ((bytes[at + 106 + (ib >> 1)] >> (4 * (ib & 1))) & 15));
    for (let t = 0; t < 8; t++) {
      const index = bytes[at + 2 + 8 * ib + t] | (((bytes[at + 66 + ib] >> t) & 1) << 8);
      const bits = bytes[at + 74 + 4 * ib + (t >> 1)] >> (4 * (t & 1));
      signed(block.codes, 32 * ib + 4 * t, values, 4 * index, 4, bits);
    }
  }
};

const DELTA = 0.125;

/** d @0; qs[32] @2; per ib u16 @34: 4 × 3 more index bits, a 3-bit scale, the sign of the shift by 1/8. */
export const unpackIQ1_S: Unpack = (bytes, at, block) => {
  const d = halfToFloat(u16(bytes, at));
  const values = grid(iq1sGrid);
  prepare(block, 32, true);
  for (let ib = 0; ib < 8; ib++) {
    const high = u16(bytes, at + 34 + 2 * ib);
    block.scales[ib] = d * (2 * ((high >> 12) & 7) + 1);
    block.offsets[ib] = block.scales[ib] * (high & 0x8000 ? -DELTA : DELTA);
    for (let g = 0; g < 4; g++) {
      const index = bytes[at + 2 + 4 * ib + g] | (((high >> (3 * g)) & 7) << 8);
      signed(block.codes, 32 * ib + 8 * g, values, 8 * index, 8, 0);
    }
  }
};

/** qs[32] @0, qh[16] @32 (per 8 elements 3 more index bits and the sign of the shift), u16 s[4] @48: scales and d. */
export const unpackIQ1_M: Unpack = (bytes, at, block) => {
  const scale = [0, 1, 2, 3].map((index) => u16(bytes, at + 48 + 2 * index));
  const half = (scale[0] >> 12) | ((scale[1] >> 8) & 0xf0) | ((scale[2] >> 4) & 0xf00) | (scale[3] & 0xf000);
  const d = halfToFloat(half);
  const values = grid(iq1sGrid);
  // The scale changes every 16 elements, the shift every 8.
  prepare(block, 8, true);
  for (let part = 0; part < 32; part++) {
    const ib = part >> 2;
    const g = part & 3;
    const bits = (bytes[at + 32 + (part >> 1)] >> (4 * (part & 1))) & 15;
    block.scales[part] = d * (2 * ((scale[ib >> 1] >> (6 * (ib & 1) + 3 * (g >> 1))) & 7) + 1);
    block.offsets[part] = block.scales[part] * (bits & 8 ? -DELTA : DELTA);
    signed(block.codes, 8 * part, values, 8 * (bytes[at + part] | ((bits & 7) << 8)), 8, 0);
  }
};
