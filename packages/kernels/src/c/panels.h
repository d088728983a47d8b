/*
 * Weight panels: 16 output rows interleaved so that one vector load holds the same four input columns of all rows.
 * A panel is a run of 32-column blocks (for the K formats: super-blocks of 8 such blocks behind a header of f16
 * scales), each
 *     [per-row scales] [per-row minimums] [high-bit planes] [codes]
 * Codes come as 8 vectors of 64 bytes, vector i holding columns 4i…4i+3 of rows 0…15; 4-bit codes share a vector
 * (low nibbles = vector v, high nibbles = vector v + 4). Bit planes: bit i of a byte belongs to vector i (1-bit
 * planes), bits 2(i&3) of plane byte i>>2 (2-bit planes). Float weights are stored column after column, 16 rows each.
 * Decoded value of a code q: scale * (q - zero point), or scale * q + minimum.
 */
#ifndef GALLOP_PANELS_H
#define GALLOP_PANELS_H
#include "simd.h"

enum Format { F32 = 0, F16 = 1, Q4_0 = 2, Q4_1 = 3, Q5_0 = 6, Q5_1 = 7, Q8_0 = 8, Q2_K = 10, Q3_K = 11, Q4_K = 12, Q5_K = 13, Q6_K = 14, BF16 = 30 };

INLINE int is_float_format(int f) { return f == F32 || f == F16 || f == BF16; }
INLINE int is_k_format(int f) { return f >= Q2_K && f <= Q6_K; }
INLINE int has_minimum(int f) { return f == Q4_1 || f == Q5_1 || f == Q2_K || f == Q4_K || f == Q5_K; }
INLINE int has_groups_of_16(int f) { return f == Q2_K || f == Q3_K || f == Q6_K; }
/* log2 of the zero point, or -1 */
INLINE int zero_point_shift(int f) {
  return f == Q4_0 ? 3 : f == Q5_0 ? 4 : f == Q8_0 ? 7 : f == Q6_K ? 5 : f == Q3_K ? 2 : -1;
}
INLINE size_t header_bytes(int f) { return f == Q2_K || f == Q4_K || f == Q5_K ? 64 : f == Q3_K || f == Q6_K ? 32 : 0; }
INLINE size_t block_bytes(int f) {
  switch (f) {
    case Q4_0: return 288; case Q4_1: return 320; case Q5_0: return 352; case Q5_1: return 384; case Q8_0: return 544;
    case Q2_K: return 160; case Q3_K: return 224; case Q4_K: return 288; case Q5_K: return 352; case Q6_K: return 416;
  }
  return 0;
}
INLINE size_t codes_offset(int f) {
  switch (f) {
    case Q4_0: case Q8_0: return 32; case Q4_1: return 64; case Q5_0: return 96; case Q5_1: return 128;
    case Q2_K: return 32; case Q3_K: return 96; case Q4_K: return 32; case Q5_K: return 96; case Q6_K: return 160;
  }
  return 0;
}
/* offset of the high-bit plane in a block, 0 where there is none */
INLINE size_t plane_offset(int f) { return f == Q5_0 || f == Q5_K || f == Q6_K || f == Q3_K ? 32 : f == Q5_1 ? 64 : 0; }

INLINE size_t panel_bytes(int f, size_t columns) {
  if (f == F32) return columns * 64;
  if (f == F16 || f == BF16) return columns * 32;
  size_t blocks = columns / 32;
  return blocks * block_bytes(f) + (is_k_format(f) ? blocks / 8 * header_bytes(f) : 0);
}
/* start of block b, and of the header it belongs to */
INLINE const uint8_t *block_at(int f, const uint8_t *panel, size_t b) {
  return is_k_format(f) ? panel + (b / 8 + 1) * header_bytes(f) + b * block_bytes(f) : panel + b * block_bytes(f);
}
INLINE const uint8_t *header_at(int f, const uint8_t *panel, size_t b) {
  return panel + (b / 8) * (header_bytes(f) + 8 * block_bytes(f));
}

typedef struct { vb codes[8]; vf scale[2]; vf minimum[2]; } Block; /* [1] only in formats with groups of 16 */

/* bit `bit` of each byte moved to bit `to` and isolated */
#define MOVE_BITS(v, bit, to, mask) vb_and((bit) <= (to) ? vb_shl(v, (to) - (bit) < 0 ? 0 : (to) - (bit)) : vb_shr(v, (bit) - (to) < 0 ? 0 : (bit) - (to)), vb_set(mask))

