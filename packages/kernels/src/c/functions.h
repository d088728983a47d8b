/*
 * Elementary functions in float32, a few units in the last place from the true value, one rounding per written
 * operation. packages/tensor/src/reference/functions.ts writes down the same operations. Infinities and NaN come out as
 * IEEE arithmetic has them. Sine, cosine and powers are computed in double precision and rounded once.
 */
#ifndef GALLOP_FUNCTIONS_H
#define GALLOP_FUNCTIONS_H
#include "rows.h"

/* LANES values from `at` of a row of n, zeros beyond its end. */
INLINE vf load_part(const float *x, size_t at, size_t n) {
  if (at + LANES <= n) return vf_load(x + at);
  float lanes[LANES] = {0};
  for (size_t i = 0; at + i < n; i++) lanes[i] = x[at + i];
  return vf_load(lanes);
}
INLINE void store_part(float *x, size_t at, size_t n, vf v) {
  if (at + LANES <= n) { vf_store(x + at, v); return; }
  float lanes[LANES];
  vf_store(lanes, v);
  for (size_t i = 0; at + i < n; i++) x[at + i] = lanes[i];
}

INLINE vf vf_negative(vf x) { return vf_mul(x, vf_set(-1.0f)); }
/* x where v is NaN, else y */
INLINE vf vf_where_nan(vf v, vf x, vf y) { return vf_less(vf_set(0.0f), vf_keep_from(v, v, vf_set(1.0f)), y, x); }
INLINE vf vf_where_equal(vf a, vf b, vf x, vf y) { return vf_where_nan(a, y, vf_where_nan(b, y, vf_less(a, b, y, vf_less(b, a, y, x)))); }

INLINE vf vf_round(vf x) { /* the nearest integer, ties to even */
  const vf magic = vf_set(12582912.0f);
  return vf_less(vf_abs(x), vf_set(4194304.0f), vf_sub(vf_add(x, magic), magic), x);
}
INLINE vf vf_floor(vf x) {
  vf rounded = vf_round(x);
  return vf_less(x, rounded, vf_sub(rounded, vf_set(1.0f)), rounded);
}

/* e^x over the whole range, subnormal results too: 2^n is applied in two factors. */
INLINE vf vf_exponential(vf x) {
  const vf magic = vf_set(12582912.0f);
  vf shifted, y = vf_exp_rest(vf_min(vf_max(x, vf_set(-105.0f)), vf_set(89.0f)), &shifted), n = vf_sub(shifted, magic);
  vf half = vf_add(vf_mul(n, vf_set(0.5f)), magic), rest = vf_add(vf_sub(n, vf_sub(half, magic)), magic);
  return vf_where_nan(x, x, vf_mul(vf_mul(y, vf_power_of_two(half)), vf_power_of_two(rest)));
}

/* Natural logarithm by Cephes' polynomial: x = 2^e (1 + m), 1 + m in [sqrt 1/2, sqrt 2). */
INLINE vf vf_log(vf x) {
  const vf one = vf_set(1.0f), zero = vf_set(0.0f), small = vf_set(1.17549435e-38f);
  vf scaled = vf_less(x, small, vf_mul(x, vf_set(33554432.0f)), x), shift = vf_less(x, small, vf_set(151.0f), vf_set(126.0f));
  vi bits = vf_bits(scaled);
  vf e = vf_sub(vf_from_int(vi_and(vi_shr(bits, 23), vi_set(255))), shift);
  vf m = vi_as_float(vi_add(vi_and(bits, vi_set(0x7fffff)), vi_set(0x3f000000)));
  const vf root = vf_set(0.707106781186547524f);
  e = vf_less(m, root, vf_sub(e, one), e);
  m = vf_less(m, root, vf_sub(vf_add(m, m), one), vf_sub(m, one));
  vf z = vf_mul(m, m), p = vf_set(7.0376836292e-2f);
  p = vf_add(vf_mul(p, m), vf_set(-1.1514610310e-1f));
  p = vf_add(vf_mul(p, m), vf_set(1.1676998740e-1f));
  p = vf_add(vf_mul(p, m), vf_set(-1.2420140846e-1f));
  p = vf_add(vf_mul(p, m), vf_set(1.4249322787e-1f));
  p = vf_add(vf_mul(p, m), vf_set(-1.6668057665e-1f));
  p = vf_add(vf_mul(p, m), vf_set(2.0000714765e-1f));
  p = vf_add(vf_mul(p, m), vf_set(-2.4999993993e-1f));
  p = vf_add(vf_mul(p, m), vf_set(3.3333331174e-1f));
  vf y = vf_mul(vf_mul(p, m), z);
  y = vf_add(y, vf_mul(e, vf_set(-2.12194440e-4f)));
  y = vf_sub(y, vf_mul(z, vf_set(0.5f)));
  y = vf_add(vf_add(m, y), vf_mul(e, vf_set(0.693359375f)));
  const vf infinity = vf_set(__builtin_inff());
  y = vf_less(x, infinity, y, x); /* infinity and NaN are their own logarithms */
  y = vf_less(x, zero, vf_set(__builtin_nanf("")), y);
  return vf_where_equal(x, zero, vf_negative(infinity), y);
}

