/* From GGUF rows to panels (panels.h), one panel of 16 rows at a time; rows past the end are zero. */
#ifndef GALLOP_PACK_H
#define GALLOP_PACK_H
#include "panels.h"

INLINE size_t source_row_bytes(int f, size_t columns) {
  switch (f) {
    case F32: return columns * 4;
    case F16: case BF16: return columns * 2;
    case Q4_0: return columns / 32 * 18; case Q4_1: return columns / 32 * 20; case Q5_0: return columns / 32 * 22;
    case Q5_1: return columns / 32 * 24; case Q8_0: return columns / 32 * 34;
    case Q2_K: return columns / 256 * 84; case Q3_K: return columns / 256 * 110; case Q4_K: return columns / 256 * 144;
    case Q5_K: return columns / 256 * 176; case Q6_K: return columns / 256 * 210;
  }
  return 0;
}

/* Puts one row's 32 codes into a block: low bits into the codes area, the rest into the planes. */
static void place_codes(int f, uint8_t *block, int row, const uint8_t q[32]) {
  uint8_t *codes = block + codes_offset(f), *high = block + plane_offset(f);
  for (int k = 0; k < 32; k++) {
    const int i = k / 4, at = 4 * row + k % 4;
    if (f == Q8_0) codes[64 * i + at] = q[k];
    else if (f == Q2_K || f == Q3_K) {
      codes[64 * (i >> 2) + at] |= (uint8_t)((q[k] & 3) << 2 * (i & 3));
      if (f == Q3_K) high[at] |= (uint8_t)((q[k] >> 2) << i);
    } else {
      codes[64 * (i & 3) + at] |= (uint8_t)((q[k] & 15) << (i < 4 ? 0 : 4));
      if (f == Q5_0 || f == Q5_1 || f == Q5_K) high[at] |= (uint8_t)((q[k] >> 4) << i);
      if (f == Q6_K) high[64 * (i >> 2) + at] |= (uint8_t)((q[k] >> 4) << 2 * (i & 3));
    }
  }
}

/* The common 32-element formats: whole dwords move, as the nibble order of source and panel agree. */
static void pack_simple_block(int f, uint8_t *block, int row, const uint8_t *s) {
  uint8_t *codes = block + codes_offset(f);
  memcpy(block + 2 * row, s, 2);
  s += 2;
  if (f == Q4_1 || f == Q5_1) memcpy(block + 32 + 2 * row, s, 2), s += 2;
  if (f == Q5_0 || f == Q5_1) {
    uint32_t bits;
    memcpy(&bits, s, 4);
    s += 4;
    uint8_t *high = block + plane_offset(f) + 4 * row;
    for (int j = 0; j < 4; j++) { /* bits j, j+4, …, j+28 to bits 0…7 of byte j */
      uint32_t t = bits >> j & 0x11111111u, byte = 0;
      for (int i = 0; i < 8; i++) byte |= (t >> 4 * i & 1) << i;
      high[j] = (uint8_t)byte;
    }
  }
  if (f == Q8_0)
    for (int i = 0; i < 8; i++)
      for (int j = 0; j < 4; j++) codes[64 * i + 4 * row + j] = s[4 * i + j] ^ 0x80;
  else
    for (int v = 0; v < 4; v++) memcpy(codes + 64 * v + 4 * row, s + 4 * v, 4);
}

INLINE void unpack_scale_minimum(const uint8_t *s, int j, uint8_t *scale, uint8_t *minimum) {
  if (j < 4) *scale = s[j] & 63, *minimum = s[j + 4] & 63;
  else *scale = (uint8_t)((s[j + 4] & 15) | (s[j - 4] >> 6) << 4), *minimum = (uint8_t)((s[j + 4] >> 4) | (s[j] >> 6) << 4);
}

