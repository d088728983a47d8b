/*
 * Runs random valid command lists on memory blocks of exactly the size that a command may touch, to be compiled with
 * the address and undefined-behaviour sanitizers: any access outside a block, misaligned access, overflow or bad shift
 * ends the program. Usage: fuzz SEED LISTS. Odd shapes are the point: rows, outputs, heads and columns that fill no
 * vector, windows that begin anywhere, branches of a tree, pages of every size.
 */
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "../src/c/attention.h"
#include "../src/c/opcodes.h"
#include "../src/c/pack.h"
#include "../src/c/team.h"
#include "../src/c/variant.h"

void VARIANT(run_commands)(Team *team, int thread, const double *words, size_t length);
void team_sleep(int32_t *address, int32_t seen) {
  (void)address, (void)seen;
  sched_yield();
}
void team_wake(int32_t *address) { (void)address; }
int64_t team_clock(void) { return 0; }

enum { MOST_BLOCKS = 4096, MOST_WORDS = 8192 };
static void *blocks[MOST_BLOCKS];
static int block_count;
static double words[MOST_WORDS];
static size_t length, commands, scratch_floats;
static uint64_t state;

static uint32_t next(void) { /* splitmix64 */
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (uint32_t)(z >> 32);
}
static size_t between(size_t from, size_t to) { return from + next() % (to - from + 1); }
static int chance(int percent) { return (int)(next() % 100) < percent; }
static size_t most(size_t a, size_t b) { return a > b ? a : b; }

static void *block(size_t bytes) {
  void *p;
  if (block_count == MOST_BLOCKS || posix_memalign(&p, 64, bytes)) abort();
  memset(p, 0, bytes);
  return blocks[block_count++] = p;
}
static void *random_bytes(size_t bytes) {
  uint8_t *p = block(bytes);
  for (size_t i = 0; i < bytes; i++) p[i] = (uint8_t)next();
  return p;
}
static float *floats(size_t count) {
  static const float special[] = {0.0f, -0.0f, 1e-45f, 1e-38f, 3e38f, -3e38f, 88.5f, -88.5f};
  float *p = block(count * 4);
  for (size_t i = 0; i < count; i++) p[i] = chance(3) ? special[next() % 8] : (float)((int32_t)next() / 1e9);
  return p;
}
static int32_t *indices(size_t count, size_t below) {
  int32_t *p = block(count * 4);
  for (size_t i = 0; i < count; i++) p[i] = (int32_t)(next() % below);
  return p;
}

/* Operands are doubles; pointers go through P(). A barrier comes before every command: they share memory. */
#define P(pointer) ((double)(uintptr_t)(pointer))
static void emit(int opcode, int count, ...) {
  if (length + (size_t)count + 2 > MOST_WORDS) abort();
  words[length++] = opcode + 256;
  words[length++] = count + 2;
  va_list operands;
  va_start(operands, count);
  for (int i = 0; i < count; i++) words[length++] = va_arg(operands, double);
  va_end(operands);
  commands++;
}
#define D(x) ((double)(x))

static void need_scratch(size_t count) { scratch_floats = most(scratch_floats, count); }

static const int formats[] = {F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K};
static size_t columns_of(int f) {
  return is_float_format(f) ? between(1, 100) : is_k_format(f) ? 256 * between(1, 3) : 32 * between(1, 9);
}

static void *quantized(size_t rows, size_t columns) {
  void *out = block(rows * activation_row_bytes(columns));
  emit(OP_QUANTIZE, 4, P(out), P(floats(rows * columns)), D(rows), D(columns));
  return out;
}

