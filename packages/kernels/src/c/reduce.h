/*
 * Reductions, running sums, softmax, norms and sorting. A sum or maximum of n elements runs in 16 lanes, element i in lane
 * i mod 16, and the lanes are folded 8, 4, 2, 1, along whichever axis it goes.
 */
#ifndef GALLOP_REDUCE_H
#define GALLOP_REDUCE_H
#include "functions.h"
#include "opcodes.h"

INLINE vf reduce_step(int kind, vf a, vf x) { return kind == REDUCE_SUM ? vf_add(a, x) : kind == REDUCE_MAXIMUM ? vf_max(x, a) : vf_min(x, a); }
INLINE float reduce_start(int kind) { return kind == REDUCE_SUM ? 0.0f : kind == REDUCE_MAXIMUM ? -__builtin_inff() : __builtin_inff(); }
/*
 * Folds 16 lanes. Only vector operations choose a smaller or larger number here: where relaxed SIMD is on, a compiler may
 * turn a scalar choice into an instruction that leaves open which of two zeros it takes.
 */
INLINE float reduce_fold(int kind, const float *lanes) {
  float folded[32] = {0};
  memcpy(folded, lanes, 64);
  for (int half = 8; half >= 1; half /= 2)
    for (int i = 0; i < half; i += LANES) vf_store(folded + i, reduce_step(kind, vf_load(folded + i), vf_load(folded + i + half)));
  return folded[0];
}

INLINE float reduce_row(const int kind, const float *x, size_t count) {
  float lanes[16];
  vf sums[PARTS];
  for (int i = 0; i < PARTS; i++) sums[i] = vf_set(reduce_start(kind));
  size_t at = 0;
  for (; at + 16 <= count; at += 16)
    for (int i = 0; i < PARTS; i++) sums[i] = reduce_step(kind, sums[i], vf_load(x + at + i * LANES));
  if (at < count) {
    for (int i = 0; i < 16; i++) lanes[i] = reduce_start(kind); /* joining where lanes start changes nothing */
    memcpy(lanes, x + at, (count - at) * 4);
    for (int i = 0; i < PARTS; i++) sums[i] = reduce_step(kind, sums[i], vf_load(lanes + i * LANES));
  }
  for (int i = 0; i < PARTS; i++) vf_store(lanes + i * LANES, sums[i]);
  return reduce_fold(kind, lanes);
}
/* `width` neighbouring columns of `count` rows that lie `stride` floats apart. */
INLINE void reduce_columns(const int kind, float *out, const float *x, size_t count, size_t stride, size_t width) {
  for (size_t c = 0; c < width; c += LANES) {
    const int whole = c + LANES <= width;
    vf lanes[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) lanes[i] = vf_set(reduce_start(kind));
    size_t at = 0;
    if (whole)
      for (; at + 16 <= count; at += 16)
#pragma GCC unroll 16
        for (size_t i = 0; i < 16; i++) lanes[i] = reduce_step(kind, lanes[i], vf_load(x + (at + i) * stride + c));
    for (; at < count; at++) lanes[at & 15] = reduce_step(kind, lanes[at & 15], load_part(x + at * stride, c, width));
#pragma GCC unroll 4
    for (int half = 8; half >= 1; half /= 2)
      for (int i = 0; i < half; i++) lanes[i] = reduce_step(kind, lanes[i], lanes[i + half]);
    store_part(out, c, width, lanes[0]);
  }
}
static void reduce_unit(int kind, float *out, const float *x, size_t count, size_t inner, size_t width) {
  if (inner == 1) *out = kind == REDUCE_SUM ? reduce_row(REDUCE_SUM, x, count) : kind == REDUCE_MAXIMUM ? reduce_row(REDUCE_MAXIMUM, x, count) : reduce_row(REDUCE_MINIMUM, x, count);
  else if (kind == REDUCE_SUM) reduce_columns(REDUCE_SUM, out, x, count, inner, width);
  else if (kind == REDUCE_MAXIMUM) reduce_columns(REDUCE_MAXIMUM, out, x, count, inner, width);
  else reduce_columns(REDUCE_MINIMUM, out, x, count, inner, width);
}

/* The index of the extreme of `count` elements `stride` apart: the lowest index among equals, 0 when all are NaN. */
INLINE int32_t extreme_index(int largest, const float *x, size_t count, size_t stride) {
  size_t best = 0;
  for (size_t i = 1; i < count; i++) {
    const float a = x[i * stride], b = x[best * stride];
    if ((largest ? a > b : a < b) || (b != b && a == a)) best = i;
  }
  return (int32_t)best;
}

/* Running sums of rows `inner` apart; backwards from the last when `reverse`. */
static void cumulative_unit(float *out, const float *x, size_t count, size_t inner, int reverse) {
  for (size_t k = 0; k < count; k++) {
    const size_t row = reverse ? count - 1 - k : k, before = reverse ? row + 1 : row - 1;
    for (size_t i = 0; i < inner; i++) out[row * inner + i] = k == 0 ? x[row * inner + i] : out[before * inner + i] + x[row * inner + i];
  }
}

