/*
 * WebAssembly SIMD. A vector is a pair of 128-bit ones, eight rows of a panel, so that what is computed from activations
 * is computed once for both. Relaxed SIMD changes one thing only: dot4 becomes the dot instruction whose right operand
 * is a 7-bit code, exact there by definition. Relaxed multiply-add is never used.
 */
#include <wasm_simd128.h>
#define LANES 8
#define ROW_TILE 4
typedef struct { v128_t a, b; } vf;
typedef vf vi;
typedef vf vb;

#define BOTH(name, x, y) ((vf){name((x).a, (y).a), name((x).b, (y).b)})

INLINE vf vf_load(const float *p) { return (vf){wasm_v128_load(p), wasm_v128_load(p + 4)}; }
INLINE void vf_store(float *p, vf v) { wasm_v128_store(p, v.a), wasm_v128_store(p + 4, v.b); }
INLINE vf vf_set(float x) { v128_t v = wasm_f32x4_splat(x); return (vf){v, v}; }
INLINE vf vf_add(vf a, vf b) { return BOTH(wasm_f32x4_add, a, b); }
INLINE vf vf_sub(vf a, vf b) { return BOTH(wasm_f32x4_sub, a, b); }
INLINE vf vf_mul(vf a, vf b) { return BOTH(wasm_f32x4_mul, a, b); }
INLINE vf vf_div(vf a, vf b) { return BOTH(wasm_f32x4_div, a, b); }
/* a > b ? a : b, and a < b ? a : b */
INLINE vf vf_max(vf a, vf b) { return BOTH(wasm_f32x4_pmax, b, a); }
INLINE vf vf_min(vf a, vf b) { return BOTH(wasm_f32x4_pmin, b, a); }
INLINE vf vf_abs(vf a) { return (vf){wasm_f32x4_abs(a.a), wasm_f32x4_abs(a.b)}; }
INLINE vf vf_sqrt(vf a) { return (vf){wasm_f32x4_sqrt(a.a), wasm_f32x4_sqrt(a.b)}; }
INLINE vf vf_less(vf a, vf b, vf x, vf y) {
  vf m = BOTH(wasm_f32x4_lt, a, b);
  return (vf){wasm_v128_bitselect(x.a, y.a, m.a), wasm_v128_bitselect(x.b, y.b, m.b)};
}
INLINE vf vf_keep_from(vf x, vf limit, vf y) { vf m = BOTH(wasm_f32x4_ge, x, limit); return BOTH(wasm_v128_and, m, y); }
/*
 * The exponent e of a half becomes e + 224, so that 31 is infinity's and NaN's, and 2^-112 brings the others back. What
 * was subnormal comes out as x = 2^-15 (1 + m) for 2^-14 m, which is the smaller of x and 2x - 2^-14; for every other
 * x that is x. All of it is exact, and no operand is a subnormal float, which would be slow.
 */
