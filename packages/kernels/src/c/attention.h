/*
 * Softmax attention over a paged cache. What a row sees is an ordered list of keys: cache slots [start, end), then
 * a list of extra slots (its ancestors inside the call). A key's place in that list, not its slot, decides where it
 * enters every sum, so a branch of a tree gets the bits it would get had it been decoded alone.
 *
 *   s_j = (sum over d, in order, of q_d k_jd) * scale [+ bias by distance],  p_j = exp(s_j - max s)
 *   o = (sum over j, in order, of p_j v_j) * (1 / sum of p)      the sum of p runs in 16 lanes by place
 *
 * Page of P slots (P a multiple of 16), per layer: keys [head][P / 16][d][16] and values [head][P][d], f16 or f32.
 */
#ifndef GALLOP_ATTENTION_H
#define GALLOP_ATTENTION_H
#include "rows.h"

/* Queries that share what is read from the cache, and vectors that scores or outputs are summed in at once. */
#if LANES == 16
enum { MOST_SUMS = 16, MIX_SUMS = 24 };
#define MOST_QUERIES 8
#else
enum { MOST_SUMS = 8, MIX_SUMS = 8 };
#define MOST_QUERIES 4
#endif

typedef struct {
  const double *pages; /* addresses */
  size_t page_slots, key_offset, value_offset, heads, head_size;
  int half;
} Cache;

typedef struct {
  Cache cache;
  const float *q;
  uint8_t *out;
  const int32_t *spans, *extras; /* spans: [row] {start, end, first extra, extra count} */
  size_t rows, heads, out_row_bytes;
  float scale, softcap;
  int quantized;
  const float *bias; /* [head][bias_columns] by query position - key position + bias_zero, clamped; may be null */
  size_t bias_columns;
  int32_t bias_zero;
  const int32_t *key_positions, *query_positions; /* by slot and by row */
} Attention;

typedef struct { const float *q; float *scores; float *out; const int32_t *span; const float *bias; int32_t position; } Query;

INLINE size_t element_bytes(const Cache *c) { return c->half ? 2 : 4; }
INLINE const uint8_t *cache_page(const Cache *c, size_t slot) { return (const uint8_t *)(uintptr_t)c->pages[slot / c->page_slots]; }
INLINE uint8_t *key_column(const Cache *c, size_t head, size_t slot) { /* element d lies 16 elements further */
  size_t in_page = slot % c->page_slots;
  size_t index = ((head * (c->page_slots / 16) + in_page / 16) * c->head_size) * 16 + in_page % 16;
  return (uint8_t *)cache_page(c, slot) + c->key_offset + index * element_bytes(c);
}
INLINE uint8_t *value_row(const Cache *c, size_t head, size_t slot) {
  size_t index = (head * c->page_slots + slot % c->page_slots) * c->head_size;
  return (uint8_t *)cache_page(c, slot) + c->value_offset + index * element_bytes(c);
}
INLINE vf cache_load(int half, const uint8_t *p, size_t index) {
  return half ? vf_from_half((const uint16_t *)p + index) : vf_load((const float *)p + index);
}

