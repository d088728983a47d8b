/*
 * The threads that run one command list together. Each thread owns an equal share of every command's units and takes
 * from its own counter; who is done early takes from the others' shares, so that a thread that lost its core holds up
 * little. Threads meet at a dissemination barrier: in round r a thread signals the one 2^r places on and waits for the
 * one 2^r places back, each on a cache line of its own.
 */
#ifndef GALLOP_TEAM_H
#define GALLOP_TEAM_H
#include "simd.h"

#define BARRIER_ROUNDS 8 /* up to 256 threads */

typedef struct {
  int32_t value;      /* only grows, and may wrap */
  int32_t sleeping;   /* threads */
  int64_t waited;     /* nanoseconds of long waits in this run, by the thread that waits here */
  int32_t padding[12];
} Signal;

typedef struct Team {
  int threads;
  uint32_t *counters;            /* [thread][command], zeroed before a run */
  size_t counter_stride;         /* commands there is room for, a multiple of 16 */
  float *scratch;
  size_t scratch_floats;         /* per thread */
  Signal *signals;               /* [thread][BARRIER_ROUNDS], zero in the beginning, aligned to 64 bytes */
  int32_t barriers;              /* passed so far, in all runs */
} Team;

static inline float *team_scratch(Team *t, int thread) { return t->scratch + (size_t)thread * t->scratch_floats; }

/* About 50 microseconds: a waiting processor that spins longer only keeps others from their work. */
#define QUICK_SPINS 1000 /* without a pause: most waits are short, and a pause is as long as a meeting takes */
#ifdef __wasm__
#define SPINS_BEFORE_SLEEP 40000
#else
#define SPINS_BEFORE_SLEEP 5000
#endif
/* Given by the host: may return at any time, but does not sleep when *address is not `seen`; wakes who sleeps there. */
void team_sleep(int32_t *address, int32_t seen);
void team_wake(int32_t *address);
int64_t team_clock(void); /* nanoseconds */

static inline void team_signal(Signal *s, int32_t value) {
  __atomic_store_n(&s->value, value, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&s->sleeping, __ATOMIC_SEQ_CST)) team_wake(&s->value);
}

/* Waits until the value is `target` or beyond, and returns it. */
static inline int32_t team_wait(Signal *s, int32_t target) {
  int32_t value;
  int64_t since = 0;
  for (int32_t spins = 0; spins < SPINS_BEFORE_SLEEP; spins++) {
    value = __atomic_load_n(&s->value, __ATOMIC_ACQUIRE);
    if ((int32_t)((uint32_t)value - (uint32_t)target) >= 0) break;
    if (spins >= QUICK_SPINS) spin_pause();
    if (spins == QUICK_SPINS) since = team_clock();
  }
  if ((int32_t)((uint32_t)value - (uint32_t)target) < 0) {
    __atomic_add_fetch(&s->sleeping, 1, __ATOMIC_SEQ_CST);
    while (value = __atomic_load_n(&s->value, __ATOMIC_SEQ_CST), (int32_t)((uint32_t)value - (uint32_t)target) < 0) team_sleep(&s->value, value);
    __atomic_sub_fetch(&s->sleeping, 1, __ATOMIC_RELAXED);
  }
  if (since) __atomic_store_n(&s->waited, s->waited + team_clock() - since, __ATOMIC_RELAXED);
  return value;
}

/* `barriers` counts the barriers that this thread has passed; all threads pass the same ones. */
static inline void team_barrier(Team *t, int thread, int32_t *barriers) {
  const int32_t here = *barriers = (int32_t)((uint32_t)*barriers + 1);
  for (int round = 0, distance = 1; distance < t->threads; round++, distance *= 2) {
    team_signal(&t->signals[(thread + distance) % t->threads * BARRIER_ROUNDS + round], here);
    team_wait(&t->signals[thread * BARRIER_ROUNDS + round], here);
  }
}

/*
 * How many threads take part in a run. Threads that wait long for one another do not have a processor each: other
 * programs are at work, and every barrier then costs a time slice. So when waiting outweighs working for two windows, or
 * is nearly all for one, one thread less takes part, for a while that grows when trying again does not help.
 */
typedef struct {
  int most, active;
  int64_t total, waited;     /* nanoseconds in the present window */
  int late;                  /* windows in a row */
  int windows, patience;     /* until another thread is tried; how long it was last time */
  uint32_t runs;
} Pace;

enum { PACE_WINDOW = 10000000, LEAST_PATIENCE = 2, MOST_PATIENCE = 48, RUN_SHIFT = 9 };

static inline void pace_note(Pace *p, const Team *t, int64_t total) {
  int64_t waited = 0;
  for (int i = 0; i < t->threads; i++) {
    int64_t mine = 0;
    for (int round = 0; round < BARRIER_ROUNDS; round++) {
      Signal *s = &t->signals[i * BARRIER_ROUNDS + round];
      mine += __atomic_exchange_n(&s->waited, 0, __ATOMIC_RELAXED);
    }
    waited = mine > waited ? mine : waited;
  }
  p->total += total, p->waited += waited;
  if (p->total < PACE_WINDOW) return;
  p->late = 5 * p->waited > 4 * p->total ? 2 : 2 * p->waited > p->total ? p->late + 1 : 0;
  p->total = p->waited = 0;
  p->windows--;
  if (p->late >= 2 && p->active > 1) {
    p->active--, p->late = 0;
    p->patience = p->patience * 2 < MOST_PATIENCE ? p->patience * 2 : MOST_PATIENCE;
    p->windows = p->patience;
  } else if (p->active < p->most && p->windows <= 0) p->active++, p->windows = 0;
  else if (p->windows < -5 && p->patience > LEAST_PATIENCE) p->patience /= 2, p->windows = 0;
}

/* What to signal so that the first `threads` threads take part in the next run, and what a helper waits for next. */
static inline int32_t run_call(Pace *p, int threads) { return (int32_t)(++p->runs << RUN_SHIFT | (uint32_t)threads); }
static inline int run_threads(int32_t call) { return call & ((1 << RUN_SHIFT) - 1); }
static inline int32_t next_run(int32_t call) { return (int32_t)((((uint32_t)call >> RUN_SHIFT) + 1) << RUN_SHIFT); }
#endif
