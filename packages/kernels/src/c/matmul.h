/*
 * Batched float products C = A B over operands with any strides. The sum over k runs in blocks of 256, each from zero in
 * order of k, and the blocks are added in order: no tile, packing or thread changes a bit. A block of A and one of B are
 * packed for the register tile of TILE_ROWS rows by TILE_VECTORS vectors.
 */
#ifndef GALLOP_MATMUL_H
#define GALLOP_MATMUL_H
#include "map.h"

enum { MATMUL_DEPTH = 256, MATMUL_ROWS = 192, MATMUL_COLUMNS = 512 };
#if LANES == 16
#define TILE_ROWS 12
#define TILE_VECTORS 2
#elif defined(__AVX2__)
#define TILE_ROWS 6
#define TILE_VECTORS 2
#elif defined(__ARM_NEON)
#define TILE_ROWS 6
#define TILE_VECTORS 4
#else
#define TILE_ROWS 4
#define TILE_VECTORS 1
#endif
#define TILE_COLUMNS (TILE_VECTORS * LANES)

typedef struct {
  float *out;
  const float *left, *right;
  size_t m, n, k, left_row, left_k, right_k, right_column;
  int rank; /* batch axes */
  size_t sizes[MOST_AXES], left_strides[MOST_AXES], right_strides[MOST_AXES];
} Matmul;

/* Tile of `rows` (what is packed) of which `used` are stored; a is [k][rows], rows of b lie `b_stride` apart. */
INLINE void matmul_tile(const int rows, const float *a, const float *b, size_t b_stride, size_t k, float *out, size_t stride, int used, size_t width, int first) {
  vf sum[TILE_ROWS][TILE_VECTORS];
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) sum[r][v] = vf_set(0.0f);
  for (size_t i = 0; i < k; i++, a += rows, b += b_stride) {
    vf column[TILE_VECTORS];
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) column[v] = vf_load(b + v * LANES);
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      vf x = vf_set(a[r]);
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) sum[r][v] = vf_add(sum[r][v], vf_mul(x, column[v]));
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++) {
    if (r >= used) break;
    float *y = out + (size_t)r * stride;
    if (width == TILE_COLUMNS) {
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) vf_store(y + v * LANES, first ? sum[r][v] : vf_add(vf_load(y + v * LANES), sum[r][v]));
    } else {
      float lanes[TILE_COLUMNS];
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) vf_store(lanes + v * LANES, sum[r][v]);
      for (size_t c = 0; c < width; c++) y[c] = first ? lanes[c] : y[c] + lanes[c];
    }
  }
}
static void run_matmul_tile(int rows, const float *a, const float *b, size_t b_stride, size_t k, float *out, size_t stride, int used, size_t width, int first) {
  switch (rows) {
    case 1: matmul_tile(1, a, b, b_stride, k, out, stride, used, width, first); return;
    case 2: matmul_tile(2, a, b, b_stride, k, out, stride, used, width, first); return;
#if TILE_ROWS > 4
    case 4: matmul_tile(4, a, b, b_stride, k, out, stride, used, width, first); return;
#endif
    default: matmul_tile(TILE_ROWS, a, b, b_stride, k, out, stride, used, width, first);
  }
}
INLINE int matmul_tile_rows(size_t left) { return left == 1 ? 1 : left == 2 ? 2 : left <= 4 ? 4 : TILE_ROWS; }