/* Scores of 16 * key_blocks keys, stored from `keys` on, for `count` queries. What lies at `next` is read soon. */
INLINE void score_blocks(const int half, const int count, const int key_blocks, const Cache *c, const uint8_t *keys, const uint8_t *next, Query *queries, size_t at, float scale) {
  const size_t block = 16 * c->head_size * (half ? 2 : 4);
  for (int lane = 0; lane < 16; lane += LANES) {
    vf sum[MOST_SUMS];
#pragma GCC unroll 16
    for (int i = 0; i < count * key_blocks; i++) sum[i] = vf_set(0.0f);
    for (size_t d = 0; d < c->head_size; d++) {
#pragma GCC unroll 4
      for (int b = 0; b < key_blocks; b++) {
        vf key = cache_load(half, keys + b * block, 16 * d + (size_t)lane);
        prefetch(next + b * block + 16 * d * (half ? 2 : 4));
#pragma GCC unroll 8
        for (int i = 0; i < count; i++) sum[i * key_blocks + b] = vf_add(sum[i * key_blocks + b], vf_mul(vf_set(queries[i].q[d]), key));
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < count; i++)
#pragma GCC unroll 4
      for (int b = 0; b < key_blocks; b++) vf_store(queries[i].scores + at + 16 * b + lane, vf_mul(sum[i * key_blocks + b], vf_set(scale)));
  }
}

/* Scores of the slots [start, end), start at the beginning of a block, page by page. */
INLINE void score_span(const int half, const int count, const Attention *a, size_t head, size_t start, size_t end, Query *queries) {
  const Cache *c = &a->cache;
  const int wide = MOST_SUMS / count >= 4 ? 4 : MOST_SUMS / count >= 2 ? 2 : 1;
  const size_t block = 16 * c->head_size * (half ? 2 : 4);
  for (size_t slot = start; slot < end;) {
    const size_t page_end = (slot / c->page_slots + 1) * c->page_slots, stop = page_end < end ? page_end : end;
    const uint8_t *keys = key_column(c, head, slot), *next_page = page_end < end ? key_column(c, head, page_end) : value_row(c, head, start);
    for (; slot < stop;) {
      const int blocks = slot + 16 * wide <= stop ? wide : 1;
      const uint8_t *next = slot + 16 * blocks < stop ? keys + blocks * block : next_page;
      if (blocks == wide) score_blocks(half, count, wide, c, keys, next, queries, slot, a->scale);
      else score_blocks(half, count, 1, c, keys, next, queries, slot, a->scale);
      slot += 16 * blocks, keys += blocks * block;
    }
  }
}

/* Scores of a query's extra keys. A block of 16 is scored at once, and kept for the extras that follow in it. */
INLINE void extra_scores(const int half, const Attention *a, size_t head, Query *query) {
  float lanes[16];
  size_t scored = (size_t)-1;
  Query block = {.q = query->q, .scores = lanes};
  for (int32_t e = 0; e < query->span[3]; e++) {
    const size_t slot = (size_t)a->extras[query->span[2] + e], first = slot / 16 * 16;
    if (first != scored) score_blocks(half, 1, 1, &a->cache, key_column(&a->cache, head, first), (const uint8_t *)query->q, &block, 0, a->scale);
    scored = first;
    query->scores[query->span[1] + e] = lanes[slot - first];
  }
}

/* Adds what the bias holds for each key's distance. */
static void add_bias(const Attention *a, Query *query) {
  const int32_t *span = query->span, last = (int32_t)a->bias_columns - 1;
  for (int32_t place = span[0]; place < span[1] + span[3]; place++) {
    int32_t slot = place < span[1] ? place : a->extras[span[2] + place - span[1]];
    int32_t at = query->position - a->key_positions[slot] + a->bias_zero;
    query->scores[place] = query->scores[place] + query->bias[at < 0 ? 0 : at > last ? last : at];
  }
}

/* Turns scores at places [start, end + extras) into probabilities before normalisation; returns 1 / sum. */
static float soften(const Attention *a, Query *query) {
  const int32_t start = query->span[0], end = query->span[1] + query->span[3];
  const int32_t first = start / 16 * 16, last = (end + 15) / 16 * 16;
  float *s = query->scores, lanes[16], largest = -__builtin_inff();
  for (int32_t j = first; j < start; j++) s[j] = -__builtin_inff();
  for (int32_t j = end; j < last; j++) s[j] = -__builtin_inff();
  if (a->softcap > 0) {
    for (int32_t j = first; j < last; j += LANES) {
      vf z = vf_div(vf_load(s + j), vf_set(a->softcap)), e = vf_exp(vf_add(z, z));
      vf_store(s + j, vf_mul(vf_sub(vf_set(1.0f), vf_div(vf_set(2.0f), vf_add(e, vf_set(1.0f)))), vf_set(a->softcap)));
    }
    for (int32_t j = first; j < start; j++) s[j] = -__builtin_inff();
    for (int32_t j = end; j < last; j++) s[j] = -__builtin_inff();
  }
  vf best = vf_load(s + first);
  for (int32_t j = first + LANES; j < last; j += LANES) best = vf_max(best, vf_load(s + j));
  vf_store(lanes, best);
  for (int i = 0; i < LANES; i++) largest = lanes[i] > largest ? lanes[i] : largest;
  vf sum[PARTS];
  for (int i = 0; i < PARTS; i++) sum[i] = vf_set(0.0f);
  for (int32_t j = first; j < last; j += 16)
    for (int i = 0; i < PARTS; i++) {
      vf p = vf_exp(vf_sub(vf_load(s + j + i * LANES), vf_set(largest)));
      vf_store(s + j + i * LANES, p);
      sum[i] = vf_add(sum[i], p);
    }
  for (int i = 0; i < PARTS; i++) vf_store(lanes + i * LANES, sum[i]);
  return 1.0f / fold_add(lanes);
}

/* Adds p_j v_j of slots [from, to), whose places are slot + shift, to `vectors` vectors of the output from column d. */
INLINE void mix_slots(const int half, const int count, const int vectors, const Cache *c, size_t head, size_t from, size_t to, int32_t shift, size_t d, const Query *queries, vf *sum) {
  const size_t row_bytes = c->head_size * (half ? 2 : 4);
  for (size_t slot = from; slot < to;) {
    const size_t page_end = (slot / c->page_slots + 1) * c->page_slots, stop = page_end < to ? page_end : to;
    const uint8_t *next_page = page_end < to ? value_row(c, head, page_end) : value_row(c, head, slot);
    for (const uint8_t *row = value_row(c, head, slot); slot < stop; slot++, row += row_bytes) {
      if (count > 1) {
        const uint8_t *next = slot + 32 < page_end ? row + 32 * row_bytes : next_page + (slot + 32 - page_end) * row_bytes;
        for (int v = 0; v < vectors; v += 64 / ((half ? 2 : 4) * LANES)) prefetch(next + (d + v * LANES) * (half ? 2 : 4));
      }
      vf value[4];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++) value[v] = cache_load(half, row, d + v * LANES);
#pragma GCC unroll 8
      for (int i = 0; i < count; i++) {
        const vf p = vf_set(queries[i].scores[(int32_t)slot + shift]);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) sum[i * vectors + v] = vf_add(sum[i * vectors + v], vf_mul(p, value[v]));
      }
    }
  }
}