INLINE v128_t half4(const uint16_t *p) {
  const v128_t h = wasm_i32x4_shl(wasm_i32x4_load16x4((const int16_t *)p), 13); /* the sign in bits 28 to 31 */
  v128_t raised = wasm_v128_or(wasm_v128_and(h, wasm_i32x4_const_splat(0x0fffe000)), wasm_i32x4_const_splat(0x70000000));
  v128_t x = wasm_f32x4_mul(raised, wasm_f32x4_const_splat(0x1p-112f));
  v128_t y = wasm_f32x4_add(x, wasm_f32x4_sub(x, wasm_f32x4_const_splat(0x1p-14f)));
  return wasm_v128_or(wasm_f32x4_pmin(y, x), wasm_v128_and(h, wasm_i32x4_const_splat((int)0x80000000)));
}
INLINE int vf_any_above(vf a, vf b) { vf m = BOTH(wasm_f32x4_gt, a, b); return wasm_v128_any_true(wasm_v128_or(m.a, m.b)); }
INLINE vf vf_from_half(const uint16_t *p) { return (vf){half4(p), half4(p + 4)}; }
INLINE void vf_to_half(uint16_t *p, vf v) { for (int i = 0; i < 8; i++) p[i] = float_to_half(((const float *)&v)[i]); }
INLINE vf vf_from_bfloat(const uint16_t *p) { return (vf){wasm_i32x4_shl(wasm_u32x4_load16x4(p), 16), wasm_i32x4_shl(wasm_u32x4_load16x4(p + 4), 16)}; }
INLINE vf vf_from_u8(const uint8_t *p) {
  v128_t w = wasm_u16x8_load8x8(p);
  return (vf){wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(w)), wasm_f32x4_convert_i32x4(wasm_u32x4_extend_high_u16x8(w))};
}
INLINE vf vf_from_i8(const int8_t *p) {
  v128_t w = wasm_i16x8_load8x8(p);
  return (vf){wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(w)), wasm_f32x4_convert_i32x4(wasm_i32x4_extend_high_i16x8(w))};
}
INLINE vf vf_from_int(vi v) { return (vf){wasm_f32x4_convert_i32x4(v.a), wasm_f32x4_convert_i32x4(v.b)}; }
INLINE vi vf_bits(vf v) { return v; }
INLINE vf vi_as_float(vi v) { return v; }
INLINE vi vi_set(int32_t x) { v128_t v = wasm_i32x4_splat(x); return (vf){v, v}; }
INLINE vi vi_add(vi a, vi b) { return BOTH(wasm_i32x4_add, a, b); }
INLINE vi vi_and(vi a, vi b) { return BOTH(wasm_v128_and, a, b); }
INLINE vi vi_shl(vi v, int n) { return (vf){wasm_i32x4_shl(v.a, n), wasm_i32x4_shl(v.b, n)}; }
INLINE vi vi_shr(vi v, int n) { return (vf){wasm_u32x4_shr(v.a, n), wasm_u32x4_shr(v.b, n)}; }
INLINE vb vb_load(const uint8_t *p) { return (vf){wasm_v128_load(p), wasm_v128_load(p + 16)}; }
INLINE vb vb_set(uint8_t x) { v128_t v = wasm_u8x16_splat(x); return (vf){v, v}; }
INLINE vb vb_and(vb a, vb b) { return BOTH(wasm_v128_and, a, b); }
INLINE vb vb_or(vb a, vb b) { return BOTH(wasm_v128_or, a, b); }
/* shifts within 16-bit units: mask afterwards */
INLINE vb vb_shl(vb v, int n) { return (vf){wasm_i16x8_shl(v.a, n), wasm_i16x8_shl(v.b, n)}; }
INLINE vb vb_shr(vb v, int n) { return (vf){wasm_u16x8_shr(v.a, n), wasm_u16x8_shr(v.b, n)}; }
INLINE vi vb_as_int(vb v) { return v; }

/* Even and odd columns as 16-bit pairs: w0 a0 + w2 a2 and w1 a1 + w3 a3. */
INLINE v128_t dot_pairs(v128_t sum, v128_t w, v128_t even_a, v128_t odd_a) {
  v128_t even = wasm_i32x4_dot_i16x8(wasm_v128_and(w, wasm_i16x8_const_splat(255)), even_a);
  v128_t odd = wasm_i32x4_dot_i16x8(wasm_u16x8_shr(w, 8), odd_a);
  return wasm_i32x4_add(sum, wasm_i32x4_add(even, odd));
}
INLINE vi dot4_wide(vi sum, vb w, const int8_t *a) { /* w <= 255 */
  v128_t four = wasm_v128_load32_splat(a), even = wasm_i16x8_shr(wasm_i16x8_shl(four, 8), 8), odd = wasm_i16x8_shr(four, 8);
  return (vf){dot_pairs(sum.a, w.a, even, odd), dot_pairs(sum.b, w.b, even, odd)};
}
#ifdef __wasm_relaxed_simd__
INLINE vi dot4(vi sum, vb w, const int8_t *a) { /* w <= 127 */
  v128_t four = wasm_v128_load32_splat(a);
  return (vf){wasm_i32x4_relaxed_dot_i8x16_i7x16_add(four, w.a, sum.a), wasm_i32x4_relaxed_dot_i8x16_i7x16_add(four, w.b, sum.b)};
}
#else
INLINE vi dot4(vi sum, vb w, const int8_t *a) { return dot4_wide(sum, w, a); }
#endif

/* Integers in [-127, 127]: the low byte of v + 1.5 * 2^23. */
INLINE void vf_store_codes(int8_t *p, vf v) {
  v128_t magic = wasm_f32x4_const_splat(12582912.0f);
  v128_t bits = wasm_i8x16_shuffle(wasm_f32x4_add(v.a, magic), wasm_f32x4_add(v.b, magic), 0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 0, 4, 8, 12);
  wasm_v128_store64_lane(p, bits, 0);
}
INLINE void prefetch(const void *p) { (void)p; }
INLINE void spin_pause(void) {}
