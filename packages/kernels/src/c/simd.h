/*
 * The small SIMD header that every kernel is written on. It names one native vector width, LANES (16 on AVX-512, 8 on
 * AVX2 and wasm, 4 on NEON and in the portable fallback), and a handful of operations on
 *   vf  LANES float32      vi  LANES int32      vb  LANES*4 uint8
 * Rounding is the same everywhere: no fused multiply-add, no approximate reciprocal, no flush to zero, so that every
 * instruction set computes the same bits. dot4/dot4_wide are the only operations with different instructions behind
 * them, and those are exact integer arithmetic.
 */
#ifndef GALLOP_SIMD_H
#define GALLOP_SIMD_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline, unused))

INLINE float half_to_float(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, magnitude = (uint32_t)(h & 0x7fff) << 13;
  union { uint32_t u; float f; } value = {magnitude}, scale = {0x77800000u}; /* 2^112 */
  if ((h & 0x7c00) == 0x7c00) value.u = 0x7f800000u | magnitude;
  else value.f *= scale.f;
  value.u |= sign;
  return value.f;
}

/* Round to nearest even, subnormals kept, overflow to infinity, NaN quiet. */
INLINE uint16_t float_to_half(float x) {
  union { float f; uint32_t u; } v = {x};
  uint32_t sign = (v.u >> 16) & 0x8000, a = v.u & 0x7fffffff;
  if (a > 0x7f800000) return (uint16_t)(sign | 0x7e00 | ((a >> 13) & 0x3ff));
  if (a >= 0x477ff000) return (uint16_t)(sign | 0x7c00);
  if (a < 0x38800000) { /* subnormal: adding 0.5 aligns the mantissa and rounds to nearest even */
    union { uint32_t u; float f; } t = {a}, magic = {0x3f000000u};
    t.f += magic.f;
    return (uint16_t)(sign | (t.u - magic.u));
  }
  uint32_t rounded = a + 0xfff + ((a >> 13) & 1);
  return (uint16_t)(sign | ((rounded - 0x38000000u) >> 13));
}

#if defined(__AVX512F__) && defined(__AVX512VNNI__)
#include "simd-avx512.h"
#elif defined(__AVX2__)
#include "simd-avx2.h"
#elif defined(__ARM_NEON) && defined(__ARM_FEATURE_DOTPROD)
#include "simd-neon.h"
#elif defined(__wasm_simd128__)
#include "simd-wasm.h"
#else
#include "simd-portable.h"
#endif

#define PARTS (16 / LANES) /* native vectors in one logical vector of 16 lanes */
#endif
