/*
 * Compares one instruction set with the portable code, bit by bit, on random commands: linear layers in every weight
 * format, norms, rotary embedding, gates, soft caps, top-k, and attention over both kinds of cache. Prints what differs;
 * the exit status is the number of differences (at most 100). Built twice over: see scripts/test-neon.mjs.
 */
#include <stdio.h>
#include <stdlib.h>
#include "attention.h"
#include "linear.h"
#include "opcodes.h"
#include "pack.h"
#include "team.h"

#define DECLARE(name) void run_commands_##name(Team *, int, const double *, size_t)
#define CALL(name) run_commands_##name
#define EXPAND(macro, name) macro(name)
EXPAND(DECLARE, TESTED_VARIANT);
DECLARE(portable);

void team_sleep(int32_t *address, int32_t seen) { (void)address, (void)seen; }
void team_wake(int32_t *address) { (void)address; }
int64_t team_clock(void) { return 0; }

static uint32_t state = 12345;
static uint32_t below(uint32_t limit) {
  state = state * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)state * limit) >> 32);
}
static float real(float size) { return ((float)below(1 << 24) / 8388608.0f - 1.0f) * size; }
static void *zeroes(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 127) & ~(size_t)63);
  if (!p) exit(101);
  return memset(p, 0, (bytes + 127) & ~(size_t)63);
}
static float *reals(size_t count, float size) {
  float *x = zeroes(count * 4);
  for (size_t i = 0; i < count; i++) x[i] = real(size);
  return x;
}

static int differences;
static float scratch[1 << 18];

/* Runs a command whose result lies at *out, both ways, each on its own copy of what *out holds. */
static void check(const char *what, int detail, double *words, size_t count, void *out, size_t bytes) {
  Team team = {.threads = 1, .scratch = scratch, .scratch_floats = 1 << 18};
  uint8_t *before = zeroes(bytes), *portable = zeroes(bytes);
  words[1] = (double)count;
  memcpy(before, out, bytes);
  CALL(portable)(&team, 0, words, count);
  memcpy(portable, out, bytes);
  memcpy(out, before, bytes);
  EXPAND(CALL, TESTED_VARIANT)(&team, 0, words, count);
  for (size_t i = 0; i < bytes; i++)
    if (((uint8_t *)out)[i] != portable[i]) {
      if (differences++ < 20) printf("%s %d: byte %zu of %zu differs\n", what, detail, i, bytes);
      break;
    }
  free(before), free(portable);
}
#define A(p) ((double)(uintptr_t)(p))
#define CHECK(what, detail, out, bytes, ...) \
  do { \
    double words_[] = {__VA_ARGS__}; \
    check(what, detail, words_, sizeof words_ / sizeof *words_, out, bytes); \
  } while (0)

static void put_half(uint8_t *p) { /* finite, subnormals among them */
  uint16_t h = (uint16_t)(below(2) << 15 | below(14) << 10 | below(1024));
  memcpy(p, &h, 2);
}
static void random_source(int f, uint8_t *p, size_t bytes) {
  static const int scales[31][3] = {[F16] = {2, 0, 0}, [Q4_0] = {18, 0, 0}, [Q4_1] = {20, 0, 2}, [Q5_0] = {22, 0, 0}, [Q5_1] = {24, 0, 2},
    [Q8_0] = {34, 0, 0}, [Q2_K] = {84, 80, 82}, [Q3_K] = {110, 108, 108}, [Q4_K] = {144, 0, 2}, [Q5_K] = {176, 0, 2}, [Q6_K] = {210, 208, 208}};
  for (size_t i = 0; i < bytes; i++) p[i] = (uint8_t)below(256);
  if (f == F32 || f == BF16)
    for (size_t i = 0; i < bytes; i += f == F32 ? 4 : 2) {
      float x = real(1);
      memcpy(p + i, (uint8_t *)&x + (f == F32 ? 0 : 2), f == F32 ? 4 : 2);
    }
  else
    for (size_t i = 0; i < bytes; i += (size_t)scales[f][0]) put_half(p + i + scales[f][1]), put_half(p + i + scales[f][2]);
}