/*
 * The slots [first, last) that all queries of a group see are walked once; what comes before and after is walked query
 * by query. Every query adds its keys in order of place.
 */
INLINE void mix_columns(const int half, const int count, const int vectors, const Attention *a, size_t head, const Query *queries, const float *inverse, size_t first, size_t last, size_t d) {
  const Cache *c = &a->cache;
  vf sum[MOST_QUERIES * 4];
#pragma GCC unroll 8
  for (int i = 0; i < count; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) sum[i * vectors + v] = vf_set(0.0f);
    if ((size_t)queries[i].span[0] < first) mix_slots(half, 1, vectors, c, head, (size_t)queries[i].span[0], first, 0, d, queries + i, sum + i * vectors);
  }
  mix_slots(half, count, vectors, c, head, first, last, 0, d, queries, sum);
#pragma GCC unroll 8
  for (int i = 0; i < count; i++) {
    const int32_t *span = queries[i].span;
    const size_t after = (size_t)span[0] > last ? (size_t)span[0] : last;
    mix_slots(half, 1, vectors, c, head, after, (size_t)span[1], 0, d, queries + i, sum + i * vectors);
    for (int32_t e = 0; e < span[3]; e++) {
      if (span[1] + e < span[0]) continue; /* outside the window */
      int32_t slot = a->extras[span[2] + e];
      mix_slots(half, 1, vectors, c, head, (size_t)slot, (size_t)slot + 1, span[1] + e - slot, d, queries + i, sum + i * vectors);
    }
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) vf_store(queries[i].out + d + v * LANES, vf_mul(sum[i * vectors + v], vf_set(inverse[i])));
  }
}

