/*
 * The interpreter: runs a list of commands on the threads that call it. A command is a run of float64 words
 *     [opcode + 256 * barrier before, number of words, operands …]
 * Operands are addresses and integers, exact in float64, or float32 parameters. Every thread walks the whole list;
 * inside a command the threads take units of work from a shared counter; results never depend on who computes what.
 * Operand order is fixed by src/opcodes.ts of @gallop/tensor, which also generates opcodes.h.
 */
#include "attention.h"
#include "linear.h"
#include "opcodes.h"
#include "pack.h"
#include "team.h"
#include "variant.h"

enum { BARRIER_BEFORE = 256 };

#define ADDRESS(i) ((void *)(uintptr_t)w[i])
#define SIZE(i) ((size_t)w[i])
#define INT(i) ((int)w[i])
#define FLOAT(i) ((float)w[i])

/* What one thread knows of its way through the list. */
typedef struct {
  Team *team;
  int thread;
  size_t command;
  int victim;       /* whose share the next units come from, counted from this thread */
  int fixed;        /* each thread computes its own share, nobody takes from others: small commands */
  size_t taken;     /* units of the own share, when nobody else takes from it */
  int32_t barriers;
} Lane;

INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
/* Units [first, last), at most `chunk`, for this thread, or 0 when none are left. */
INLINE int take(Lane *lane, size_t total, size_t chunk, size_t *first, size_t *last) {
  Team *team = lane->team;
  const size_t threads = (size_t)team->threads;
  if (threads == 1 || lane->fixed) {
    const size_t start = total * (size_t)lane->thread / threads, end = total * ((size_t)lane->thread + 1) / threads;
    *first = start + lane->taken, *last = smaller(*first + chunk, end);
    lane->taken += chunk;
    return *first < end;
  }
  for (; lane->victim < team->threads; lane->victim++) {
    const size_t owner = (size_t)(lane->thread + lane->victim) % threads;
    const size_t start = total * owner / threads, count = total * (owner + 1) / threads - start;
    uint32_t *counter = team->counters + owner * team->counter_stride + lane->command;
    if (lane->victim > 0 && __atomic_load_n(counter, __ATOMIC_RELAXED) >= count) continue;
    const size_t at = __atomic_fetch_add(counter, (uint32_t)chunk, __ATOMIC_RELAXED);
    if (at >= count) continue;
    *first = start + at, *last = start + smaller(at + chunk, count);
    return 1;
  }
  return 0;
}
/* Bytes of weights times rows: some microseconds, in which sharing evenly costs less than sharing fairly. */
enum { SMALL_WORK = 4 << 20, FEW_ROWS = 8 };
INLINE size_t share(const Lane *lane, size_t total, size_t pieces, size_t most) {
  size_t chunk = total / (pieces * (size_t)lane->team->threads);
  return chunk < 1 ? 1 : chunk > most ? most : chunk;
}