/* Rows [0, rows) of A in tiles, each [k][rows of the tile], zeros below the last row. */
static void pack_left(float *to, const float *a, size_t rows, size_t k, size_t row_stride, size_t k_stride) {
  for (size_t first = 0; first < rows;) {
    const size_t left = rows - first, tile = (size_t)matmul_tile_rows(left), used = left < tile ? left : tile;
    const float *from = a + first * row_stride;
    if (used < tile) memset(to, 0, tile * k * 4);
    if (row_stride == 1) for (size_t i = 0; i < k; i++) memcpy(to + i * tile, from + i * k_stride, used * 4);
    else
      for (size_t r = 0; r < used; r++)
        for (size_t i = 0; i < k; i++) to[i * tile + r] = from[r * row_stride + i * k_stride];
    to += tile * k, first += used;
  }
}
static void pack_right(float *to, const float *b, size_t columns, size_t k, size_t k_stride, size_t column_stride) {
  for (size_t first = 0; first < columns; first += TILE_COLUMNS, to += TILE_COLUMNS * k) {
    const size_t used = columns - first < TILE_COLUMNS ? columns - first : TILE_COLUMNS;
    const float *from = b + first * column_stride;
    if (used < TILE_COLUMNS) memset(to, 0, TILE_COLUMNS * k * 4);
    if (column_stride == 1) for (size_t i = 0; i < k; i++) memcpy(to + i * TILE_COLUMNS, from + i * k_stride, used * 4);
    else
      for (size_t block = 0; block < k; block += 16) { /* 16 rows of the panel stay in cache while columns are read */
        const size_t end = block + 16 < k ? block + 16 : k;
        for (size_t c = 0; c < used; c++)
          for (size_t i = block; i < end; i++) to[i * TILE_COLUMNS + c] = from[c * column_stride + i * k_stride];
      }
  }
}

INLINE size_t rounded_up(size_t x, size_t unit) { return (x + unit - 1) / unit * unit; }
/* Floats of scratch, as packages/tensor/src/operations/matmul.ts asks for them. */
INLINE size_t matmul_left_scratch(const Matmul *p) {
  return rounded_up(p->m < MATMUL_ROWS ? p->m : MATMUL_ROWS, 12) * (p->k < MATMUL_DEPTH ? p->k : MATMUL_DEPTH);
}

/* Rows [row, row + rows) and columns [column, column + columns) of one product of the batch. */
static void matmul_block(const Matmul *p, size_t batch, size_t row, size_t rows, size_t column, size_t columns, float *scratch) {
  const float *left = p->left + row * p->left_row, *right = p->right + column * p->right_column;
  float *out = p->out + (batch * p->m + row) * p->n + column, *packed_right = scratch + matmul_left_scratch(p);
  for (int axis = p->rank - 1; axis >= 0; axis--) {
    const size_t at = batch % p->sizes[axis];
    batch /= p->sizes[axis];
    left += at * p->left_strides[axis], right += at * p->right_strides[axis];
  }
  for (size_t depth = 0; depth < p->k; depth += MATMUL_DEPTH) {
    const size_t k = p->k - depth < MATMUL_DEPTH ? p->k - depth : MATMUL_DEPTH;
    pack_left(scratch, left + depth * p->left_k, rows, k, p->left_row, p->left_k);
    /* A single tile of rows reads B once: packing would cost more than it saves. */
    const float *b = right + depth * p->right_k;
    const size_t direct = rows <= 4 && p->right_column == 1 ? columns / TILE_COLUMNS * TILE_COLUMNS : 0;
    pack_right(packed_right, b + direct * p->right_column, columns - direct, k, p->right_k, p->right_column);
    for (size_t c = 0; c < columns; c += TILE_COLUMNS) {
      const float *a = scratch, *panel = c < direct ? b + c : packed_right + (c - direct) * k;
      const size_t b_stride = c < direct ? p->right_k : TILE_COLUMNS;
      for (size_t r = 0; r < rows;) {
        const int tile = matmul_tile_rows(rows - r), used = rows - r < (size_t)tile ? (int)(rows - r) : tile;
        run_matmul_tile(tile, a, panel, b_stride, k, out + r * p->n + c, p->n, used, columns - c < TILE_COLUMNS ? columns - c : TILE_COLUMNS, depth == 0);
        a += (size_t)tile * k, r += (size_t)used;
      }
    }
  }
}
#endif