/* log(1 + u) for u >= 0: Kahan's correction of what 1 + u rounds away. */
INLINE vf vf_log_one_plus(vf u) {
  const vf one = vf_set(1.0f);
  vf w = vf_add(one, u), y = vf_mul(vf_log(w), vf_div(u, vf_sub(w, one)));
  return vf_less(one, w, vf_less(w, vf_set(__builtin_inff()), y, w), u);
}
INLINE vf vf_exp_minus_one(vf x) {
  const vf one = vf_set(1.0f);
  vf u = vf_exponential(x), v = vf_sub(u, one), y = vf_mul(v, vf_div(x, vf_log(u)));
  y = vf_less(vf_set(-17.0f), x, vf_less(x, vf_set(80.0f), y, u), vf_set(-1.0f));
  return vf_where_nan(x, x, vf_where_equal(u, one, x, y));
}

INLINE vf vf_tanh(vf x) {
  const vf one = vf_set(1.0f);
  vf z = vf_mul(x, x), p = vf_set(-5.70498872745e-3f);
  p = vf_add(vf_mul(p, z), vf_set(2.06390887954e-2f));
  p = vf_add(vf_mul(p, z), vf_set(-5.37397155531e-2f));
  p = vf_add(vf_mul(p, z), vf_set(1.33314422036e-1f));
  p = vf_add(vf_mul(p, z), vf_set(-3.33332819422e-1f));
  vf near = vf_add(vf_mul(vf_mul(p, z), x), x), size = vf_abs(x);
  vf far = vf_sub(one, vf_div(vf_set(2.0f), vf_add(vf_exponential(vf_add(size, size)), one)));
  return vf_less(size, vf_set(0.625f), near, vf_less(x, vf_set(0.0f), vf_negative(far), far));
}
INLINE vf vf_sigmoid(vf x) { return vf_div(vf_set(1.0f), vf_add(vf_set(1.0f), vf_exponential(vf_negative(x)))); }

/* erf x / x - 1 for |x| < 1, fitted in x^2 */
INLINE vf vf_erf_near(vf z) {
  vf p = vf_set(7.889115867990534e-5f);
  p = vf_add(vf_mul(p, z), vf_set(-8.020840183155677e-4f));
  p = vf_add(vf_mul(p, z), vf_set(5.189535216322446e-3f));
  p = vf_add(vf_mul(p, z), vf_set(-2.6854444528349446e-2f));
  p = vf_add(vf_mul(p, z), vf_set(1.1283600174774613e-1f));
  p = vf_add(vf_mul(p, z), vf_set(-3.761262713583947e-1f));
  return vf_add(vf_mul(p, z), vf_set(1.2837916591373377e-1f));
}
/* 1 - erf x for x >= 1: e^(-x^2) t R(t), t = 1 / (1 + x/2), R fitted; x^2 is split so that the exponent is exact */
INLINE vf vf_erfc_far(vf x) {
  vf t = vf_div(vf_set(1.0f), vf_add(vf_set(1.0f), vf_mul(x, vf_set(0.5f)))), p = vf_set(8.68192934322794e-2f);
  p = vf_add(vf_mul(p, t), vf_set(-2.0717366708317558e-1f));
  p = vf_add(vf_mul(p, t), vf_set(5.97667066726265e-2f));
  p = vf_add(vf_mul(p, t), vf_set(7.549400366823372e-2f));
  p = vf_add(vf_mul(p, t), vf_set(1.7342816364018418e-1f));
  p = vf_add(vf_mul(p, t), vf_set(2.4810441577297287e-1f));
  p = vf_add(vf_mul(p, t), vf_set(2.819099906838924e-1f));
  p = vf_add(vf_mul(p, t), vf_set(2.821044573325328e-1f));
  vf high = vi_as_float(vi_and(vf_bits(x), vi_set((int32_t)0xfffff000)));
  vf low = vf_mul(vf_sub(x, high), vf_add(x, high));
  vf e = vf_mul(vf_exponential(vf_negative(vf_mul(high, high))), vf_exponential(vf_negative(low)));
  return vf_less(x, vf_set(11.0f), vf_mul(e, vf_mul(t, p)), vf_where_nan(x, x, vf_set(0.0f)));
}
INLINE vf vf_erf(vf x) {
  vf size = vf_abs(x), near = vf_add(x, vf_mul(x, vf_erf_near(vf_mul(x, x)))), far = vf_sub(vf_set(1.0f), vf_erfc_far(size));
  return vf_less(size, vf_set(1.0f), near, vf_less(x, vf_set(0.0f), vf_negative(far), far));
}
/* x/2 (1 + erf(x / sqrt 2)); the negative side is x/2 times the complement, which loses nothing */
INLINE vf vf_gelu(vf x) {
  vf half = vf_mul(x, vf_set(0.5f)), z = vf_mul(x, vf_set(0.70710678118654752f)), size = vf_abs(z);
  vf near = vf_add(half, vf_mul(half, vf_add(z, vf_mul(z, vf_erf_near(vf_mul(z, z)))))), tail = vf_mul(half, vf_erfc_far(size));
  return vf_less(size, vf_set(1.0f), near, vf_less(x, vf_set(0.0f), tail, vf_sub(x, tail)));
}
/* x/2 (1 + tanh z) = x / (1 + e^-2z), z = sqrt(2/pi) (x + 0.044715 x^3) */
INLINE vf vf_gelu_tanh(vf x) {
  vf cube = vf_mul(vf_mul(x, x), x), z = vf_mul(vf_set(1.5957691216057308f), vf_add(x, vf_mul(vf_set(0.044715f), cube)));
  return vf_div(x, vf_add(vf_set(1.0f), vf_exponential(vf_negative(z))));
}
INLINE vf vf_softplus(vf x, vf beta, vf threshold) {
  vf z = vf_mul(x, beta), u = vf_log_one_plus(vf_exponential(vf_negative(vf_abs(z))));
  vf y = vf_div(vf_add(vf_max(z, vf_set(0.0f)), u), beta);
  return vf_less(threshold, z, x, y);
}
INLINE vf vf_to_bfloat(vf x) { /* nearest bfloat16, ties to even */
  vi bits = vf_bits(x), odd = vi_and(vi_shr(bits, 16), vi_set(1));
  vf rounded = vi_as_float(vi_and(vi_add(vi_add(bits, vi_set(0x7fff)), odd), vi_set((int32_t)0xffff0000)));
  return vf_where_nan(x, x, rounded);
}

