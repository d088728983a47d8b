/*
 * Whether the matrix unit can be used: the processor has it, the system saves its state, this process may use it (asked
 * for once), and a product of every kind has the bits that vectors give. The last is checked at run time because the
 * machines that this library is developed on have no such unit: its kernel is tested on a model of it.
 */
#ifndef GALLOP_AMX_SUPPORT_H
#define GALLOP_AMX_SUPPORT_H
#include <cpuid.h>
#include "opcodes.h"
#include "panels.h"

DECLARE(amx)

enum { ARCH_REQUEST_STATE = 0x1023, TILE_DATA_STATE = 18 };

static int amx_present(void) {
  unsigned a, b, c, d, low, high;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return 0; /* OSXSAVE */
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d >> 24 & 3) != 3) return 0; /* AMX-TILE, AMX-INT8 */
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low >> 17 & 3) == 3 && syscall(SYS_arch_prctl, ARCH_REQUEST_STATE, TILE_DATA_STATE) == 0;
}

/* A product of 16 rows and 16 outputs over 256 columns, by both kernels. */
static int amx_agrees(int format) {
  enum { ROWS = 16, COLUMNS = 256, ROW_BYTES = COLUMNS + COLUMNS / 32 * 20 };
  static _Alignas(64) uint8_t weights[COLUMNS * 32], x[ROWS * ((ROW_BYTES + 63) / 64 * 64)];
  static _Alignas(64) float outputs[2][ROWS][16];
  uint32_t state = 1;
  for (size_t i = 0; i < sizeof weights; i++) weights[i] = (state = state * 1664525u + 1013904223u) >> 24 & 0x3b; /* finite scales */
  for (size_t i = 0; i < sizeof x; i++) x[i] = (state = state * 1664525u + 1013904223u) >> 24 & 0xbb;
  for (int kernel = 0; kernel < 2; kernel++) {
    const double words[] = {OP_LINEAR, 13, (double)(uintptr_t)outputs[kernel], (double)(uintptr_t)weights, (double)(uintptr_t)x, 0, ROWS, 16, COLUMNS, 16, format, 1, 0};
    Team team = {.threads = 1};
    (kernel ? run_commands_amx : run_commands_avx512vnni)(&team, 0, words, sizeof words / sizeof *words);
  }
  return memcmp(outputs[0], outputs[1], sizeof outputs[0]) == 0;
}

static int amx_works(void) {
  static int known = -1;
  if (known < 0) known = amx_present() && amx_agrees(Q4_0) && amx_agrees(Q4_1) && amx_agrees(Q8_0) && amx_agrees(Q4_K) && amx_agrees(Q6_K);
  return known;
}
#endif
