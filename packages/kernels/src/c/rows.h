/*
 * Row-wise kernels: exponential, norms, activation functions, rotary embedding, 8-bit activations, top-k. Sums over a
 * row always run in 16 lanes (element i in lane i & 15) that are folded 8, 4, 2, 1, whatever the native width is.
 */
#ifndef GALLOP_ROWS_H
#define GALLOP_ROWS_H
#include "panels.h"

/* The y of e^x = 2^n y by Cephes' polynomial, one rounding per written operation; *shifted is n + 1.5 * 2^23. */
INLINE vf vf_exp_rest(vf x, vf *shifted) {
  const vf magic = vf_set(12582912.0f);
  *shifted = vf_add(vf_mul(x, vf_set(1.44269504088896341f)), magic);
  vf n = vf_sub(*shifted, magic);
  vf r = vf_sub(vf_sub(x, vf_mul(n, vf_set(0.693359375f))), vf_mul(n, vf_set(-2.12194440e-4f)));
  vf p = vf_set(1.9875691500e-4f);
  p = vf_add(vf_mul(p, r), vf_set(1.3981999507e-3f));
  p = vf_add(vf_mul(p, r), vf_set(8.3334519073e-3f));
  p = vf_add(vf_mul(p, r), vf_set(4.1665795894e-2f));
  p = vf_add(vf_mul(p, r), vf_set(1.6666665459e-1f));
  p = vf_add(vf_mul(p, r), vf_set(5.0000001201e-1f));
  return vf_add(vf_add(vf_mul(p, vf_mul(r, r)), r), vf_set(1.0f));
}
/* 2^n for n + 1.5 * 2^23: the low bits hold n + 0x4b400000, and only n + 127 survives the shift. */
INLINE vf vf_power_of_two(vf shifted) { return vi_as_float(vi_shl(vi_add(vf_bits(shifted), vi_set(127 - 0x4b400000)), 23)); }

/* e^x, 0 below -87.33 and for NaN, saturated above 88.3. */
INLINE vf vf_exp(vf x) {
  const vf lowest = vf_set(-87.33f);
  vf shifted, y = vf_exp_rest(vf_min(vf_max(x, lowest), vf_set(88.3f)), &shifted);
  return vf_keep_from(x, lowest, vf_mul(y, vf_power_of_two(shifted)));
}

INLINE float fold_add(const float lanes[16]) {
  float a[8], b[4];
  for (int i = 0; i < 8; i++) a[i] = lanes[i] + lanes[i + 8];
  for (int i = 0; i < 4; i++) b[i] = a[i] + a[i + 4];
  return (b[0] + b[2]) + (b[1] + b[3]);
}
INLINE float fold_max(const float lanes[16]) {
  float a[8], b[4];
  for (int i = 0; i < 8; i++) a[i] = lanes[i] > lanes[i + 8] ? lanes[i] : lanes[i + 8];
  for (int i = 0; i < 4; i++) b[i] = a[i] > a[i + 4] ? a[i] : a[i + 4];
  const float c = b[0] > b[2] ? b[0] : b[2], d = b[1] > b[3] ? b[1] : b[3];
  return c > d ? c : d;
}
INLINE float square_root(float x) { return __builtin_sqrtf(x); }

/* An 8-bit activation row: codes, then per block of 32 a scale, scale * sum of codes, -sum; per 16 codes -sum. */
INLINE size_t activation_row_bytes(size_t columns) { return (columns + columns / 32 * 20 + 63) & ~(size_t)63; }
INLINE float *activation_scales(int8_t *row, size_t columns) { return (float *)(row + columns); }
INLINE float *activation_scaled_sums(int8_t *row, size_t columns) { return (float *)(row + columns) + columns / 32; }
INLINE int32_t *activation_negative_sums(int8_t *row, size_t columns) { return (int32_t *)(row + columns) + columns / 32 * 2; }
INLINE int32_t *activation_negative_half_sums(int8_t *row, size_t columns) { return (int32_t *)(row + columns) + columns / 32 * 3; }