/* The code of element e of a super-block, and for Q3_K the 6-bit scale of group k. */
INLINE uint8_t k_code(int f, const uint8_t *s, int e) {
  const int n = e >> 7, j = e >> 5 & 3, l = e & 31, c = e >> 6, h = e >> 5 & 1;
  switch (f) {
    case Q2_K: return s[16 + 32 * n + l] >> 2 * j & 3;
    case Q3_K: return (uint8_t)((s[32 + 32 * n + l] >> 2 * j & 3) | (s[l] >> (4 * n + j) & 1) << 2);
    case Q4_K: return h ? s[16 + 32 * c + l] >> 4 : s[16 + 32 * c + l] & 15;
    case Q5_K: return (uint8_t)((h ? s[48 + 32 * c + l] >> 4 : s[48 + 32 * c + l] & 15) | (s[16 + l] >> (2 * c + h) & 1) << 4);
    default: {
      uint8_t byte = s[64 * n + l + 32 * (j & 1)];
      return (uint8_t)((j < 2 ? byte & 15 : byte >> 4) | (s[128 + 32 * n + l] >> 2 * j & 3) << 4);
    }
  }
}
INLINE int8_t q3_scale(const uint8_t *s, int k) {
  const uint8_t *p = s + 96;
  int low = k < 8 ? p[k] & 15 : p[k - 8] >> 4, high = p[8 + (k & 3)] >> 2 * (k >> 2) & 3;
  return (int8_t)((low | high << 4) - 32);
}

static void pack_super_block(int f, uint8_t *header, uint8_t *blocks, int row, const uint8_t *s) {
  if (f == Q4_K || f == Q5_K) memcpy(header + 2 * row, s, 2), memcpy(header + 32 + 2 * row, s + 2, 2);
  else if (f == Q2_K) memcpy(header + 2 * row, s + 80, 2), memcpy(header + 32 + 2 * row, s + 82, 2);
  else memcpy(header + 2 * row, s + (f == Q3_K ? 108 : 208), 2);
  for (int b = 0; b < 8; b++) {
    uint8_t *block = blocks + b * block_bytes(f), q[32];
    for (int k = 0; k < 32; k++) q[k] = k_code(f, s, 32 * b + k);
    place_codes(f, block, row, q);
    if (f == Q4_K || f == Q5_K) unpack_scale_minimum(s + 4, b, block + row, block + 16 + row);
    else
      for (int g = 0; g < 2; g++) {
        const int k = 2 * b + g;
        block[16 * g + row] = f == Q2_K ? s[k] : f == Q3_K ? (uint8_t)q3_scale(s, k) : s[192 + k];
      }
  }
}

/* `rows` (1…16) consecutive source rows into one panel. */
static void pack_panel(int f, uint8_t *panel, const uint8_t *source, size_t rows, size_t columns) {
  const size_t row_bytes = source_row_bytes(f, columns), size = f == F32 ? 4 : 2;
  memset(panel, 0, panel_bytes(f, columns));
  for (size_t row = 0; row < rows; row++, source += row_bytes) {
    if (is_float_format(f)) {
      for (size_t k = 0; k < columns; k++) memcpy(panel + (16 * k + row) * size, source + k * size, size);
    } else if (is_k_format(f)) {
      for (size_t b = 0; b < columns / 32; b += 8)
        pack_super_block(f, (uint8_t *)header_at(f, panel, b), (uint8_t *)block_at(f, panel, b), (int)row, source + b / 8 * (row_bytes / (columns / 256)));
    } else {
      const size_t bytes = row_bytes / (columns / 32);
      for (size_t b = 0; b < columns / 32; b++) pack_simple_block(f, (uint8_t *)block_at(f, panel, b), (int)row, source + b * bytes);
    }
  }
  if (f == Q8_0) /* code 0 of an absent row is 128 */
    for (size_t row = rows; row < 16; row++)
      for (size_t b = 0; b < columns / 32; b++)
        for (int i = 0; i < 8; i++) memset((uint8_t *)block_at(f, panel, b) + 32 + 64 * i + 4 * row, 0x80, 4);
}
#endif
