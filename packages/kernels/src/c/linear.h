/*
 * y = x W^T over weight panels. A tile is 16 output rows by up to ROW_TILE activation rows; each output is
 *   8-bit activations:  y = sum over blocks b, in order, of (integer dot * scale_w) * scale_x [+ minimum_w * scaled sum]
 *   float activations:  y = sum over blocks b, in order, of (sum over the block's columns, in order, of w * x)
 * so it depends on its own activation row alone, not on the tile it was computed in.
 */
#ifndef GALLOP_LINEAR_H
#define GALLOP_LINEAR_H
#include "rows.h"
#ifdef GALLOP_TILES
#include "tiles.h"
#endif

#ifndef PREFETCH_BYTES
#define PREFETCH_BYTES 16384
#endif
typedef struct {
  const uint8_t *panel;
  const uint8_t *x; /* first activation row of the tile */
  size_t x_stride;  /* bytes */
  size_t columns;
  float (*out)[16]; /* [rows of the tile][16] */
} Tile;

INLINE vi dot_codes(const int f, vi sum, vb codes, const int8_t *a) { return f == Q8_0 ? dot4_wide(sum, codes, a) : dot4(sum, codes, a); }

/* Where the integer sum of block b (its group g) begins: at minus the zero point's share. */
INLINE int32_t first_sum(const int f, const float *scales, size_t blocks, size_t b, int g) {
  const int shift = zero_point_shift(f);
  if (shift < 0) return 0;
  const int32_t *sums = (const int32_t *)scales;
  return (has_groups_of_16(f) ? sums[3 * blocks + 2 * b + (size_t)g] : sums[2 * blocks + b]) * (1 << (shift < 0 ? 0 : shift));
}
/* What a block (its group g) adds to the outputs of one activation row, whose scales begin at `scales`. */
INLINE vf scaled_sum(const int f, vi dot, const Block *block, const int g, const float *scales, size_t blocks, size_t b) {
  vf product = vf_mul(vf_mul(vf_from_int(dot), block->scale[g]), vf_set(scales[b]));
  if (!has_minimum(f)) return product;
  const float scaled = has_groups_of_16(f) ? scales[b] * (float)-((const int32_t *)scales)[3 * blocks + 2 * b + (size_t)g] : scales[blocks + b];
  return vf_add(product, vf_mul(block->minimum[g], vf_set(scaled)));
}

INLINE void quantized_tile(const int f, const int rows, const Tile *t) {
  const size_t blocks = t->columns / 32;
  for (int lane = 0; lane < 16; lane += LANES) {
    vf sum[ROW_TILE];
#pragma GCC unroll 16
    for (int m = 0; m < rows; m++) sum[m] = vf_set(0.0f);
    for (size_t b = 0; b < blocks; b++) {
      Block block;
      const uint8_t *p = block_at(f, t->panel, b);
      for (size_t ahead = 0; ahead < block_bytes(f); ahead += 64) prefetch(p + PREFETCH_BYTES + ahead);
      load_codes(f, p, lane, &block);
      load_scales(f, header_at(f, t->panel, b), p, lane, &block);
#pragma GCC unroll 16
      for (int m = 0; m < rows; m++) {
        const int8_t *row = (const int8_t *)t->x + m * t->x_stride, *a = row + 32 * b;
        const float *scales = (const float *)(row + t->columns);
        if (has_groups_of_16(f)) {
#pragma GCC unroll 2
          for (int g = 0; g < 2; g++) {
            vi dot = vi_set(first_sum(f, scales, blocks, b, g));
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++) dot = dot4(dot, block.codes[4 * g + i], a + 16 * g + 4 * i);
            sum[m] = vf_add(sum[m], scaled_sum(f, dot, &block, g, scales, blocks, b));
          }
        } else {
          vi dot = vi_set(first_sum(f, scales, blocks, b, 0)), second = vi_set(0); /* two chains hide the products' latency */
#pragma GCC unroll 4
          for (int i = 0; i < 4; i++) dot = dot_codes(f, dot, block.codes[i], a + 4 * i), second = dot_codes(f, second, block.codes[i + 4], a + 16 + 4 * i);
          sum[m] = vf_add(sum[m], scaled_sum(f, vi_add(dot, second), &block, 0, scales, blocks, b));
        }
      }
    }
#pragma GCC unroll 16
    for (int m = 0; m < rows; m++) vf_store(t->out[m] + lane, sum[m]);
  }
}

