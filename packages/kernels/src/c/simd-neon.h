/* NEON with the dot-product extension (Armv8.2): four rows of a panel. */
#include <arm_neon.h>
#define LANES 4
#define ROW_TILE 4
typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint8x16_t vb;

INLINE vf vf_load(const float *p) { return vld1q_f32(p); }
INLINE void vf_store(float *p, vf v) { vst1q_f32(p, v); }
INLINE vf vf_set(float x) { return vdupq_n_f32(x); }
INLINE vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
INLINE vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
INLINE vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
INLINE vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
/* a > b ? a : b, unlike the maximum instruction, which would keep a NaN */
INLINE vf vf_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
INLINE vf vf_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
INLINE vf vf_abs(vf a) { return vabsq_f32(a); }
INLINE vf vf_sqrt(vf a) { return vsqrtq_f32(a); }
INLINE vf vf_less(vf a, vf b, vf x, vf y) { return vbslq_f32(vcltq_f32(a, b), x, y); }
INLINE vf vf_keep_from(vf x, vf limit, vf y) {
  return vreinterpretq_f32_u32(vandq_u32(vcgeq_f32(x, limit), vreinterpretq_u32_f32(y)));
}
INLINE int vf_any_above(vf a, vf b) { return vmaxvq_u32(vcgtq_f32(a, b)) != 0; }
INLINE vf vf_from_half(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
INLINE void vf_to_half(uint16_t *p, vf v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }
INLINE vf vf_from_bfloat(const uint16_t *p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }
INLINE vf vf_from_u8(const uint8_t *p) {
  uint32_t four;
  memcpy(&four, p, 4);
  return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four)))));
}
INLINE vf vf_from_i8(const int8_t *p) {
  uint32_t four;
  memcpy(&four, p, 4);
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(four)))));
}
INLINE vf vf_from_int(vi v) { return vcvtq_f32_s32(v); }
INLINE vi vf_bits(vf v) { return vreinterpretq_s32_f32(v); }
INLINE vf vi_as_float(vi v) { return vreinterpretq_f32_s32(v); }
INLINE vi vi_set(int32_t x) { return vdupq_n_s32(x); }
INLINE vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
INLINE vi vi_and(vi a, vi b) { return vandq_s32(a, b); }
/* shifts by a register of counts: an immediate right shift by 0 does not exist */
INLINE vi vi_shl(vi v, int n) { return vshlq_s32(v, vdupq_n_s32(n)); }
INLINE vi vi_shr(vi v, int n) { return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(v), vdupq_n_s32(-n))); }
INLINE vb vb_load(const uint8_t *p) { return vld1q_u8(p); }
INLINE vb vb_set(uint8_t x) { return vdupq_n_u8(x); }
INLINE vb vb_and(vb a, vb b) { return vandq_u8(a, b); }
INLINE vb vb_or(vb a, vb b) { return vorrq_u8(a, b); }
INLINE vb vb_shl(vb v, int n) { return vshlq_u8(v, vdupq_n_s8((int8_t)n)); }
INLINE vb vb_shr(vb v, int n) { return vshlq_u8(v, vdupq_n_s8((int8_t)-n)); }
INLINE vi vb_as_int(vb v) { return vreinterpretq_s32_u8(v); }
INLINE int8x16_t broadcast4(const int8_t *a) {
  int32_t four;
  memcpy(&four, a, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}
INLINE vi dot4(vi sum, vb w, const int8_t *a) { /* w <= 127: the same as a signed byte */
  return vdotq_s32(sum, vreinterpretq_s8_u8(w), broadcast4(a));
}
/* w <= 255 = 2 * (w >> 1) + (w & 1) */
INLINE vi dot4_wide(vi sum, vb w, const int8_t *a) {
  vi doubled = vshlq_n_s32(dot4(vdupq_n_s32(0), vshrq_n_u8(w, 1), a), 1);
  return vaddq_s32(dot4(sum, vandq_u8(w, vdupq_n_u8(1)), a), doubled);
}
INLINE void vf_store_codes(int8_t *p, vf v) { /* integers in [-127, 127] */
  int16x4_t words = vmovn_s32(vcvtq_s32_f32(v));
  int32_t four = vget_lane_s32(vreinterpret_s32_s8(vmovn_s16(vcombine_s16(words, words))), 0);
  memcpy(p, &four, 4);
}
INLINE void prefetch(const void *p) { __builtin_prefetch(p); }
INLINE void spin_pause(void) { __asm__ volatile("yield"); }