/* The columns of a head size that is no multiple of the vector width, one by one. */
static void mix_tail(const Attention *a, size_t head, Query *query, float inverse, size_t d) {
  const Cache *c = &a->cache;
  const int32_t *span = query->span;
  for (; d < c->head_size; d++) {
    float sum = 0;
    for (int32_t place = span[0]; place < span[1] + span[3]; place++) {
      int32_t slot = place < span[1] ? place : a->extras[span[2] + place - span[1]];
      const uint8_t *row = value_row(c, head, (size_t)slot);
      float value = c->half ? half_to_float(((const uint16_t *)row)[d]) : ((const float *)row)[d];
      sum = sum + query->scores[place] * value;
    }
    query->out[d] = sum * inverse;
  }
}

INLINE void mix_values(const int half, const int count, const Attention *a, size_t head, Query *queries, const float *inverse) {
  int32_t first = queries[0].span[0], last = queries[0].span[1];
  for (int i = 1; i < count; i++) {
    first = queries[i].span[0] > first ? queries[i].span[0] : first;
    last = queries[i].span[1] < last ? queries[i].span[1] : last;
  }
  if (first > last) first = last; /* no slot is seen by all */
  const int wide = MIX_SUMS / count >= 4 ? 4 : 2;
  size_t d = 0;
  for (; d + wide * LANES <= a->cache.head_size; d += wide * LANES) mix_columns(half, count, wide, a, head, queries, inverse, (size_t)first, (size_t)last, d);
  for (; d + LANES <= a->cache.head_size; d += LANES) mix_columns(half, count, 1, a, head, queries, inverse, (size_t)first, (size_t)last, d);
  for (int i = 0; i < count; i++) mix_tail(a, head, queries + i, inverse[i], d);
}

/* Queries that share a key head. */
INLINE void attend_group(const int half, const int count, const Attention *a, size_t head, Query *queries) {
  float inverse[MOST_QUERIES];
  int32_t start = queries[0].span[0], end = queries[0].span[1];
  for (int i = 1; i < count; i++) {
    start = queries[i].span[0] < start ? queries[i].span[0] : start;
    end = queries[i].span[1] > end ? queries[i].span[1] : end;
  }
  score_span(half, count, a, head, (size_t)start / 16 * 16, (size_t)end, queries);
  for (int i = 0; i < count; i++) {
    extra_scores(half, a, head, queries + i);
    if (queries[i].bias) add_bias(a, queries + i);
    inverse[i] = soften(a, queries + i);
  }
  mix_values(half, count, a, head, queries, inverse);
}

/* Takes queries in groups of the sizes there is code for. */
static __attribute__((noinline)) void attend(const Attention *a, size_t head, int count, Query *queries) {
  for (int done = 0, n; done < count; done += n) {
    const int left = count - done;
    Query *q = queries + done;
    if (!a->cache.half) {
      if (left >= 4) attend_group(0, n = 4, a, head, q);
      else attend_group(0, n = 1, a, head, q);
    }
#if MOST_QUERIES == 8
    else if (left >= 8) attend_group(1, n = 8, a, head, q);
    else if (left >= 6) attend_group(1, n = 6, a, head, q);
#endif
    else if (left >= 4) attend_group(1, n = 4, a, head, q);
    else if (left == 3) attend_group(1, n = 3, a, head, q);
    else if (left == 2) attend_group(1, n = 2, a, head, q);
    else attend_group(1, n = 1, a, head, q);
  }
}

/*
 * One unit of work is some of the query heads that share a key head, for some rows: at most MOST_QUERIES queries, and
 * few enough that there are units for all threads.
 */
typedef struct { size_t heads, rows, head_groups, row_groups, count; } AttentionUnits;