#ifdef GALLOP_TILES
/* The same for 16 rows, with the integer sums from a matrix unit. */
INLINE void matrix_tile(const int f, const Tile *t) {
  const size_t blocks = t->columns / 32;
  _Alignas(64) uint8_t codes[8][64];
  _Alignas(64) int32_t dots[2][16][16];
  vf sum[16];
  for (int m = 0; m < 16; m++) sum[m] = vf_set(0.0f);
  for (size_t b = 0; b < blocks; b++) {
    Block block;
    const uint8_t *p = block_at(f, t->panel, b);
    const uint8_t *a = t->x + 32 * b;
    for (size_t ahead = 0; ahead < block_bytes(f); ahead += 64) prefetch(p + PREFETCH_BYTES + ahead);
    load_codes(f, p, 0, &block);
    load_scales(f, header_at(f, t->panel, b), p, 0, &block);
    for (int i = 0; i < 8; i++) memcpy(codes[i], &block.codes[i], 64);
    if (has_groups_of_16(f)) {
      HALF_TILE_PRODUCT(dots[0], a, t->x_stride, codes);
      HALF_TILE_PRODUCT(dots[1], a + 16, t->x_stride, codes + 4);
    } else TILE_PRODUCT(dots[0], a, t->x_stride, codes);
    for (int m = 0; m < 16; m++) {
      const float *scales = (const float *)(t->x + m * t->x_stride + t->columns);
      for (int g = 0; g < (has_groups_of_16(f) ? 2 : 1); g++) {
        vi dot;
        memcpy(&dot, dots[g][m], sizeof dot);
        dot = vi_add(dot, vi_set(first_sum(f, scales, blocks, b, g)));
        sum[m] = vf_add(sum[m], scaled_sum(f, dot, &block, g, scales, blocks, b));
      }
    }
  }
  for (int m = 0; m < 16; m++) vf_store(t->out[m], sum[m]);
}
#endif

/* One decoded weight column of the rows lane…: rounds once per operation of the decoding formula. */
INLINE vf decode_column(const int f, const Block *block, const int k) {
  const int g = has_groups_of_16(f) ? k / 16 : 0;
  vi code = vb_as_int(block->codes[k / 4]);
  switch (k & 3) {
    case 0: code = vi_and(code, vi_set(255)); break;
    case 1: code = vi_and(vi_shr(code, 8), vi_set(255)); break;
    case 2: code = vi_and(vi_shr(code, 16), vi_set(255)); break;
    default: code = vi_shr(code, 24);
  }
  if (zero_point_shift(f) >= 0) code = vi_add(code, vi_set(-(1 << (zero_point_shift(f) < 0 ? 0 : zero_point_shift(f)))));
  vf value = vf_mul(block->scale[g], vf_from_int(code));
  return has_minimum(f) ? vf_add(value, block->minimum[g]) : value;
}

INLINE vf float_column(const int f, const uint8_t *panel, size_t k, int lane) {
  if (f == F32) return vf_load((const float *)panel + 16 * k + lane);
  const uint16_t *p = (const uint16_t *)panel + 16 * k + lane;
  return f == F16 ? vf_from_half(p) : vf_from_bfloat(p);
}

#define FLOAT_TILE 4
INLINE void float_tile(const int f, const int rows, const Tile *t) {
  for (int lane = 0; lane < 16; lane += LANES) {
    vf sum[FLOAT_TILE];
    for (int m = 0; m < rows; m++) sum[m] = vf_set(0.0f);
    for (size_t first = 0; first < t->columns; first += 32) {
      Block block;
      vf part[FLOAT_TILE];
      for (int m = 0; m < rows; m++) part[m] = vf_set(0.0f);
      if (!is_float_format(f)) {
        const uint8_t *p = block_at(f, t->panel, first / 32);
        load_codes(f, p, lane, &block);
        load_scales(f, header_at(f, t->panel, first / 32), p, lane, &block);
      }
      size_t count = t->columns - first < 32 ? t->columns - first : 32;
      for (size_t k = 0; k < count; k++) {
        vf w = is_float_format(f) ? float_column(f, t->panel, first + k, lane) : decode_column(f, &block, (int)k);
        for (int m = 0; m < rows; m++) {
          const float *x = (const float *)(t->x + m * t->x_stride);
          part[m] = vf_add(part[m], vf_mul(w, vf_set(x[first + k])));
        }
      }
      for (int m = 0; m < rows; m++) sum[m] = vf_add(sum[m], part[m]);
    }
    for (int m = 0; m < rows; m++) vf_store(t->out[m] + lane, sum[m]);
  }
}

#define QUANTIZED_TILES(f) \
  case f: \
    switch (rows) { \
      case 1: quantized_tile(f, 1, t); return; \
      case 2: quantized_tile(f, 2, t); return; \
      case 3: quantized_tile(f, 3, t); return; \
      case 4: quantized_tile(f, 4, t); return; \
      QUANTIZED_WIDE(f) \
    } \
    return;
#if ROW_TILE == 16
#define QUANTIZED_MIDDLE(f) case 5: quantized_tile(f, 5, t); return; case 6: quantized_tile(f, 6, t); return; case 7: quantized_tile(f, 7, t); return; case 12: quantized_tile(f, 12, t); return;
#endif
#if defined(GALLOP_TILES)
#define QUANTIZED_WIDE(f) QUANTIZED_MIDDLE(f) case 8: quantized_tile(f, 8, t); return; case 16: matrix_tile(f, t); return;
#elif ROW_TILE == 16
#define QUANTIZED_WIDE(f) QUANTIZED_MIDDLE(f) case 8: quantized_tile(f, 8, t); return; case 16: quantized_tile(f, 16, t); return;
#else
#define QUANTIZED_WIDE(f)
#endif