static void add_weights(void) {
  const int f = formats[next() % 13];
  const size_t columns = columns_of(f), outputs = between(1, 70), rows = between(1, 35), stride = outputs + (chance(30) ? between(0, 9) : 0);
  void *weights = block((outputs + 15) / 16 * panel_bytes(f, columns));
  emit(OP_PACK, 5, P(weights), P(random_bytes(outputs * source_row_bytes(f, columns))), D(outputs), D(columns), D(f));
  const int eight_bit = !is_float_format(f) && chance(60);
  void *x = eight_bit ? quantized(rows, columns) : floats(rows * columns);
  emit(OP_LINEAR, 11, P(floats((rows - 1) * stride + outputs)), P(weights), P(x), chance(50) ? P(floats(outputs)) : 0.0, D(rows), D(outputs),
       D(columns), D(stride), D(f), D(eight_bit), D(chance(50)));
  const size_t ids = between(1, 9);
  emit(OP_EMBED, 7, P(block(ids * columns * 4)), P(weights), P(indices(ids, outputs)), D(ids), D(columns), D(f), 3.5);
}

static void add_row_commands(void) {
  const int kind = (int)(next() % 3);
  const size_t rows = between(1, 20), columns = kind == 1 || chance(30) ? 32 * between(1, 24) : between(1, 300);
  const size_t out_bytes = rows * (kind == 1 ? activation_row_bytes(columns) : columns * 4);
  void *out = kind == 2 ? (void *)floats(rows * columns) : block(out_bytes);
  need_scratch(columns + 16);
  if (chance(50)) emit(OP_RMS_NORM, 7, P(out), D(kind), P(floats(rows * columns)), P(floats(columns)), D(rows), D(columns), 1e-5);
  else emit(OP_GATED, 7, P(out), D(kind & 1), P(floats(rows * columns)), P(floats(rows * columns)), D(rows), D(columns), D(next() % 2));
  const size_t count = between(1, 9000);
  emit(OP_ADD, 4, P(block(count * 4)), P(floats(count)), P(floats(count)), D(count));
  emit(OP_SOFTCAP, 3, P(floats(count)), D(count), 30.0);
  const size_t k = between(1, columns);
  emit(OP_TOP_K, 6, P(block(rows * k * 4)), P(block(rows * k * 4)), P(floats(rows * columns)), D(rows), D(columns), D(k));
  const size_t picked = between(1, 9);
  emit(OP_COPY_ROWS, 5, P(block(picked * columns * 4)), P(floats(rows * columns)), P(indices(picked, rows)), D(picked), D(columns * 4));
  const size_t heads = between(1, 5), head_size = between(2, 80), rotary = 2 * between(1, head_size / 2);
  emit(OP_ROPE, 7, P(floats(rows * heads * head_size)), P(floats(rows * rotary)), D(rows), D(heads), D(head_size), D(rotary), D(next() % 2));
}

typedef struct { double *pages; size_t page_slots, half_bytes, heads, head_size, slots; int half; } Layer;
#define CACHE(l) P((l)->pages), D((l)->page_slots), 0.0, D((l)->half_bytes), D((l)->heads), D((l)->head_size), D((l)->half)

static Layer make_layer(void) {
  static const size_t head_sizes[] = {1, 8, 13, 16, 20, 32, 64, 80, 96, 256};
  Layer l = {0, 16 * between(1, 6), 0, between(1, 3), head_sizes[next() % 10], 0, (int)(next() % 2)};
  const size_t pages = between(1, 5);
  l.slots = pages * l.page_slots;
  l.half_bytes = l.page_slots * l.heads * l.head_size * (l.half ? 2 : 4);
  l.pages = block(pages * sizeof(double));
  for (size_t i = 0; i < pages; i++) l.pages[i] = P(block(2 * l.half_bytes));
  return l;
}

/* Distinct slots: rows of one cacheWrite may be written at the same time. */
static int32_t *distinct_slots(size_t count, size_t slots) {
  int32_t *all = indices(slots, 1), *p = block(count * 4);
  for (size_t i = 0; i < slots; i++) all[i] = (int32_t)i;
  for (size_t i = 0; i < count; i++) {
    size_t j = between(i, slots - 1);
    int32_t swapped = all[j];
    all[j] = all[i], all[i] = p[i] = swapped;
  }
  return p;
}

