/*
 * The recurrence of state-space layers and its gradient, one (batch, head, inner channel) at a time with the N entries of
 * its state in vectors:
 *     h = e^(decay dt) h + (dt x) B        y = sum of h C, in 16 lanes
 * Mamba has one inner channel a head and a decay for every entry; Mamba-2 one decay a head. Heads share B and C by group.
 * B and C are [batch][length][group][N]; x, dt, y carry their own strides.
 */
#ifndef GALLOP_SCAN_H
#define GALLOP_SCAN_H
#include "reduce.h"

typedef struct {
  const float *x, *dt, *decay, *b, *c, *state;                 /* state may be null: zeros */
  size_t batch, heads, inner, length, states, groups, decay_per_state;
  size_t x_batch, x_head, x_inner, x_step, dt_batch, dt_head, dt_step;
} Scan;

INLINE size_t padded_states(const Scan *s) { return (s->states + 15) / 16 * 16; }
/* Where a unit's sequences start. */
typedef struct { const float *x, *dt, *decay, *b, *c; size_t offset; } ScanUnit;
static ScanUnit scan_unit_at(const Scan *s, size_t unit) {
  const size_t inner = unit % s->inner, head = unit / s->inner % s->heads, batch = unit / s->inner / s->heads;
  const size_t group = head * s->groups / s->heads, shared = (batch * s->length * s->groups + group) * s->states;
  const size_t offset = batch * s->x_batch + head * s->x_head + inner * s->x_inner;
  return (ScanUnit){s->x + offset, s->dt + batch * s->dt_batch + head * s->dt_head, s->decay + head * (s->decay_per_state ? s->states : 1), s->b + shared, s->c + shared, offset};
}
INLINE vf scan_decay(const Scan *s, const float *decay, size_t n, float dt) {
  return vf_exponential(vf_mul(s->decay_per_state ? load_part(decay, n, s->states) : vf_set(*decay), vf_set(dt)));
}

/* `state` is the unit's state: read, advanced in place; `history`, unless null, receives the state before each step. */
static void scan_unit(const Scan *s, size_t unit, float *y, float *state, float *history) {
  const ScanUnit u = scan_unit_at(s, unit);
  const size_t width = padded_states(s), row = s->groups * s->states;
  for (size_t step = 0; step < s->length; step++) {
    const float dt = u.dt[step * s->dt_step], input = dt * u.x[step * s->x_step];
    const float *b = u.b + step * row, *c = u.c + step * row;
    if (history) memcpy(history + step * width, state, width * 4);
    vf sums[PARTS], shared = vf_set(0.0f);
    for (int i = 0; i < PARTS; i++) sums[i] = vf_set(0.0f);
    if (!s->decay_per_state) shared = scan_decay(s, u.decay, 0, dt);
    for (size_t n = 0; n < width; n += LANES) {
      vf e = s->decay_per_state ? scan_decay(s, u.decay, n, dt) : shared;
      vf h = vf_add(vf_mul(e, vf_load(state + n)), vf_mul(vf_set(input), load_part(b, n, s->states)));
      vf_store(state + n, h);
      sums[n / LANES % PARTS] = vf_add(sums[n / LANES % PARTS], vf_mul(h, load_part(c, n, s->states)));
    }
    if (!y) continue;
    float lanes[16];
    for (int i = 0; i < PARTS; i++) vf_store(lanes + i * LANES, sums[i]);
    y[u.offset + step * s->x_step] = reduce_fold(REDUCE_SUM, lanes);
  }
}
static void load_state(const Scan *s, size_t unit, float *state) {
  memset(state, 0, padded_states(s) * 4);
  if (s->state) memcpy(state, s->state + unit * s->states, s->states * 4);
}

/* Gradients of one unit; those of dt, decay, B and C are left to be summed over the units that share them. */
typedef struct {
  const float *out, *last;                                     /* of y, laid out as x; of the last state, may be null */
  float *x;                                                    /* laid out as x */
  float *dt, *decay, *b, *c, *state; /* [unit][length], [unit][N], [unit][length][N] twice, [unit][N] */
} ScanGradient;

static void scan_gradient_unit(const Scan *s, const ScanGradient *g, size_t unit, float *scratch) {
  const ScanUnit u = scan_unit_at(s, unit);
  const size_t width = padded_states(s), row = s->groups * s->states, n_states = s->states;
  float *state = scratch, *upstream = scratch + width, *decay = upstream + width, *history = decay + width;
  load_state(s, unit, state);
  scan_unit(s, unit, 0, state, history);
  memset(upstream, 0, 2 * width * 4);
  if (g->last) memcpy(upstream, g->last + unit * n_states, n_states * 4);
  for (size_t step = s->length; step-- > 0;) {
    const float dt = u.dt[step * s->dt_step], x = u.x[step * s->x_step], input = dt * x, out = g->out[u.offset + step * s->x_step];
    const float *b = u.b + step * row, *c = u.c + step * row, *before = history + step * width;
    const size_t at = (unit * s->length + step) * n_states;
    vf inputs[PARTS], times[PARTS];
    for (int i = 0; i < PARTS; i++) inputs[i] = times[i] = vf_set(0.0f);
    for (size_t n = 0; n < width; n += LANES) {
      vf e = scan_decay(s, u.decay, n, dt), from_b = load_part(b, n, n_states), after = vf_load(state + n), previous = vf_load(before + n);
      vf gradient = vf_add(vf_load(upstream + n), vf_mul(vf_set(out), load_part(c, n, n_states)));
      vf slope = vf_mul(vf_mul(gradient, previous), e); /* of decay * dt */
      const size_t part = n / LANES % PARTS;
      store_part(g->c + at, n, n_states, vf_mul(vf_set(out), after));
      store_part(g->b + at, n, n_states, vf_mul(gradient, vf_set(input)));
      inputs[part] = vf_add(inputs[part], vf_mul(gradient, from_b));
      times[part] = vf_add(times[part], vf_mul(slope, s->decay_per_state ? load_part(u.decay, n, n_states) : vf_set(*u.decay)));
      vf_store(decay + n, vf_add(vf_load(decay + n), vf_mul(slope, vf_set(dt))));
      vf_store(upstream + n, vf_mul(gradient, e));
      vf_store(state + n, previous);
    }
    float lanes[16];
    for (int i = 0; i < PARTS; i++) vf_store(lanes + i * LANES, inputs[i]);
    const float sum = reduce_fold(REDUCE_SUM, lanes);
    for (int i = 0; i < PARTS; i++) vf_store(lanes + i * LANES, times[i]);
    g->x[u.offset + step * s->x_step] = sum * dt;
    g->dt[unit * s->length + step] = reduce_fold(REDUCE_SUM, lanes) + sum * x;
  }
  memcpy(g->state + unit * n_states, upstream, n_states * 4);
  memcpy(g->decay + unit * n_states, decay, n_states * 4);
}
#endif