static __attribute__((noinline)) void run_quantized_tile(int f, int rows, const Tile *t) {
  switch (f) {
    QUANTIZED_TILES(Q4_0) QUANTIZED_TILES(Q4_1) QUANTIZED_TILES(Q5_0) QUANTIZED_TILES(Q5_1) QUANTIZED_TILES(Q8_0)
    QUANTIZED_TILES(Q2_K) QUANTIZED_TILES(Q3_K) QUANTIZED_TILES(Q4_K) QUANTIZED_TILES(Q5_K) QUANTIZED_TILES(Q6_K)
  }
}
#define FLOAT_TILES(f) case f: if (rows == 4) float_tile(f, 4, t); else if (rows == 2) float_tile(f, 2, t); else float_tile(f, 1, t); return;
static __attribute__((noinline)) void run_float_tile(int f, int rows, const Tile *t) {
  switch (f) {
    FLOAT_TILES(F32) FLOAT_TILES(F16) FLOAT_TILES(BF16) FLOAT_TILES(Q4_0) FLOAT_TILES(Q4_1) FLOAT_TILES(Q5_0) FLOAT_TILES(Q5_1)
    FLOAT_TILES(Q8_0) FLOAT_TILES(Q2_K) FLOAT_TILES(Q3_K) FLOAT_TILES(Q4_K) FLOAT_TILES(Q5_K) FLOAT_TILES(Q6_K)
  }
}

typedef struct {
  float *out;
  const uint8_t *weights, *x;
  const float *bias; /* may be null */
  size_t rows, outputs, columns, out_stride /* floats */;
  int format, quantized, accumulate;
} Linear;

/* Rows of the next tile when `left` are left: as many as there is code for, so that weights are read again rarely. */
INLINE int next_tile(int quantized, size_t left) {
  if (!quantized) return left >= FLOAT_TILE ? FLOAT_TILE : left >= 2 ? 2 : 1;
  if (ROW_TILE == 16 && left >= 8) return left >= 16 ? 16 : left >= 12 ? 12 : 8;
  return left >= ROW_TILE ? ROW_TILE : (int)left;
}

/* Panels [first, last) for every activation row. */
static void linear_panels(const Linear *l, size_t first, size_t last) {
  const size_t stride = panel_bytes(l->format, l->columns);
  const size_t x_stride = l->quantized ? activation_row_bytes(l->columns) : l->columns * 4;
  for (size_t m = 0; m < l->rows;) {
    const int tile = next_tile(l->quantized, l->rows - m);
    for (size_t panel = first; panel < last; panel++) {
      float out[16][16];
      Tile t = {l->weights + panel * stride, l->x + m * x_stride, x_stride, l->columns, out};
      if (l->quantized) run_quantized_tile(l->format, tile, &t);
      else run_float_tile(l->format, tile, &t);
      size_t width = l->outputs - panel * 16 < 16 ? l->outputs - panel * 16 : 16;
      for (int r = 0; r < tile; r++) {
        float *y = l->out + (m + r) * l->out_stride + panel * 16;
        for (size_t c = 0; c < width; c++) {
          float value = l->bias ? out[r][c] + l->bias[panel * 16 + c] : out[r][c];
          y[c] = l->accumulate ? y[c] + value : value;
        }
      }
    }
    m += tile;
  }
}

/* Decodes one row of a panel matrix: an embedding. */
INLINE void decode_row_tile(const int f, float *y, const uint8_t *panel, size_t columns, int row, float scale) {
  const int lane = row / LANES * LANES;
  float lanes[LANES];
  for (size_t first = 0; first < columns; first += 32) {
    Block block;
    if (!is_float_format(f)) {
      const uint8_t *p = block_at(f, panel, first / 32);
      load_codes(f, p, lane, &block);
      load_scales(f, header_at(f, panel, first / 32), p, lane, &block);
    }
    size_t count = columns - first < 32 ? columns - first : 32;
    for (size_t k = 0; k < count; k++) {
      vf_store(lanes, is_float_format(f) ? float_column(f, panel, first + k, lane) : decode_column(f, &block, (int)k));
      y[first + k] = lanes[row - lane] * scale;
    }
  }
}
#define DECODE_ROW(f) case f: decode_row_tile(f, y, panel, columns, row, scale); return;
static void decode_row(int f, float *y, const uint8_t *panel, size_t columns, int row, float scale) {
  switch (f) {
    DECODE_ROW(F32) DECODE_ROW(F16) DECODE_ROW(BF16) DECODE_ROW(Q4_0) DECODE_ROW(Q4_1) DECODE_ROW(Q5_0) DECODE_ROW(Q5_1)
    DECODE_ROW(Q8_0) DECODE_ROW(Q2_K) DECODE_ROW(Q3_K) DECODE_ROW(Q4_K) DECODE_ROW(Q5_K) DECODE_ROW(Q6_K)
  }
}
#endif