static void add_attention(void) {
  const Layer l = make_layer();
  const size_t width = l.heads * l.head_size, written = between(1, l.slots), moved = between(1, 6), rows = between(1, 13);
  emit(OP_CACHE_WRITE, 11, CACHE(&l), P(floats(written * width)), P(floats(written * width)), P(distinct_slots(written, l.slots)), D(written));
  emit(OP_CACHE_MOVE, 10, CACHE(&l), P(indices(moved, l.slots)), P(indices(moved, l.slots)), D(moved));
  int32_t *spans = block(rows * 16);
  size_t extra_count = 0, places = 1;
  for (size_t row = 0; row < rows; row++) {
    int32_t *span = spans + 4 * row;
    span[1] = (int32_t)between(0, l.slots);
    span[2] = (int32_t)extra_count;
    span[3] = span[1] == 0 ? (int32_t)between(1, 20) : chance(50) ? 0 : (int32_t)between(1, 20);
    span[0] = chance(50) ? 0 : (int32_t)between(0, (size_t)(span[1] + span[3] - 1));
    extra_count += (size_t)span[3];
    places = most(places, (size_t)(span[1] + span[3]));
  }
  const size_t query_heads = l.heads * between(1, 4), columns = query_heads * l.head_size;
  const int eight_bit = l.head_size % 32 == 0 && chance(50);
  void *out = block(rows * (eight_bit ? activation_row_bytes(columns) : columns * 4));
  need_scratch(8 * ((places + 96 + 15) / 16 * 16 + l.head_size) + 64); /* as the recorder asks */
  const int biased = chance(40);
  const size_t distances = between(1, 40);
  emit(OP_ATTENTION, 22, CACHE(&l), P(floats(rows * columns)), P(out), P(spans), P(indices(most(extra_count, 1), l.slots)), D(rows), D(query_heads), 0.125,
       chance(30) ? 20.0 : 0.0, D(eight_bit), D(places), biased ? P(floats(query_heads * distances)) : 0.0, D(distances), D(between(0, distances)),
       P(indices(l.slots, 300)), P(indices(rows, 300)));
}

#include "fuzz-operations.h"

typedef struct { Team *team; int thread; } Helper;
static void *help(void *argument) {
  Helper *helper = argument;
  VARIANT(run_commands)(helper->team, helper->thread, words, length);
  return 0;
}

static void run_list(int threads) {
  Team team = {.threads = threads, .counter_stride = (commands + 15) / 16 * 16, .scratch_floats = scratch_floats};
  team.counters = block((size_t)threads * team.counter_stride * sizeof(uint32_t));
  team.signals = block((size_t)threads * BARRIER_ROUNDS * sizeof(Signal));
  team.scratch = block(most(1, scratch_floats * 4 * (size_t)threads));
  pthread_t ids[4];
  Helper helpers[4];
  for (int i = 1; i < threads; i++) {
    helpers[i] = (Helper){&team, i};
    if (pthread_create(ids + i, 0, help, helpers + i)) abort();
  }
  VARIANT(run_commands)(&team, 0, words, length);
  for (int i = 1; i < threads; i++) pthread_join(ids[i], 0);
}

int main(int count, char **arguments) {
  const uint64_t seed = count > 1 ? strtoull(arguments[1], 0, 10) : 1, lists = count > 2 ? strtoull(arguments[2], 0, 10) : 100;
  size_t total = 0;
  for (uint64_t list = 0; list < lists; list++) {
    state = seed * 1000003 + list;
    length = commands = scratch_floats = 0;
    for (size_t i = between(1, 4); i > 0; i--) {
      if (chance(30)) add_operations();
      else if (chance(45)) add_weights();
      else if (chance(55)) add_attention();
      else add_row_commands();
    }
    run_list((int)between(1, 3));
    total += commands;
    while (block_count > 0) free(blocks[--block_count]);
  }
  printf("%llu lists, %zu commands\n", (unsigned long long)lists, total);
  return 0;
}
