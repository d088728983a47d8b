/*
 * Softmax attention over a paged cache. What a row sees is an ordered list of keys: cache slots [start, end), then
 * a list of extra slots (its ancestors inside the call). A key's place in that list, not its slot, decides where it
 * enters every sum, so a branch of a tree gets the bits it would get had it been decoded alone.
 *
 *   s_j = (sum over d, in order, of q_d k_jd) * scale,  p_j = exp(s_j - max s)
 *   o = (sum over j, in order, of p_j v_j) * (1 / sum of p)      the sum of p runs in 16 lanes by place
 *
 * Page of P slots (P a multiple of 16), per layer: keys [head][P / 16][d][16] and values [head][P][d], f16 or f32.
 */
#ifndef GALLOP_ATTENTION_H
#define GALLOP_ATTENTION_H
#include "rows.h"

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
} Attention;

typedef struct { const float *q; float *scores; float *out; const int32_t *span; } Query;

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

/* Scores of 16 * key_blocks keys from an aligned slot, for `count` queries. */
INLINE void score_blocks(const int half, const int count, const int key_blocks, const Cache *c, size_t head, size_t slot, Query *queries, float scale) {
  for (int lane = 0; lane < 16; lane += LANES) {
    vf sum[8];
    const uint8_t *k[4];
    for (int b = 0; b < key_blocks; b++) k[b] = key_column(c, head, slot + 16 * b + lane);
#pragma GCC unroll 8
    for (int i = 0; i < count * key_blocks; i++) sum[i] = vf_set(0.0f);
    for (size_t d = 0; d < c->head_size; d++) {
#pragma GCC unroll 4
      for (int b = 0; b < key_blocks; b++) {
        vf key = cache_load(half, k[b], 16 * d);
#pragma GCC unroll 4
        for (int i = 0; i < count; i++) sum[i * key_blocks + b] = vf_add(sum[i * key_blocks + b], vf_mul(vf_set(queries[i].q[d]), key));
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < count; i++)
#pragma GCC unroll 4
      for (int b = 0; b < key_blocks; b++) vf_store(queries[i].scores + slot + 16 * b + lane, vf_mul(sum[i * key_blocks + b], vf_set(scale)));
  }
}

static void extra_scores(const Attention *a, size_t head, Query *query) {
  for (int32_t e = 0; e < query->span[3]; e++) {
    const uint8_t *k = key_column(&a->cache, head, (size_t)a->extras[query->span[2] + e]);
    float sum = 0;
    for (size_t d = 0; d < a->cache.head_size; d++) {
      float key = a->cache.half ? half_to_float(((const uint16_t *)k)[16 * d]) : ((const float *)k)[16 * d];
      sum = sum + query->q[d] * key;
    }
    query->scores[query->span[1] + e] = sum * a->scale;
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
INLINE void mix_slots(const int half, const int count, const int vectors, const Cache *c, size_t head, size_t from, size_t to, int32_t shift, size_t d, Query *queries, vf *sum) {
  for (size_t slot = from; slot < to; slot++) {
    const uint8_t *row = value_row(c, head, slot);
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
      vf value = cache_load(half, row, d + v * LANES);
#pragma GCC unroll 4
      for (int i = 0; i < count; i++) sum[i * vectors + v] = vf_add(sum[i * vectors + v], vf_mul(vf_set(queries[i].scores[(int32_t)slot + shift]), value));
    }
  }
}

/* The slots that all queries of a group see the same way are walked once, the rest query by query, in order of place. */
INLINE void mix_columns(const int half, const int count, const int vectors, const Attention *a, size_t head, Query *queries, const float *inverse, int32_t start, int32_t shared, size_t d) {
  vf sum[16];
#pragma GCC unroll 16
  for (int i = 0; i < count * vectors; i++) sum[i] = vf_set(0.0f);
  mix_slots(half, count, vectors, &a->cache, head, (size_t)start, (size_t)shared, 0, d, queries, sum);
#pragma GCC unroll 4
  for (int i = 0; i < count; i++) {
    const int32_t *span = queries[i].span;
    mix_slots(half, 1, vectors, &a->cache, head, (size_t)shared, (size_t)span[1], 0, d, queries + i, sum + i * vectors);
    for (int32_t e = 0; e < span[3]; e++) {
      if (span[1] + e < span[0]) continue; /* outside the window */
      int32_t slot = a->extras[span[2] + e];
      mix_slots(half, 1, vectors, &a->cache, head, (size_t)slot, (size_t)slot + 1, span[1] + e - slot, d, queries + i, sum + i * vectors);
    }
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
  int32_t start = queries[0].span[0], shared = queries[0].span[1];
  for (int i = 1; i < count; i++) {
    start = queries[i].span[0] < start ? queries[i].span[0] : start;
    shared = queries[i].span[1] < shared ? queries[i].span[1] : shared;
  }
  if (shared < start) shared = start;
  size_t d = 0;
  for (; d + 4 * LANES <= a->cache.head_size; d += 4 * LANES) mix_columns(half, count, 4, a, head, queries, inverse, start, shared, d);
  for (; d + LANES <= a->cache.head_size; d += LANES) mix_columns(half, count, 1, a, head, queries, inverse, start, shared, d);
  for (int i = 0; i < count; i++) mix_tail(a, head, queries + i, inverse[i], d);
}

/* Queries that share a key head. Places before a query's start hold probability 0 once softened. */
INLINE void attend_group(const int half, const int count, const Attention *a, size_t head, Query *queries) {
  float inverse[4];
  int32_t start = queries[0].span[0], end = queries[0].span[1];
  for (int i = 1; i < count; i++) {
    start = queries[i].span[0] < start ? queries[i].span[0] : start;
    end = queries[i].span[1] > end ? queries[i].span[1] : end;
  }
  size_t slot = (size_t)start / 16 * 16;
  if (count <= 2)
    for (; slot + 64 <= (size_t)end && slot / a->cache.page_slots == (slot + 63) / a->cache.page_slots; slot += 64)
      score_blocks(half, count, 4, &a->cache, head, slot, queries, a->scale);
  else
    for (; slot + 32 <= (size_t)end && slot / a->cache.page_slots == (slot + 31) / a->cache.page_slots; slot += 32)
      score_blocks(half, count, 2, &a->cache, head, slot, queries, a->scale);
  for (; slot < (size_t)end; slot += 16) score_blocks(half, count, 1, &a->cache, head, slot, queries, a->scale);
  for (int i = 0; i < count; i++) {
    extra_scores(a, head, queries + i);
    inverse[i] = soften(a, queries + i);
    for (int32_t j = start; j < queries[i].span[0]; j++) queries[i].scores[j] = 0.0f;
  }
  mix_values(half, count, a, head, queries, inverse);
}

static __attribute__((noinline)) void attend(const Attention *a, size_t head, int count, Query *queries) {
  if (a->cache.half) {
    switch (count) {
      case 1: attend_group(1, 1, a, head, queries); return;
      case 2: attend_group(1, 2, a, head, queries); return;
      case 3: attend_group(1, 3, a, head, queries); return;
      default: attend_group(1, 4, a, head, queries);
    }
  } else if (count == 4) attend_group(0, 4, a, head, queries);
  else
    for (int i = 0; i < count; i++) attend_group(0, 1, a, head, queries + i);
}

/* Floats of scratch that one thread needs: four queries' scores and four outputs. */
INLINE size_t attention_scratch(size_t places, size_t head_size) { return 4 * ((places + 95) / 16 * 16) + 4 * head_size; }

/* One unit of work: query head `head`, rows [first, last), at most four. */
static void attention_unit(const Attention *a, size_t head, size_t first, size_t last, float *scratch, size_t places) {
  const size_t d = a->cache.head_size, stride = (places + 95) / 16 * 16;
  Query queries[4];
  const int count = (int)(last - first);
  for (int i = 0; i < count; i++) {
    queries[i].q = a->q + ((first + i) * a->heads + head) * d;
    queries[i].scores = scratch + i * stride;
    queries[i].out = scratch + 4 * stride + i * d;
    queries[i].span = a->spans + (first + i) * 4;
  }
  attend(a, head / (a->heads / a->cache.heads), count, queries);
  for (int i = 0; i < count; i++) {
    uint8_t *row = a->out + (first + i) * a->out_row_bytes;
    const size_t columns = a->heads * d;
    if (!a->quantized) {
      memcpy(row + head * d * 4, queries[i].out, d * 4);
      continue;
    }
    /* the head's part of an 8-bit row; d is a multiple of 32 */
    uint8_t part[1024 + 1024 / 32 * 20];
    quantize_row((int8_t *)part, queries[i].out, d);
    place_activation_part(row, columns, part, d, head * d);
  }
}

static void cache_write_row(const Cache *c, size_t slot, const float *k, const float *v) {
  for (size_t head = 0; head < c->heads; head++) {
    uint8_t *key = key_column(c, head, slot), *value = value_row(c, head, slot);
    const float *kh = k + head * c->head_size, *vh = v + head * c->head_size;
    for (size_t d = 0; d < c->head_size; d++) {
      if (c->half) ((uint16_t *)key)[16 * d] = float_to_half(kh[d]), ((uint16_t *)value)[d] = float_to_half(vh[d]);
      else ((float *)key)[16 * d] = kh[d], ((float *)value)[d] = vh[d];
    }
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