/* e^(x - max) / sum, or (x - max) - log sum; a row of only -infinity gives zeros, or -infinity. */
static void softmax_row(float *y, const float *x, size_t columns, int logarithm) {
  const vf infinity = vf_set(-__builtin_inff());
  const float largest = reduce_row(REDUCE_MAXIMUM, x, columns);
  if (largest == -__builtin_inff()) {
    float sum = 0.0f; /* NaN stays NaN */
    for (size_t c = 0; c < columns; c++) sum = x[c] == x[c] ? sum : x[c];
    for (size_t c = 0; c < columns; c++) y[c] = sum != sum ? sum : logarithm ? largest : 0.0f;
    return;
  }
  float lanes[16], padded[16];
  vf sums[PARTS];
  for (int i = 0; i < PARTS; i++) sums[i] = vf_set(0.0f);
  for (size_t c = 0; c < columns; c += 16) {
    const size_t n = columns - c < 16 ? columns - c : 16;
    const float *from = x + c;
    if (n < 16) {
      for (int i = 0; i < PARTS; i++) vf_store(padded + i * LANES, infinity);
      memcpy(padded, from, n * 4);
      from = padded;
    }
    float shifted[16], powers[16];
    for (int i = 0; i < PARTS; i++) {
      vf z = vf_sub(vf_load(from + i * LANES), vf_set(largest)), e = vf_exponential(z);
      sums[i] = vf_add(sums[i], e);
      vf_store(shifted + i * LANES, z);
      vf_store(powers + i * LANES, e);
    }
    memcpy(y + c, logarithm ? shifted : powers, n * 4);
  }
  for (int i = 0; i < PARTS; i++) vf_store(lanes + i * LANES, sums[i]);
  float sum = reduce_fold(REDUCE_SUM, lanes);
  vf factor = vf_set(1.0f / sum);
  if (logarithm) {
    vf_store(padded, vf_log(vf_set(sum)));
    factor = vf_set(padded[0]);
  }
  vf_store(padded, factor);
  size_t c = 0;
  for (; c + LANES <= columns; c += LANES) vf_store(y + c, logarithm ? vf_sub(vf_load(y + c), factor) : vf_mul(vf_load(y + c), factor));
  for (; c < columns; c++) y[c] = logarithm ? y[c] - padded[0] : y[c] * padded[0];
}

/* (x - mean) / sqrt(mean((x - mean)^2) + epsilon) [* weight] [+ bias]; without the mean when `centred` is 0. */
static void normalise_row(float *y, const float *x, const float *weight, const float *bias, size_t columns, float epsilon, int centred) {
  const float mean = centred ? reduce_row(REDUCE_SUM, x, columns) / (float)columns : 0.0f;
  size_t c = 0;
  for (; c + LANES <= columns; c += LANES) vf_store(y + c, vf_sub(vf_load(x + c), vf_set(mean)));
  for (; c < columns; c++) y[c] = x[c] - mean;
  float lanes[16] = {0};
  vf sums[PARTS];
  for (int i = 0; i < PARTS; i++) sums[i] = vf_set(0.0f);
  for (c = 0; c + 16 <= columns; c += 16)
    for (int i = 0; i < PARTS; i++) { vf v = vf_load(y + c + i * LANES); sums[i] = vf_add(sums[i], vf_mul(v, v)); }
  for (int i = 0; i < PARTS; i++) vf_store(lanes + i * LANES, sums[i]);
  for (; c < columns; c++) lanes[c & 15] += y[c] * y[c];
  const float scale = 1.0f / square_root(reduce_fold(REDUCE_SUM, lanes) / (float)columns + epsilon);
  for (c = 0; c + LANES <= columns; c += LANES) {
    vf v = vf_mul(vf_load(y + c), vf_set(scale));
    if (weight) v = vf_mul(v, vf_load(weight + c));
    if (bias) v = vf_add(v, vf_load(bias + c));
    vf_store(y + c, v);
  }
  for (; c < columns; c++) {
    float v = y[c] * scale;
    if (weight) v = v * weight[c];
    if (bias) v = v + bias[c];
    y[c] = v;
  }
}

/* Whether a stands before b; NaN counts as the largest value. */
INLINE int sorts_before(float a, float b, int descending) {
  if (a != a || b != b) return descending ? a != a && b == b : a == a && b != b;
  return descending ? a > b : a < b;
}
/* Stable merge sort of indices by value; `spare` holds `count` integers. */
static void sort_row(float *values, int32_t *ids, const float *x, size_t count, int descending, int32_t *spare) {
  for (size_t i = 0; i < count; i++) ids[i] = (int32_t)i;
  int32_t *from = ids, *to = spare;
  for (size_t width = 1; width < count; width *= 2) {
    for (size_t first = 0; first < count; first += 2 * width) {
      const size_t middle = first + width < count ? first + width : count, last = first + 2 * width < count ? first + 2 * width : count;
      size_t a = first, b = middle;
      for (size_t k = first; k < last; k++) to[k] = b < last && (a >= middle || sorts_before(x[from[b]], x[from[a]], descending)) ? from[b++] : from[a++];
    }
    int32_t *swapped = from;
    from = to, to = swapped;
  }
  if (from != ids) memcpy(ids, from, count * 4);
  for (size_t i = 0; i < count; i++) values[i] = x[ids[i]];
}
#endif