static void run_pack(Lane *lane, const double *w) {
  size_t rows = SIZE(4), columns = SIZE(5), first, last;
  int format = INT(6);
  while (take(lane, (rows + 15) / 16, 4, &first, &last))
    for (size_t p = first; p < last; p++)
      pack_panel(format, (uint8_t *)ADDRESS(2) + p * panel_bytes(format, columns), (const uint8_t *)ADDRESS(3) + p * 16 * source_row_bytes(format, columns),
                 smaller(rows - p * 16, 16), columns);
}
static void run_embed(Lane *lane, const double *w) {
  size_t rows = SIZE(5), columns = SIZE(6), first, last;
  int format = INT(7);
  const int32_t *ids = ADDRESS(4);
  while (take(lane, rows, 1, &first, &last))
    decode_row(format, (float *)ADDRESS(2) + first * columns, (const uint8_t *)ADDRESS(3) + (size_t)(ids[first] / 16) * panel_bytes(format, columns), columns, ids[first] % 16, FLOAT(8));
}
/* Writes a computed float row as the output kind asks: 0 float, 1 8-bit activation, 2 added to what is there. */
INLINE void put_row(int kind, void *out, size_t row, const float *x, size_t columns) {
  if (kind == 1) quantize_row((int8_t *)out + row * activation_row_bytes(columns), x, columns);
  else if (kind == 2) {
    float *y = (float *)out + row * columns;
    for (size_t c = 0; c < columns; c++) y[c] = y[c] + x[c];
  } else if ((float *)out + row * columns != x) memcpy((float *)out + row * columns, x, columns * 4);
}
static void run_rms_norm(Lane *lane, const double *w) {
  size_t rows = SIZE(6), columns = SIZE(7), first, last;
  lane->fixed = rows < FEW_ROWS;
  while (take(lane, rows, share(lane, rows, 4, 64), &first, &last))
    for (size_t r = first; r < last; r++) {
      float *y = team_scratch(lane->team, lane->thread);
      rms_norm_row(y, (const float *)ADDRESS(4) + r * columns, ADDRESS(5), columns, FLOAT(8));
      put_row(INT(3), ADDRESS(2), r, y, columns);
    }
}
static void run_quantize(Lane *lane, const double *w) {
  size_t rows = SIZE(4), columns = SIZE(5), first, last;
  lane->fixed = rows < FEW_ROWS;
  while (take(lane, rows, share(lane, rows, 4, 64), &first, &last))
    for (size_t r = first; r < last; r++) put_row(1, ADDRESS(2), r, (const float *)ADDRESS(3) + r * columns, columns);
}
static void run_linear(Lane *lane, const double *w) {
  Linear l = {ADDRESS(2), ADDRESS(3), ADDRESS(4), ADDRESS(5), SIZE(6), SIZE(7), SIZE(8), SIZE(9), INT(10), INT(11), INT(12)};
  size_t panels = (l.outputs + 15) / 16, first, last, chunk = l.rows < FEW_ROWS ? share(lane, panels, 4, 64) : l.rows <= 16 ? 1 : share(lane, panels, 8, 8);
  lane->fixed = panels * panel_bytes(l.format, l.columns) * l.rows < SMALL_WORK;
#ifdef GALLOP_TILES
  const int tiles = l.quantized && l.rows >= 16;
  if (tiles) tiles_begin();
#endif
  while (take(lane, panels, chunk, &first, &last)) linear_panels(&l, first, last);
#ifdef GALLOP_TILES
  if (tiles) tiles_end();
#endif
}
static void run_rope(Lane *lane, const double *w) {
  size_t rows = SIZE(4), heads = SIZE(5), head_size = SIZE(6), rotary = SIZE(7), first, last, units = rows * heads;
  lane->fixed = rows < FEW_ROWS;
  while (take(lane, units, share(lane, units, 2, 256), &first, &last))
    for (size_t u = first; u < last; u++)
      rope_head((float *)ADDRESS(2) + u * head_size, (const float *)ADDRESS(3) + u / heads * rotary, rotary, INT(8));
}
static Cache read_cache(const double *w) {
  Cache c = {ADDRESS(0), SIZE(1), SIZE(2), SIZE(3), SIZE(4), SIZE(5), INT(6)};
  return c;
}
/* Keys of neighbouring slots share cache lines, so a unit is one head of 16 rows. */
static void run_cache_write(Lane *lane, const double *w) {
  Cache cache = read_cache(w + 2);
  size_t rows = SIZE(12), width = cache.heads * cache.head_size, first, last;
  const int32_t *slots = ADDRESS(11);
  lane->fixed = rows < FEW_ROWS;
  while (take(lane, cache.heads * ((rows + 15) / 16), 1, &first, &last))
    for (size_t unit = first; unit < last; unit++)
      for (size_t head = unit % cache.heads, r = unit / cache.heads * 16, end = smaller(r + 16, rows); r < end; r++)
        cache_write_head(&cache, head, (size_t)slots[r], (const float *)ADDRESS(9) + r * width + head * cache.head_size,
                         (const float *)ADDRESS(10) + r * width + head * cache.head_size);
}
static void run_cache_move(Lane *lane, const double *w) {
  if (lane->thread != 0) return; /* moves of one list may overlap: in order, by one thread */
  Cache cache = read_cache(w + 2);
  const int32_t *from = ADDRESS(9), *to = ADDRESS(10);
  for (size_t i = 0; i < SIZE(11); i++) cache_move_row(&cache, (size_t)from[i], (size_t)to[i]);
}
static void run_attention(Lane *lane, const double *w) {
  Attention a;
  a.cache = read_cache(w + 2);
  a.q = ADDRESS(9), a.out = ADDRESS(10), a.spans = ADDRESS(11), a.extras = ADDRESS(12);
  a.rows = SIZE(13), a.heads = SIZE(14), a.scale = FLOAT(15), a.softcap = FLOAT(16), a.quantized = INT(17);
  a.bias = ADDRESS(19), a.bias_columns = SIZE(20), a.bias_zero = INT(21), a.key_positions = ADDRESS(22), a.query_positions = ADDRESS(23);
  size_t columns = a.heads * a.cache.head_size, first, last;
  a.out_row_bytes = a.quantized ? activation_row_bytes(columns) : columns * 4;
  const AttentionUnits units = attention_units(&a, (size_t)lane->team->threads);
  lane->fixed = a.rows < FEW_ROWS;
  while (take(lane, units.count, 1, &first, &last)) attention_unit(&a, &units, first, team_scratch(lane->team, lane->thread), SIZE(18));
}
/* Columns are cut into pieces of 256 when there are fewer rows than threads can share. */
static void run_gated(Lane *lane, const double *w) {
  size_t rows = SIZE(6), columns = SIZE(7), pieces = columns % 256 == 0 && rows < 16 ? columns / 256 : 1, width = columns / pieces, first, last;
  int kind = INT(3);
  lane->fixed = rows < FEW_ROWS;
  while (take(lane, rows * pieces, 1, &first, &last)) {
    size_t row = first / pieces, at = first % pieces * width;
    float *y = team_scratch(lane->team, lane->thread);
    gated_row(INT(8), y, (const float *)ADDRESS(4) + row * columns + at, (const float *)ADDRESS(5) + row * columns + at, width);
    if (kind == 0) memcpy((float *)ADDRESS(2) + row * columns + at, y, width * 4);
    else if (pieces == 1) put_row(1, ADDRESS(2), row, y, columns);
    else {
      uint8_t part[256 + 256 / 32 * 20], *out = (uint8_t *)ADDRESS(2) + row * activation_row_bytes(columns);
      quantize_row((int8_t *)part, y, width);
      place_activation_part(out, columns, part, width, at);
    }
  }
}
static void run_add(Lane *lane, const double *w) {
  size_t count = SIZE(5), first, last;
  float *y = ADDRESS(2);
  const float *a = ADDRESS(3), *b = ADDRESS(4);
  while (take(lane, count, 4096, &first, &last))
    for (size_t i = first; i < last; i++) y[i] = a[i] + b[i];
}
static void run_softcap(Lane *lane, const double *w) {
  size_t count = SIZE(3), first, last;
  float *y = ADDRESS(2), cap = FLOAT(4);
  while (take(lane, count, 4096, &first, &last))
    for (size_t i = first; i < last; i += LANES) {
      float lanes[LANES] = {0};
      size_t n = smaller(LANES, last - i);
      memcpy(lanes, y + i, n * 4);
      vf z = vf_div(vf_load(lanes), vf_set(cap)), e = vf_exp(vf_add(z, z));
      vf_store(lanes, vf_mul(vf_sub(vf_set(1.0f), vf_div(vf_set(2.0f), vf_add(e, vf_set(1.0f)))), vf_set(cap)));
      memcpy(y + i, lanes, n * 4);
    }
}
static void run_top_k(Lane *lane, const double *w) {
  size_t rows = SIZE(5), columns = SIZE(6), k = SIZE(7), first, last;
  while (take(lane, rows, 1, &first, &last))
    top_k_row((float *)ADDRESS(2) + first * k, (int32_t *)ADDRESS(3) + first * k, (const float *)ADDRESS(4) + first * columns, (int32_t)columns, (int32_t)k);
}
static void run_copy_rows(Lane *lane, const double *w) {
  size_t count = SIZE(5), bytes = SIZE(6), first, last;
  const int32_t *rows = ADDRESS(4);
  while (take(lane, count, 1, &first, &last)) memcpy((uint8_t *)ADDRESS(2) + first * bytes, (const uint8_t *)ADDRESS(3) + (size_t)rows[first] * bytes, bytes);
}