INLINE AttentionUnits attention_units(const Attention *a, size_t threads) {
  const size_t sharing = a->heads / a->cache.heads;
  AttentionUnits u;
  u.heads = sharing < MOST_QUERIES ? sharing : MOST_QUERIES;
  u.rows = MOST_QUERIES / u.heads;
  u.row_groups = (a->rows + u.rows - 1) / u.rows;
  while (u.heads > 1 && a->cache.heads * ((sharing + u.heads - 1) / u.heads) * u.row_groups < threads) u.heads = (u.heads + 1) / 2;
  u.head_groups = (sharing + u.heads - 1) / u.heads;
  u.count = a->cache.heads * u.head_groups * u.row_groups;
  return u;
}

static void attention_unit(const Attention *a, const AttentionUnits *u, size_t unit, float *scratch, size_t places) {
  const size_t d = a->cache.head_size, stride = (places + 95) / 16 * 16, sharing = a->heads / a->cache.heads;
  const size_t key_head = unit % a->cache.heads, group = unit / a->cache.heads % u->head_groups, tile = unit / a->cache.heads / u->head_groups;
  const size_t first_head = key_head * sharing + group * u->heads, heads = sharing - group * u->heads < u->heads ? sharing - group * u->heads : u->heads;
  const size_t first_row = tile * u->rows, rows = a->rows - first_row < u->rows ? a->rows - first_row : u->rows;
  Query queries[MOST_QUERIES];
  const size_t count = heads * rows;
  for (size_t i = 0; i < count; i++) {
    const size_t row = first_row + i / heads, head = first_head + i % heads;
    queries[i] = (Query){a->q + (row * a->heads + head) * d, scratch + i * stride, scratch + MOST_QUERIES * stride + i * d, a->spans + row * 4, 0, 0};
    if (a->bias) queries[i].bias = a->bias + head * a->bias_columns, queries[i].position = a->query_positions[row];
  }
  attend(a, key_head, (int)count, queries);
  for (size_t i = 0; i < count; i++) {
    const size_t head = first_head + i % heads, columns = a->heads * d;
    uint8_t *row = a->out + (first_row + i / heads) * a->out_row_bytes;
    if (!a->quantized) {
      memcpy(row + head * d * 4, queries[i].out, d * 4);
      continue;
    }
    /* the head's part of an 8-bit row; d is a multiple of 32 */
    _Alignas(64) uint8_t part[1024 + 1024 / 32 * 20];
    quantize_row((int8_t *)part, queries[i].out, d);
    place_activation_part(row, columns, part, d, head * d);
  }
}

/* One head of one row. */
static void cache_write_head(const Cache *c, size_t head, size_t slot, const float *k, const float *v) {
  uint8_t *key = key_column(c, head, slot), *value = value_row(c, head, slot);
  size_t d = 0;
  if (c->half) {
    uint16_t lanes[LANES];
    for (; d + LANES <= c->head_size; d += LANES) {
      vf_to_half((uint16_t *)value + d, vf_load(v + d));
      vf_to_half(lanes, vf_load(k + d));
      for (size_t i = 0; i < LANES; i++) ((uint16_t *)key)[16 * (d + i)] = lanes[i];
    }
  }
  for (; d < c->head_size; d++) {
    if (c->half) ((uint16_t *)key)[16 * d] = float_to_half(k[d]), ((uint16_t *)value)[d] = float_to_half(v[d]);
    else ((float *)key)[16 * d] = k[d], ((float *)value)[d] = v[d];
  }
}

static void cache_move_row(const Cache *c, size_t from, size_t to) {
  const size_t bytes = element_bytes(c);
  for (size_t head = 0; head < c->heads; head++) {
    uint8_t *source = key_column(c, head, from), *target = key_column(c, head, to);
    for (size_t d = 0; d < c->head_size; d++) memcpy(target + 16 * d * bytes, source + 16 * d * bytes, bytes);
    memcpy(value_row(c, head, to), value_row(c, head, from), c->head_size * bytes);
  }
}
#endif
