/* Whole numbers: conversions, rows quantised to one byte with a scale of their own, and exact products of bytes. */
#ifndef GALLOP_INTEGER_H
#define GALLOP_INTEGER_H
#include "rows.h"

/* Codes of one row: scale = max|x| / 127, code = round half to even of x * (1 / scale); a row of zeros has scale 0. */
static void quantize_whole_row(int8_t *codes, float *scale, const float *x, size_t columns) {
  float largest = 0.0f;
  for (size_t c = 0; c < columns; c++) largest = __builtin_fabsf(x[c]) > largest ? __builtin_fabsf(x[c]) : largest;
  *scale = largest / 127.0f;
  const float inverse = largest >= 0x1p-120f ? 1.0f / *scale : 0.0f;
  for (size_t c = 0; c < columns; c++) {
    float v = x[c] * inverse;
    v = v > 127.0f ? 127.0f : v > -127.0f ? v : -127.0f; /* NaN gives -127 */
    codes[c] = (int8_t)((v + 12582912.0f) - 12582912.0f);
  }
}

/* One output row of left [k] times right [n][k]; sums wrap at 32 bits. */
static void integer_product_row(int32_t *out, const int8_t *left, const int8_t *right, size_t n, size_t k) {
  for (size_t column = 0; column < n; column++) {
    const int8_t *row = right + column * k;
    uint32_t sum = 0;
    for (size_t i = 0; i < k; i++) sum += (uint32_t)(left[i] * row[i]);
    out[column] = (int32_t)sum;
  }
}

enum ElementKind { ELEMENT_I8 = 0, ELEMENT_U8 = 1, ELEMENT_I32 = 2 };
static void convert_range(float *out, const void *x, int kind, size_t first, size_t last) {
  if (kind == ELEMENT_I8) for (size_t i = first; i < last; i++) out[i] = (float)((const int8_t *)x)[i];
  else if (kind == ELEMENT_U8) for (size_t i = first; i < last; i++) out[i] = (float)((const uint8_t *)x)[i];
  else for (size_t i = first; i < last; i++) out[i] = (float)((const int32_t *)x)[i];
}
#endif
