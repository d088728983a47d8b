/*
 * The face of a wasm module: `execute` runs a command list on the calling thread together with the threads that sit in
 * `help`. Every thread is an instance of the module over one shared memory, with a stack of its own; the host owns
 * the heap above `__heap_base`. Helpers spin briefly between runs and then sleep until the next one.
 */
#include "simd.h"
#include "team.h"
#include "variant.h"

#define EXPORT(name) __attribute__((export_name(#name)))
#define SPINS_BEFORE_SLEEP 20000

void VARIANT(run_commands)(Team *team, int thread, const double *words, size_t length);

/* Lets other threads run for a moment where the host permits it; returns early when *address is no longer `seen`. */
__attribute__((import_module("host"), import_name("pause"))) void host_pause(int32_t *address, int32_t seen);

static struct {
  Team team;
  const double *words;
  size_t length;
  int32_t job;
} pool;

void team_yield(int32_t spins, int32_t *generation, int32_t seen) {
  if (spins > SPINS_BEFORE_SLEEP) host_pause(generation, seen);
}

/* `counters` holds one integer per command; `scratch` holds `scratch_floats` floats per thread. */
EXPORT(execute) void execute(const double *words, size_t length, uint32_t *counters, size_t commands, float *scratch, size_t scratch_floats, int threads) {
  memset(counters, 0, commands * sizeof *counters);
  pool.team.threads = threads;
  pool.team.counters = counters;
  pool.team.scratch = scratch;
  pool.team.scratch_floats = scratch_floats;
  pool.words = words;
  pool.length = length;
  if (threads > 1) {
    __atomic_add_fetch(&pool.job, 1, __ATOMIC_SEQ_CST);
    __builtin_wasm_memory_atomic_notify((int *)&pool.job, -1);
  }
  VARIANT(run_commands)(&pool.team, 0, words, length);
}

/* A helper thread's life: the host ends the thread. */
EXPORT(help) void help(int thread) {
  for (int32_t seen = 0;;) {
    for (int spins = 0; spins < SPINS_BEFORE_SLEEP && __atomic_load_n(&pool.job, __ATOMIC_ACQUIRE) == seen; spins++) spin_pause();
    while (__atomic_load_n(&pool.job, __ATOMIC_ACQUIRE) == seen) __builtin_wasm_memory_atomic_wait32((int *)&pool.job, seen, -1);
    seen = __atomic_load_n(&pool.job, __ATOMIC_ACQUIRE);
    VARIANT(run_commands)(&pool.team, thread, pool.words, pool.length);
  }
}
