/*
 * The threads that run one command list together: a shared counter per command to hand out work, a spin barrier, and
 * scratch memory per thread.
 */
#ifndef GALLOP_TEAM_H
#define GALLOP_TEAM_H
#include <stddef.h>
#include <stdint.h>

typedef struct Team {
  int threads;
  int32_t waiting, generation;   /* barrier */
  uint32_t *counters;            /* one per command, zeroed before a run */
  float *scratch;
  size_t scratch_floats;         /* per thread */
} Team;

static inline size_t team_take(Team *t, size_t command, size_t chunk) {
  if (t->threads == 1) {
    size_t first = t->counters[command];
    t->counters[command] += (uint32_t)chunk;
    return first;
  }
  return __atomic_fetch_add(&t->counters[command], (uint32_t)chunk, __ATOMIC_RELAXED);
}
static inline float *team_scratch(Team *t, int thread) { return t->scratch + (size_t)thread * t->scratch_floats; }

void team_yield(int32_t spins, int32_t *generation, int32_t seen);

static inline void team_barrier(Team *t) {
  if (t->threads == 1) return;
  int32_t seen = __atomic_load_n(&t->generation, __ATOMIC_RELAXED);
  if (__atomic_add_fetch(&t->waiting, 1, __ATOMIC_ACQ_REL) == t->threads) {
    __atomic_store_n(&t->waiting, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&t->generation, seen + 1, __ATOMIC_RELEASE);
    return;
  }
  for (int32_t spins = 0; __atomic_load_n(&t->generation, __ATOMIC_ACQUIRE) == seen; spins++) team_yield(spins, &t->generation, seen);
}
#endif
