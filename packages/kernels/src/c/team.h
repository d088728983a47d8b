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
  int32_t generation; /* of the last barrier that was signalled */
  int32_t sleeping;   /* threads */
  int32_t padding[14];
} Signal;

typedef struct Team {
  int threads;
  uint32_t *counters;            /* [thread][command], zeroed before a run */
  size_t counter_stride;         /* commands there is room for, a multiple of 16 */
  float *scratch;
  size_t scratch_floats;         /* per thread */
  Signal *signals;               /* [thread][BARRIER_ROUNDS], zero in the beginning, aligned to 64 bytes */
  int32_t barriers;              /* passed in earlier runs */
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

static inline void team_signal(Signal *s) {
  __atomic_add_fetch(&s->generation, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&s->sleeping, __ATOMIC_SEQ_CST)) team_wake(&s->generation);
}

/* Waits for a generation other than `seen`. */
static inline void team_wait(Signal *s, int32_t seen) {
  for (int32_t spins = 0; spins < SPINS_BEFORE_SLEEP; spins++) {
    if (__atomic_load_n(&s->generation, __ATOMIC_ACQUIRE) != seen) return;
    if (spins > QUICK_SPINS) spin_pause();
  }
  __atomic_add_fetch(&s->sleeping, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&s->generation, __ATOMIC_SEQ_CST) == seen) team_sleep(&s->generation, seen);
  __atomic_sub_fetch(&s->sleeping, 1, __ATOMIC_RELAXED);
}

/* `barriers` counts the barriers that this thread has passed; all threads pass the same ones. */
static inline void team_barrier(Team *t, int thread, int32_t *barriers) {
  const int32_t seen = (*barriers)++;
  for (int round = 0, distance = 1; distance < t->threads; round++, distance *= 2) {
    team_signal(&t->signals[(thread + distance) % t->threads * BARRIER_ROUNDS + round]);
    team_wait(&t->signals[thread * BARRIER_ROUNDS + round], seen);
  }
}
#endif