INLINE void load_nibbles(const uint8_t *p, vb codes[8]) {
  for (int v = 0; v < 4; v++) {
    vb both = vb_load(p + 64 * v);
    codes[v] = vb_and(both, vb_set(15));
    codes[v + 4] = vb_and(vb_shr(both, 4), vb_set(15));
  }
}
#define OR_PLANE1(i) block->codes[i] = vb_or(block->codes[i], MOVE_BITS(plane, i, to, (uint8_t)(1 << to)))
#define OR_PLANES1() do { OR_PLANE1(0); OR_PLANE1(1); OR_PLANE1(2); OR_PLANE1(3); OR_PLANE1(4); OR_PLANE1(5); OR_PLANE1(6); OR_PLANE1(7); } while (0)
#define TWO_BITS(i, to) MOVE_BITS(planes[(i) >> 2], 2 * ((i) & 3), to, (uint8_t)(3 << (to)))

INLINE void load_codes(int f, const uint8_t *p, int lane, Block *block) {
  const uint8_t *codes = p + codes_offset(f) + 4 * lane;
  const uint8_t *high = p + plane_offset(f) + 4 * lane;
  if (f == Q8_0) {
    for (int i = 0; i < 8; i++) block->codes[i] = vb_load(codes + 64 * i);
  } else if (f == Q2_K || f == Q3_K) {
    vb planes[2] = {vb_load(codes), vb_load(codes + 64)};
    block->codes[0] = TWO_BITS(0, 0); block->codes[1] = TWO_BITS(1, 0); block->codes[2] = TWO_BITS(2, 0); block->codes[3] = TWO_BITS(3, 0);
    block->codes[4] = TWO_BITS(4, 0); block->codes[5] = TWO_BITS(5, 0); block->codes[6] = TWO_BITS(6, 0); block->codes[7] = TWO_BITS(7, 0);
    if (f == Q3_K) { const int to = 2; vb plane = vb_load(high); OR_PLANES1(); }
  } else {
    load_nibbles(codes, block->codes);
    if (f == Q5_0 || f == Q5_1 || f == Q5_K) { const int to = 4; vb plane = vb_load(high); OR_PLANES1(); }
    if (f == Q6_K) {
      vb planes[2] = {vb_load(high), vb_load(high + 64)};
#define OR2(i) block->codes[i] = vb_or(block->codes[i], TWO_BITS(i, 4))
      OR2(0); OR2(1); OR2(2); OR2(3); OR2(4); OR2(5); OR2(6); OR2(7);
    }
  }
}

/* Scales and minimums of rows lane…lane+LANES-1. Products of scales round once, as the decoding formula does. */
INLINE void load_scales(int f, const uint8_t *header, const uint8_t *p, int lane, Block *block) {
  if (!is_k_format(f)) {
    block->scale[0] = vf_from_half((const uint16_t *)p + lane);
    if (has_minimum(f)) block->minimum[0] = vf_from_half((const uint16_t *)(p + 32) + lane);
    return;
  }
  vf scale = vf_from_half((const uint16_t *)header + lane);
  if (f == Q4_K || f == Q5_K) {
    vf negative = vf_sub(vf_set(0.0f), vf_from_half((const uint16_t *)(header + 32) + lane));
    block->scale[0] = vf_mul(scale, vf_from_u8(p + lane));
    block->minimum[0] = vf_mul(negative, vf_from_u8(p + 16 + lane));
  } else if (f == Q2_K) {
    vf negative = vf_sub(vf_set(0.0f), vf_from_half((const uint16_t *)(header + 32) + lane));
    for (int g = 0; g < 2; g++) {
      uint8_t low[16], high[16];
      for (int i = 0; i < LANES; i++) low[i] = p[16 * g + lane + i] & 15, high[i] = p[16 * g + lane + i] >> 4;
      block->scale[g] = vf_mul(scale, vf_from_u8(low));
      block->minimum[g] = vf_mul(negative, vf_from_u8(high));
    }
  } else {
    for (int g = 0; g < 2; g++) block->scale[g] = vf_mul(scale, vf_from_i8((const int8_t *)p + 16 * g + lane));
  }
}
#endif
