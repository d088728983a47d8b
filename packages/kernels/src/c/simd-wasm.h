/*
 * WebAssembly SIMD: 128-bit vectors, four rows of a panel. Relaxed SIMD changes one thing only: dot4 becomes the dot
 * instruction whose right operand is a 7-bit code, exact there by definition. Relaxed multiply-add is never used.
 */
#include <wasm_simd128.h>
#define LANES 4
#define ROW_TILE 4
typedef v128_t vf;
typedef v128_t vi;
typedef v128_t vb;

INLINE vf vf_load(const float *p) { return wasm_v128_load(p); }
INLINE void vf_store(float *p, vf v) { wasm_v128_store(p, v); }
INLINE vf vf_set(float x) { return wasm_f32x4_splat(x); }
INLINE vf vf_add(vf a, vf b) { return wasm_f32x4_add(a, b); }
INLINE vf vf_sub(vf a, vf b) { return wasm_f32x4_sub(a, b); }
INLINE vf vf_mul(vf a, vf b) { return wasm_f32x4_mul(a, b); }
INLINE vf vf_div(vf a, vf b) { return wasm_f32x4_div(a, b); }
INLINE vf vf_max(vf a, vf b) { return wasm_f32x4_pmax(b, a); } /* a > b ? a : b */
INLINE vf vf_min(vf a, vf b) { return wasm_f32x4_pmin(b, a); }
INLINE vf vf_abs(vf a) { return wasm_f32x4_abs(a); }
INLINE vf vf_keep_from(vf x, vf limit, vf y) { return wasm_v128_and(wasm_f32x4_ge(x, limit), y); }
/*
 * The exponent e of a half becomes e + 224, so that 31 is infinity's and NaN's, and 2^-112 brings the others back. What
 * was subnormal comes out as x = 2^-15 (1 + m) for 2^-14 m, which is the smaller of x and 2x - 2^-14; for every other
 * x that is x. All of it is exact, and no operand is a subnormal float, which would be slow.
 */
INLINE vf vf_from_half(const uint16_t *p) {
  const vi h = wasm_i32x4_shl(wasm_i32x4_load16x4((const int16_t *)p), 13); /* the sign in bits 28 to 31 */
  vi raised = wasm_v128_or(wasm_v128_and(h, wasm_i32x4_const_splat(0x0fffe000)), wasm_i32x4_const_splat(0x70000000));
  vf x = vf_mul(raised, wasm_f32x4_const_splat(0x1p-112f));
  vf smallest = vf_min(x, vf_add(x, vf_sub(x, wasm_f32x4_const_splat(0x1p-14f))));
  return wasm_v128_or(smallest, wasm_v128_and(h, wasm_i32x4_const_splat((int)0x80000000)));
}
INLINE void vf_to_half(uint16_t *p, vf v) {
  for (int i = 0; i < 4; i++) p[i] = float_to_half(((const float *)&v)[i]);
}
INLINE vf vf_from_bfloat(const uint16_t *p) { return wasm_i32x4_shl(wasm_u32x4_load16x4(p), 16); }
INLINE vf vf_from_u8(const uint8_t *p) {
  return wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(p))));
}
INLINE vf vf_from_i8(const int8_t *p) {
  return wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(p))));
}
INLINE vf vf_from_int(vi v) { return wasm_f32x4_convert_i32x4(v); }
INLINE vi vf_bits(vf v) { return v; }
INLINE vf vi_as_float(vi v) { return v; }
INLINE vi vi_set(int32_t x) { return wasm_i32x4_splat(x); }
INLINE vi vi_add(vi a, vi b) { return wasm_i32x4_add(a, b); }
INLINE vi vi_and(vi a, vi b) { return wasm_v128_and(a, b); }
#define vi_shl(v, n) wasm_i32x4_shl(v, n)
#define vi_shr(v, n) wasm_u32x4_shr(v, n)
INLINE vb vb_load(const uint8_t *p) { return wasm_v128_load(p); }
INLINE vb vb_set(uint8_t x) { return wasm_u8x16_splat(x); }
INLINE vb vb_and(vb a, vb b) { return wasm_v128_and(a, b); }
INLINE vb vb_or(vb a, vb b) { return wasm_v128_or(a, b); }
/* shifts within 16-bit units: mask afterwards */
#define vb_shl(v, n) wasm_i16x8_shl(v, n)
#define vb_shr(v, n) wasm_u16x8_shr(v, n)
INLINE vi vb_as_int(vb v) { return v; }

/* w <= 255. Even and odd columns as 16-bit pairs: w0 a0 + w2 a2 and w1 a1 + w3 a3. */
INLINE vi dot4_wide(vi sum, vb w, const int8_t *a) {
  v128_t four = wasm_v128_load32_splat(a);
  v128_t even = wasm_i32x4_dot_i16x8(wasm_v128_and(w, wasm_i16x8_const_splat(255)), wasm_i16x8_shr(wasm_i16x8_shl(four, 8), 8));
  v128_t odd = wasm_i32x4_dot_i16x8(wasm_u16x8_shr(w, 8), wasm_i16x8_shr(four, 8));
  return wasm_i32x4_add(sum, wasm_i32x4_add(even, odd));
}
#ifdef __wasm_relaxed_simd__
INLINE vi dot4(vi sum, vb w, const int8_t *a) { /* w <= 127 */
  return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_load32_splat(a), w, sum);
}
#else
INLINE vi dot4(vi sum, vb w, const int8_t *a) { return dot4_wide(sum, w, a); }
#endif

/* Integers in [-127, 127]: the low byte of v + 1.5 * 2^23. */
INLINE void vf_store_codes(int8_t *p, vf v) {
  v128_t bits = wasm_f32x4_add(v, wasm_f32x4_const_splat(12582912.0f));
  bits = wasm_i8x16_shuffle(bits, bits, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
  wasm_v128_store32_lane(p, bits, 0);
}
INLINE void prefetch(const void *p) { (void)p; }
INLINE void spin_pause(void) {}