/* The sum of 16 codes, eight bytes at a time: made unsigned, added up in pairs, the pairs by a product. */
INLINE int32_t sum_of_16(const int8_t *codes) {
  uint64_t a, b;
  memcpy(&a, codes, 8), memcpy(&b, codes + 8, 8);
  a ^= 0x8080808080808080u, b ^= 0x8080808080808080u;
  const uint64_t even = 0x00ff00ff00ff00ffu, pairs = (a & even) + (a >> 8 & even) + (b & even) + (b >> 8 & even);
  return (int32_t)((pairs * 0x0001000100010001u) >> 48) - 16 * 128;
}

/*
 * Per 32: scale = max|x| / 127, code = round half to even of x * (127 / max|x|). Below 2^-120, where the quotient would
 * soon overflow, all codes are 0.
 */
INLINE void quantize_row(int8_t *row, const float *x, size_t columns) {
  float *scales = activation_scales(row, columns), *scaled = activation_scaled_sums(row, columns);
  int32_t *sums = activation_negative_sums(row, columns), *half_sums = activation_negative_half_sums(row, columns);
  const vf magic = vf_set(12582912.0f);
  for (size_t b = 0; b < columns / 32; b++) {
    float lanes[16];
    for (int i = 0; i < PARTS; i++)
      vf_store(lanes + i * LANES, vf_max(vf_abs(vf_load(x + 32 * b + i * LANES)), vf_abs(vf_load(x + 32 * b + 16 + i * LANES))));
    float largest = fold_max(lanes);
    float inverse = largest >= 0x1p-120f ? 127.0f / largest : 0.0f;
    scales[b] = largest / 127.0f;
    int8_t *codes = row + 32 * b;
    for (int i = 0; i < 2 * PARTS; i++) {
      vf v = vf_mul(vf_load(x + 32 * b + i * LANES), vf_set(inverse));
      vf_store_codes(codes + i * LANES, vf_sub(vf_add(v, magic), magic));
    }
    const int32_t sum0 = sum_of_16(codes), sum1 = sum_of_16(codes + 16);
    half_sums[2 * b] = -sum0, half_sums[2 * b + 1] = -sum1;
    sums[b] = -(sum0 + sum1);
    scaled[b] = scales[b] * (float)(sum0 + sum1);
  }
}

/* Puts the 8-bit form of columns [at, at + width) into a whole row; at and width are multiples of 32. */
INLINE void place_activation_part(uint8_t *row, size_t columns, const uint8_t *part, size_t width, size_t at) {
  const size_t blocks = width / 32;
  memcpy(row + at, part, width);
  for (size_t field = 0; field < 3; field++)
    memcpy((float *)(row + columns) + field * (columns / 32) + at / 32, (const float *)(part + width) + field * blocks, blocks * 4);
  memcpy((float *)(row + columns) + 3 * (columns / 32) + at / 16, (const float *)(part + width) + 3 * blocks, blocks * 8);
}

/* y = x / sqrt(mean(x^2) + epsilon) * weight */
INLINE void rms_norm_row(float *y, const float *x, const float *weight, size_t columns, float epsilon) {
  float lanes[16] = {0};
  size_t c = 0;
#if LANES == 16
  vf sum = vf_set(0);
  for (; c + 16 <= columns; c += 16) { vf v = vf_load(x + c); sum = vf_add(sum, vf_mul(v, v)); }
  vf_store(lanes, sum);
#else
  vf sum[PARTS];
  for (int i = 0; i < PARTS; i++) sum[i] = vf_set(0);
  for (; c + 16 <= columns; c += 16)
    for (int i = 0; i < PARTS; i++) { vf v = vf_load(x + c + i * LANES); sum[i] = vf_add(sum[i], vf_mul(v, v)); }
  for (int i = 0; i < PARTS; i++) vf_store(lanes + i * LANES, sum[i]);
#endif
  for (; c < columns; c++) lanes[c & 15] += x[c] * x[c];
  float scale = 1.0f / square_root(fold_add(lanes) / (float)columns + epsilon);
  for (c = 0; c + LANES <= columns; c += LANES)
    vf_store(y + c, vf_mul(vf_mul(vf_load(x + c), vf_set(scale)), vf_load(weight + c)));
  for (; c < columns; c++) y[c] = (x[c] * scale) * weight[c];
}