/* The nearest integer of |x| < 2^51. */
INLINE double nearest(double x) { return (x + 6755399441055744.0) - 6755399441055744.0; }

/* sin(x + quarter * pi/2): Taylor's series after a reduction by pi/2 in three parts, exact up to 2^20 multiples. */
static float sine_from(float argument, int quarter) {
  const double x = argument, n = nearest(x * 0.63661977236758134308);
  if (!(n < 1e15 && n > -1e15)) return (float)(x - x); /* NaN for infinities; beyond 2^50 every value is as good */
  const double r = ((x - n * 1.57079632673412561417) - n * 6.07710050630396597660e-11) - n * 2.02226624879595063154e-21, z = r * r;
  const int phase = (int)(((int64_t)n + quarter) & 3);
  double y;
  if (phase & 1) y = 1.0 + z * (-1.0 / 2 + z * (1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800 + z * (1.0 / 479001600))))));
  else y = r + r * (z * (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 + z * (-1.0 / 39916800 + z * (1.0 / 6227020800.0)))))));
  return (float)(phase & 2 ? -y : y);
}

INLINE double power_of_two(int n) {
  union { uint64_t u; double d; } v = {(uint64_t)(n + 1023) << 52};
  return v.d;
}
/* x^p for x >= 0, as e^(p log x) in double precision; NaN for x < 0. */
static float power_of(float base, float exponent) {
  const double x = base, p = exponent;
  if (p == 0.0 || x == 1.0) return 1.0f;
  if (!(x >= 0.0) || !(p == p)) return (float)(__builtin_nan(""));
  if (x == 0.0) return p > 0.0 ? 0.0f : __builtin_inff();
  if (x > 3.5e38) return p > 0.0 ? __builtin_inff() : 0.0f;
  union { double d; uint64_t u; } v = {x};
  int e = (int)(v.u >> 52) - 1023;
  v.u = (v.u & 0xfffffffffffffu) | 0x3ff0000000000000u;
  if (v.d > 1.41421356237309504880) v.d *= 0.5, e++;
  const double s = (v.d - 1.0) / (v.d + 1.0), z = s * s;
  double sum = 0.0;
  for (int i = 21; i >= 1; i -= 2) sum = sum * z + 1.0 / i;
  const double t = p * (2.0 * s * sum + e * 0.69314718055994530942);
  if (t > 89.0) return __builtin_inff();
  if (t < -104.0) return 0.0f;
  const double n = nearest(t * 1.44269504088896340736), r = (t - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double y = 0.0;
  for (int i = 14; i >= 1; i--) y = (y + 1.0) * (r / i);
  return (float)((y + 1.0) * power_of_two((int)n));
}
#endif
