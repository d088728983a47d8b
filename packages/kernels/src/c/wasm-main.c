/*
 * The face of a wasm module: `execute` runs a command list on the calling thread together with the threads that sit in
 * `help`. Every thread is an instance of the module over one shared memory, with a stack of its own; the host owns
 * the heap above `__heap_base`. Helpers spin briefly between runs and then sleep until the next one.
 */
#include "simd.h"
#include "team.h"
#include "variant.h"

#define EXPORT(name) __attribute__((export_name(#name)))

void VARIANT(run_commands)(Team *team, int thread, const double *words, size_t length);

/* Lets other threads run for a moment where the host permits it; returns early when *address is no longer `seen`. */
__attribute__((import_module("host"), import_name("pause"))) void host_pause(int32_t *address, int32_t seen);

#define MOST_THREADS 256
static Signal signals[MOST_THREADS * BARRIER_ROUNDS] __attribute__((aligned(64)));
static struct {
  Team team;
  const double *words;
  size_t length;
  Signal start; /* of a run; all helpers wait for it */
  Pace pace;
} pool;

/* Milliseconds of a clock that all threads share roughly: only differences on one thread count. */
__attribute__((import_module("host"), import_name("now"))) double host_now(void);
int64_t team_clock(void) { return (int64_t)(host_now() * 1e6); }

void team_sleep(int32_t *address, int32_t seen) { host_pause(address, seen); }
void team_wake(int32_t *address) { __builtin_wasm_memory_atomic_notify((int *)address, -1); }

/*
 * `counters` holds, for each thread, `counter_stride` integers: at least one per command, a multiple of 16; `scratch`
 * holds `scratch_floats` floats per thread.
 */
EXPORT(execute) void execute(const double *words, size_t length, uint32_t *counters, size_t counter_stride, float *scratch, size_t scratch_floats, int threads) {
  memset(counters, 0, (size_t)threads * counter_stride * sizeof *counters);
  if (pool.pace.most == 0) pool.pace = (Pace){.most = threads, .active = threads, .patience = LEAST_PATIENCE};
  pool.team.threads = pool.pace.active;
  pool.team.signals = signals;
  pool.team.counters = counters;
  pool.team.counter_stride = counter_stride;
  pool.team.scratch = scratch;
  pool.team.scratch_floats = scratch_floats;
  pool.words = words;
  pool.length = length;
  const int64_t start = team_clock();
  if (pool.team.threads > 1) team_signal(&pool.start, run_call(&pool.pace, pool.team.threads));
  VARIANT(run_commands)(&pool.team, 0, words, length);
  pace_note(&pool.pace, &pool.team, team_clock() - start);
}

/* A helper thread's life: the host ends the thread. */
EXPORT(help) void help(int thread) {
  for (int32_t call = 0;;) {
    call = team_wait(&pool.start, next_run(call));
    if (thread < run_threads(call)) VARIANT(run_commands)(&pool.team, thread, pool.words, pool.length);
  }
}