enum Activation { SILU = 0, GELU_TANH = 1 };

INLINE vf activate(int kind, vf x) {
  const vf one = vf_set(1.0f);
  if (kind == SILU) return vf_div(x, vf_add(one, vf_exp(vf_sub(vf_set(0.0f), x))));
  vf cube = vf_mul(vf_mul(x, x), x);
  vf z = vf_mul(vf_set(0.7978845608028654f), vf_add(x, vf_mul(vf_set(0.044715f), cube)));
  vf e = vf_exp(vf_add(z, z)); /* tanh z = 1 - 2 / (e^2z + 1) */
  vf tanh_z = vf_sub(one, vf_div(vf_set(2.0f), vf_add(e, one)));
  return vf_mul(vf_mul(vf_set(0.5f), x), vf_add(one, tanh_z));
}
INLINE void gated_row(int kind, float *y, const float *gate, const float *up, size_t columns) {
  size_t c = 0;
  for (; c + LANES <= columns; c += LANES) vf_store(y + c, vf_mul(activate(kind, vf_load(gate + c)), vf_load(up + c)));
  if (c < columns) {
    float g[LANES] = {0}, u[LANES] = {0};
    memcpy(g, gate + c, (columns - c) * 4);
    memcpy(u, up + c, (columns - c) * 4);
    vf_store(g, vf_mul(activate(kind, vf_load(g)), vf_load(u)));
    memcpy(y + c, g, (columns - c) * 4);
  }
}

/* Rotates pairs of one head in place; table row = rotary/2 cosines, then rotary/2 sines. */
INLINE void rope_head(float *x, const float *table, size_t rotary, int adjacent_pairs) {
  size_t half = rotary / 2;
  const float *cosine = table, *sine = table + half;
  for (size_t i = 0; i < half; i++) {
    float *a = adjacent_pairs ? x + 2 * i : x + i, *b = adjacent_pairs ? a + 1 : a + half;
    float p = *a, q = *b;
    *a = p * cosine[i] - q * sine[i];
    *b = p * sine[i] + q * cosine[i];
  }
}

/* The k largest of a row, largest first, ties to the smaller index. NaN never wins. */
static void top_k_row(float *values, int32_t *ids, const float *x, int32_t columns, int32_t k) {
  int32_t count = 0;
  for (int32_t c = 0; c < columns; c += 16) {
    int32_t end = c + 16 < columns ? c + 16 : columns;
    if (count == k) { /* skip 16 values at once when none beats the worst kept */
      const float worst = values[k - 1];
      if (end - c == 16) {
        vf best = vf_set(worst);
        for (int i = 0; i < PARTS; i++) best = vf_max(vf_load(x + c + i * LANES), best); /* NaN gives way to best */
        if (!vf_any_above(best, vf_set(worst))) continue;
      }
    }
    for (int32_t i = c; i < end; i++) {
      if (!(x[i] == x[i]) || (count == k && !(x[i] > values[k - 1]))) continue;
      int32_t at = count < k ? count++ : k - 1;
      while (at > 0 && x[i] > values[at - 1]) values[at] = values[at - 1], ids[at] = ids[at - 1], at--;
      values[at] = x[i], ids[at] = i;
    }
  }
  for (; count < k; count++) values[count] = -__builtin_inff(), ids[count] = count == 0 ? 0 : -1;
}
#endif