#include "operations.h"

void VARIANT(run_commands)(Team *team, int thread, const double *words, size_t length) {
  Lane lane = {.team = team, .thread = thread, .barriers = team->barriers};
  for (size_t at = 0; at < length; at += (size_t)words[at + 1], lane.command++) {
    const double *w = words + at;
    const int head = (int)w[0];
    if (head & BARRIER_BEFORE) team_barrier(team, thread, &lane.barriers);
    lane.victim = 0, lane.taken = 0, lane.fixed = 0;
    switch (head & 255) {
      case OP_PACK: run_pack(&lane, w); break;
      case OP_EMBED: run_embed(&lane, w); break;
      case OP_RMS_NORM: run_rms_norm(&lane, w); break;
      case OP_QUANTIZE: run_quantize(&lane, w); break;
      case OP_LINEAR: run_linear(&lane, w); break;
      case OP_ROPE: run_rope(&lane, w); break;
      case OP_CACHE_WRITE: run_cache_write(&lane, w); break;
      case OP_CACHE_MOVE: run_cache_move(&lane, w); break;
      case OP_ATTENTION: run_attention(&lane, w); break;
      case OP_GATED: run_gated(&lane, w); break;
      case OP_ADD: run_add(&lane, w); break;
      case OP_SOFTCAP: run_softcap(&lane, w); break;
      case OP_TOP_K: run_top_k(&lane, w); break;
      case OP_COPY_ROWS: run_copy_rows(&lane, w); break;
      default: run_operation(&lane, w, head & 255);
    }
  }
  team_barrier(team, thread, &lane.barriers);
  if (thread == 0) team->barriers = lane.barriers;
}
