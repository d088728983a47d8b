/*
 * The tile instructions that tiles.h uses, as Intel's manual defines them (Software Developer's Manual, volume 2: LDTILECFG,
 * TILELOADD, TILEZERO, TDPBSUD, TILESTORED), for machines without the unit. Misuse ends the program, as a fault would.
 */
#ifndef GALLOP_TILES_MODEL_H
#define GALLOP_TILES_MODEL_H
#include <immintrin.h> /* whose macros give way */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct { int rows, bytes; uint8_t data[16][64]; } ModelTile;
static struct { int configured; ModelTile tiles[8]; } model_unit;

static ModelTile *model_tile(int index) {
  if (!model_unit.configured || index < 0 || index > 7 || model_unit.tiles[index].rows == 0) abort();
  return &model_unit.tiles[index];
}
static inline void model_loadconfig(const void *config) {
  const uint8_t *bytes = config;
  if (bytes[0] != 1 || bytes[1] != 0) abort();
  for (int i = 2; i < 16; i++) if (bytes[i]) abort();
  memset(&model_unit, 0, sizeof model_unit);
  model_unit.configured = 1;
  for (int i = 0; i < 8; i++) {
    uint16_t columns;
    memcpy(&columns, bytes + 16 + 2 * i, 2);
    if (columns > 64 || bytes[48 + i] > 16 || (columns == 0) != (bytes[48 + i] == 0)) abort();
    model_unit.tiles[i].rows = bytes[48 + i], model_unit.tiles[i].bytes = columns;
  }
}
static inline void model_release(void) { model_unit.configured = 0; }
static inline void model_zero(int t) { memset(model_tile(t)->data, 0, sizeof model_tile(t)->data); }
static inline void model_loadd(int t, const void *base, long stride) {
  ModelTile *tile = model_tile(t);
  memset(tile->data, 0, sizeof tile->data);
  for (int r = 0; r < tile->rows; r++) memcpy(tile->data[r], (const uint8_t *)base + r * stride, (size_t)tile->bytes);
}
static inline void model_stored(int t, void *base, long stride) {
  ModelTile *tile = model_tile(t);
  for (int r = 0; r < tile->rows; r++) memcpy((uint8_t *)base + r * stride, tile->data[r], (size_t)tile->bytes);
}
static inline void model_dpbsud(int c, int a, int b) {
  ModelTile *sums = model_tile(c), *x = model_tile(a), *w = model_tile(b);
  if (x->rows != sums->rows || w->bytes != sums->bytes || x->bytes != 4 * w->rows) abort();
  for (int m = 0; m < sums->rows; m++)
    for (int k = 0; k < w->rows; k++)
      for (int n = 0; n < sums->bytes / 4; n++) {
        int32_t sum;
        memcpy(&sum, &sums->data[m][4 * n], 4);
        for (int i = 0; i < 4; i++) sum += (int8_t)x->data[m][4 * k + i] * (int32_t)w->data[k][4 * n + i];
        memcpy(&sums->data[m][4 * n], &sum, 4);
      }
}
#undef _tile_loadconfig
#define _tile_loadconfig model_loadconfig
#undef _tile_release
#define _tile_release model_release
#undef _tile_zero
#define _tile_zero model_zero
#undef _tile_loadd
#define _tile_loadd model_loadd
#undef _tile_stored
#define _tile_stored model_stored
#undef _tile_dpbsud
#define _tile_dpbsud model_dpbsud
#endif