static void linear(int f) {
  const size_t outputs = 37, columns = 512, bytes = source_row_bytes(f, columns) * outputs, packed = 3 * panel_bytes(f, columns);
  static const size_t rows[] = {1, 2, 3, 5, 8, 17};
  uint8_t *source = zeroes(bytes), *weights = zeroes(packed);
  float *bias = reals(outputs, 1), *out = zeroes(17 * outputs * 4), *row = zeroes(columns * 4);
  random_source(f, source, bytes);
  CHECK("pack", f, weights, packed, OP_PACK, 0, A(weights), A(source), outputs, columns, f);
  int32_t id = 35;
  CHECK("embed", f, row, columns * 4, OP_EMBED, 0, A(row), A(weights), A(&id), 1, columns, f, 0.5);
  for (int i = 0; i < 6; i++) {
    float *x = reals(rows[i] * columns, 3);
    uint8_t *codes = zeroes(rows[i] * activation_row_bytes(columns));
    CHECK("linear", f, out, rows[i] * outputs * 4, OP_LINEAR, 0, A(out), A(weights), A(x), A(bias), rows[i], outputs, columns, outputs, f, 0, i & 1);
    CHECK("quantize", f, codes, rows[i] * activation_row_bytes(columns), OP_QUANTIZE, 0, A(codes), A(x), rows[i], columns);
    if (!is_float_format(f))
      CHECK("linear q8", f, out, rows[i] * outputs * 4, OP_LINEAR, 0, A(out), A(weights), A(codes), 0, rows[i], outputs, columns, outputs, f, 1, i & 1);
    free(x), free(codes);
  }
  free(source), free(weights), free(bias), free(out), free(row);
}

static void rows(size_t count, size_t columns) {
  const size_t values = count * columns;
  float *x = reals(values, 30), *up = reals(values, 3), *weight = reals(columns, 1), *table = reals(count * 32, 1), *out = zeroes(values * 4);
  int32_t *ids = zeroes(count * 80);
  for (int activation = 0; activation < 2; activation++) {
    CHECK("gated", activation, out, values * 4, OP_GATED, 0, A(out), 0, A(x), A(up), count, columns, activation);
    CHECK("rope", activation, up, values * 4, OP_ROPE, 0, A(up), A(table), count, columns / 32, 32, 32, activation);
  }
  for (int kind = 0; kind < 3; kind += 2)
    CHECK("norm", kind, out, values * 4, OP_RMS_NORM, 0, A(out), kind, A(x), A(weight), count, columns, 1e-6);
  CHECK("add", 0, out, values * 4, OP_ADD, 0, A(out), A(x), A(up), values);
  CHECK("softcap", 0, out, values * 4, OP_SOFTCAP, 0, A(out), values, 30.0);
  CHECK("top values", 0, out, count * 80, OP_TOP_K, 0, A(out), A(ids), A(x), count, columns, 20);
  CHECK("top ids", 0, ids, count * 80, OP_TOP_K, 0, A(out), A(ids), A(x), count, columns, 20);
  free(x), free(up), free(weight), free(table), free(out), free(ids);
}

static void attention(int half, size_t head_size, size_t count, float softcap) {
  enum { SLOTS = 160, PAGE = 32, HEADS = 2, QUERY_HEADS = 6 };
  const size_t width = HEADS * head_size, part = PAGE * width * (half ? 2 : 4), bytes = SLOTS / PAGE * 2 * part, out_bytes = count * QUERY_HEADS * head_size * 4;
  uint8_t *cache = zeroes(bytes);
  double pages[SLOTS / PAGE];
  int32_t slots[SLOTS], spans[4 * 16], extras[64], used = 0;
  for (int i = 0; i < SLOTS / PAGE; i++) pages[i] = A(cache + (size_t)i * 2 * part);
  for (int i = 0; i < SLOTS; i++) slots[i] = i;
  for (size_t r = 0; r < count; r++) {
    int32_t *span = spans + 4 * r;
    span[1] = 1 + (int32_t)below(120), span[0] = below(2) ? (int32_t)below((uint32_t)span[1]) : 0, span[2] = used, span[3] = (int32_t)below(4);
    for (int i = 0; i < span[3]; i++) extras[used++] = 121 + (int32_t)below(SLOTS - 121);
  }
  float *keys = reals(SLOTS * width, 2), *values = reals(SLOTS * width, 1e-2f), *q = reals(out_bytes / 4, 2), *out = zeroes(out_bytes);
#define CACHE A(pages), PAGE, 0, (double)part, HEADS, (double)head_size, half
  CHECK("cache write", half, cache, bytes, OP_CACHE_WRITE, 0, CACHE, A(keys), A(values), A(slots), SLOTS);
  CHECK("attention", (int)head_size, out, out_bytes, OP_ATTENTION, 0, CACHE, A(q), A(out), A(spans), A(extras), count, QUERY_HEADS, 0.125, softcap, 0, SLOTS, 0, 0, 0, 0, 0);
  free(cache), free(keys), free(values), free(q), free(out);
}

#include "compare-operations.h"

int main(void) {
  static const int formats[] = {F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K};
  static const size_t head_sizes[] = {64, 48, 20};
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) linear(formats[i]);
  rows(1, 576), rows(3, 640), rows(17, 96);
  for (int half = 0; half < 2; half++)
    for (int h = 0; h < 3; h++)
      for (size_t count = 1; count < 10; count += count < 3 ? 1 : 3) attention(half, head_sizes[h], count, count & 1 ? 0.0f : 20.0f);
  operations();
  printf(differences ? "%d differences\n" : "no difference\n", differences);
  return differences > 100 ? 100 : differences;
}
