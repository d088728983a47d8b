/*
 * Intel's matrix unit (AMX): 16 rows of signed activations times a block of unsigned codes as panels hold them, in one
 * instruction, exactly. Compiled with GALLOP_TILES: 1 for the real unit, 2 for the model of it in test/tiles-model.h.
 */
#ifndef GALLOP_TILES_H
#define GALLOP_TILES_H
#include "simd.h"
#if GALLOP_TILES == 2
#include "tiles-model.h"
#endif

typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t column_bytes[16];
  uint8_t rows[16];
} TileShapes;

/* 0: sums; 1 and 2: 32 columns of activations and codes; 3 and 4: 16 columns of them */
INLINE void tiles_begin(void) {
  const TileShapes shapes = {.palette = 1, .column_bytes = {64, 32, 64, 16, 64}, .rows = {16, 16, 8, 16, 4}};
  _tile_loadconfig(&shapes);
}
INLINE void tiles_end(void) { _tile_release(); }

/* sums[16][16] = rows a, a + stride … times codes[columns / 4][16 outputs][4] */
#define TILE_SUMS(sums, a, stride, codes, x, w) do { _tile_zero(0); _tile_loadd(x, a, (long)(stride)); _tile_loadd(w, codes, 64L); _tile_dpbsud(0, x, w); _tile_stored(0, sums, 64L); } while (0)
#define TILE_PRODUCT(sums, a, stride, codes) TILE_SUMS(sums, a, stride, codes, 1, 2)
#define HALF_TILE_PRODUCT(sums, a, stride, codes) TILE_SUMS(sums, a, stride, codes, 3, 4)
#endif
