/* Plain C in groups of four lanes: the fallback for any processor, and the oracle for the intrinsics. */
#define LANES 4
#define ROW_TILE 4
typedef struct { float x[4]; } vf;
typedef struct { int32_t x[4]; } vi;
typedef struct { uint8_t x[16]; } vb;
#define EACH for (int i_ = 0; i_ < 4; i_++)
#define EACH_BYTE for (int i_ = 0; i_ < 16; i_++)

INLINE vf vf_load(const float *p) { vf r; memcpy(&r, p, 16); return r; }
INLINE void vf_store(float *p, vf v) { memcpy(p, &v, 16); }
INLINE vf vf_set(float x) { vf r; EACH r.x[i_] = x; return r; }
INLINE vf vf_add(vf a, vf b) { EACH a.x[i_] = a.x[i_] + b.x[i_]; return a; }
INLINE vf vf_sub(vf a, vf b) { EACH a.x[i_] = a.x[i_] - b.x[i_]; return a; }
INLINE vf vf_mul(vf a, vf b) { EACH a.x[i_] = a.x[i_] * b.x[i_]; return a; }
INLINE vf vf_div(vf a, vf b) { EACH a.x[i_] = a.x[i_] / b.x[i_]; return a; }
INLINE vf vf_max(vf a, vf b) { EACH a.x[i_] = a.x[i_] > b.x[i_] ? a.x[i_] : b.x[i_]; return a; }
INLINE vf vf_min(vf a, vf b) { EACH a.x[i_] = a.x[i_] < b.x[i_] ? a.x[i_] : b.x[i_]; return a; }
INLINE vf vf_abs(vf a) { EACH a.x[i_] = __builtin_fabsf(a.x[i_]); return a; }
INLINE vf vf_sqrt(vf a) { EACH a.x[i_] = __builtin_sqrtf(a.x[i_]); return a; }
INLINE vf vf_less(vf a, vf b, vf x, vf y) { EACH y.x[i_] = a.x[i_] < b.x[i_] ? x.x[i_] : y.x[i_]; return y; }
INLINE vf vf_keep_from(vf x, vf limit, vf y) { EACH y.x[i_] = x.x[i_] >= limit.x[i_] ? y.x[i_] : 0.0f; return y; }
INLINE int vf_any_above(vf a, vf b) { int any = 0; EACH any |= a.x[i_] > b.x[i_]; return any; }
INLINE vf vf_from_half(const uint16_t *p) { vf r; EACH r.x[i_] = half_to_float(p[i_]); return r; }
INLINE void vf_to_half(uint16_t *p, vf v) { EACH p[i_] = float_to_half(v.x[i_]); }
INLINE vf vf_from_bfloat(const uint16_t *p) { vf r; EACH { uint32_t u = (uint32_t)p[i_] << 16; memcpy(&r.x[i_], &u, 4); } return r; }
INLINE vf vf_from_u8(const uint8_t *p) { vf r; EACH r.x[i_] = (float)p[i_]; return r; }
INLINE vf vf_from_i8(const int8_t *p) { vf r; EACH r.x[i_] = (float)p[i_]; return r; }
INLINE vf vf_from_int(vi v) { vf r; EACH r.x[i_] = (float)v.x[i_]; return r; }
INLINE vi vf_bits(vf v) { vi r; memcpy(&r, &v, 16); return r; }
INLINE vf vi_as_float(vi v) { vf r; memcpy(&r, &v, 16); return r; }
INLINE vi vi_set(int32_t x) { vi r; EACH r.x[i_] = x; return r; }
INLINE vi vi_add(vi a, vi b) { EACH a.x[i_] = (int32_t)((uint32_t)a.x[i_] + (uint32_t)b.x[i_]); return a; }
INLINE vi vi_and(vi a, vi b) { EACH a.x[i_] &= b.x[i_]; return a; }
INLINE vi vi_shl(vi a, int n) { EACH a.x[i_] = (int32_t)((uint32_t)a.x[i_] << n); return a; }
INLINE vi vi_shr(vi a, int n) { EACH a.x[i_] = (int32_t)((uint32_t)a.x[i_] >> n); return a; }
INLINE vb vb_load(const uint8_t *p) { vb r; memcpy(&r, p, 16); return r; }
INLINE vb vb_set(uint8_t x) { vb r; EACH_BYTE r.x[i_] = x; return r; }
INLINE vb vb_and(vb a, vb b) { EACH_BYTE a.x[i_] &= b.x[i_]; return a; }
INLINE vb vb_or(vb a, vb b) { EACH_BYTE a.x[i_] |= b.x[i_]; return a; }
INLINE vb vb_shl(vb a, int n) { EACH_BYTE a.x[i_] = (uint8_t)(a.x[i_] << n); return a; }
INLINE vb vb_shr(vb a, int n) { EACH_BYTE a.x[i_] = (uint8_t)(a.x[i_] >> n); return a; }
INLINE vi vb_as_int(vb v) { vi r; memcpy(&r, &v, 16); return r; }
INLINE vi dot4(vi sum, vb w, const int8_t *a) {
  EACH for (int j = 0; j < 4; j++) sum.x[i_] += (int32_t)w.x[4 * i_ + j] * a[j];
  return sum;
}
INLINE vi dot4_wide(vi sum, vb w, const int8_t *a) { return dot4(sum, w, a); }
INLINE void vf_store_codes(int8_t *p, vf v) { EACH p[i_] = (int8_t)(int32_t)v.x[i_]; }
INLINE void prefetch(const void *p) { (void)p; }
INLINE void spin_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
