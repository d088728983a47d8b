/*
 * The Node-API face of the kernels: memory outside the JavaScript heap, a pool of threads, and `execute(words)`.
 * The calling thread takes part in the work; helpers spin briefly between runs and then sleep.
 */
#define _GNU_SOURCE
#include <node_api.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#include "team.h"

#define DECLARE(name) void run_commands_##name(Team *, int, const double *, size_t);
DECLARE(portable)
#if defined(__x86_64__)
DECLARE(avx2)
DECLARE(avx512vnni)
#if defined(__linux__) && defined(GALLOP_WITH_AMX)
#include "amx-support.h"
#endif
#elif defined(__aarch64__)
DECLARE(neon)
#endif

typedef void (*Run)(Team *, int, const double *, size_t);
typedef struct { const char *name; Run run; int supported; } Variant;
enum { MOST_VARIANTS = 8 };

static int variants(Variant *list) {
  int n = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
  list[n++] = (Variant){"avx512vnni", run_commands_avx512vnni, avx512};
#if defined(__linux__) && defined(GALLOP_WITH_AMX)
  list[n++] = (Variant){"amx", run_commands_amx, avx512 && amx_works()};
#endif
  list[n++] = (Variant){"avx2", run_commands_avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c")};
#elif defined(__aarch64__)
  list[n++] = (Variant){"neon", run_commands_neon, 1};
#endif
  list[n++] = (Variant){"portable", run_commands_portable, 1};
  return n;
}

typedef struct {
  Team team;
  Run run;
  const double *words;
  size_t length;
  int32_t stop;
  pthread_t *threads;
  Signal start; /* of a run; all helpers wait for it */
  Pace pace;
} Pool;

typedef struct { Pool *pool; int thread; } Helper;

#if defined(__linux__)
void team_sleep(int32_t *address, int32_t seen) { syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, seen, 0, 0, 0); }
void team_wake(int32_t *address) { syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0); }
#else
static pthread_mutex_t sleep_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_condition = PTHREAD_COND_INITIALIZER;
void team_sleep(int32_t *address, int32_t seen) {
  pthread_mutex_lock(&sleep_mutex);
  if (__atomic_load_n(address, __ATOMIC_SEQ_CST) == seen) pthread_cond_wait(&sleep_condition, &sleep_mutex);
  pthread_mutex_unlock(&sleep_mutex);
}
void team_wake(int32_t *address) {
  (void)address;
  pthread_mutex_lock(&sleep_mutex);
  pthread_cond_broadcast(&sleep_condition);
  pthread_mutex_unlock(&sleep_mutex);
}
#endif

int64_t team_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *helper_main(void *argument) {
  Helper helper = *(Helper *)argument;
  free(argument);
  Pool *p = helper.pool;
  for (int32_t call = 0;;) {
    call = team_wait(&p->start, next_run(call));
    if (p->stop) return 0;
    if (helper.thread < run_threads(call)) p->run(&p->team, helper.thread, p->words, p->length);
  }
}

#define CHECK(call) do { if ((call) != napi_ok) { napi_throw_error(env, 0, "Node-API call failed: " #call); return 0; } } while (0)

static napi_value make_number(napi_env env, double x) { napi_value v; napi_create_double(env, x, &v); return v; }
static napi_value make_text(napi_env env, const char *s) { napi_value v; napi_create_string_utf8(env, s, NAPI_AUTO_LENGTH, &v); return v; }

static void unmap(napi_env env, void *data, void *hint) { (void)env; munmap(data, (size_t)(uintptr_t)hint); }

/* Fresh memory. A large block begins on a large page, where the system has them, and asks for such pages. */
static void *map(size_t size) {
  const size_t large = (size_t)2 << 20, room = size >= large ? size + large : size;
  uint8_t *memory = mmap(0, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || room == size) return memory;
  const size_t before = (size_t)(-(uintptr_t)memory & (large - 1));
  if (before > 0) munmap(memory, before);
  if (before < large) munmap(memory + before + size, large - before);
#ifdef MADV_HUGEPAGE
  madvise(memory + before, size, MADV_HUGEPAGE);
#endif
  return memory + before;
}

/* allocate(bytes) -> { address, buffer } or null when there is no memory */
static napi_value allocate(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arguments[1], result, buffer;
  double bytes;
  CHECK(napi_get_cb_info(env, info, &count, arguments, 0, 0));
  CHECK(napi_get_value_double(env, arguments[0], &bytes));
  size_t size = ((size_t)bytes + 64 + 4095) & ~(size_t)4095; /* room for a vector load past the end */
  void *memory = map(size);
  CHECK(napi_get_null(env, &result));
  if (memory == MAP_FAILED) return result;
#ifdef MADV_HUGEPAGE
  if (size >= (size_t)2 << 20) madvise(memory, size, MADV_HUGEPAGE);
#endif
  if (napi_create_external_arraybuffer(env, memory, (size_t)bytes, unmap, (void *)(uintptr_t)size, &buffer) != napi_ok) {
    munmap(memory, size);
    return result;
  }
  int64_t adjusted;
  napi_adjust_external_memory(env, 0, &adjusted);
  CHECK(napi_create_object(env, &result));
  CHECK(napi_set_named_property(env, result, "address", make_number(env, (double)(uintptr_t)memory)));
  CHECK(napi_set_named_property(env, result, "buffer", buffer));
  return result;
}

/* release(buffer): gives the memory back at once */
static napi_value release(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arguments[1];
  CHECK(napi_get_cb_info(env, info, &count, arguments, 0, 0));
  CHECK(napi_detach_arraybuffer(env, arguments[0]));
  return 0;
}

static void close_pool(Pool *p) {
  if (!p->run) return;
  p->run = 0;
  p->stop = 1;
  team_signal(&p->start, run_call(&p->pace, p->pace.most));
  for (int i = 1; i < p->pace.most; i++) pthread_join(p->threads[i], 0);
  free(p->threads), free(p->team.counters), free(p->team.scratch), free(p->team.signals);
}
static void finalize_pool(napi_env env, void *data, void *hint) { (void)env, (void)hint; close_pool(data); free(data); }

/* Zero bytes that begin on a cache line, or null. */
static void *zeroed(size_t bytes) {
  void *memory;
  if (posix_memalign(&memory, 64, bytes)) return 0;
  return memset(memory, 0, bytes);
}

/* open(variant, threads) -> pool */
static napi_value open_pool(napi_env env, napi_callback_info info) {
  size_t count = 2, length;
  napi_value arguments[2], result;
  char name[32];
  int32_t threads;
  CHECK(napi_get_cb_info(env, info, &count, arguments, 0, 0));
  CHECK(napi_get_value_string_utf8(env, arguments[0], name, sizeof name, &length));
  CHECK(napi_get_value_int32(env, arguments[1], &threads));
  Variant list[MOST_VARIANTS] = {0};
  Run run = 0;
  for (int i = variants(list) - 1; i >= 0; i--) if (list[i].supported && strcmp(list[i].name, name) == 0) run = list[i].run;
  if (!run || threads < 1 || threads > 256) { napi_throw_range_error(env, 0, "unknown kernel variant or thread count"); return 0; }
  Pool *p = zeroed(sizeof *p);
  if (p) p->threads = calloc((size_t)threads, sizeof *p->threads), p->team.signals = zeroed((size_t)threads * BARRIER_ROUNDS * sizeof(Signal));
  if (!p || !p->threads || !p->team.signals) {
    if (p) free(p->threads), free(p->team.signals), free(p);
    napi_throw_error(env, "ENOMEM", "no memory for a pool of threads");
    return 0;
  }
  p->run = run;
  p->team.threads = threads;
  p->pace = (Pace){.most = threads, .active = threads, .patience = LEAST_PATIENCE};
  for (int i = 1; i < threads; i++) {
    Helper *helper = malloc(sizeof *helper);
    *helper = (Helper){p, i};
    if (pthread_create(&p->threads[i], 0, helper_main, helper)) { free(helper); p->team.threads = p->pace.most = p->pace.active = i; break; }
  }
  CHECK(napi_create_external(env, p, finalize_pool, 0, &result));
  return result;
}

static napi_value shut_pool(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arguments[1];
  void *pool;
  CHECK(napi_get_cb_info(env, info, &count, arguments, 0, 0));
  CHECK(napi_get_value_external(env, arguments[0], &pool));
  close_pool(pool);
  return 0;
}

/* execute(pool, words, length, commands, scratchFloats) */
static napi_value execute(napi_env env, napi_callback_info info) {
  size_t count = 5, elements;
  napi_value arguments[5];
  void *external, *words;
  double length, commands, scratch;
  napi_typedarray_type type;
  CHECK(napi_get_cb_info(env, info, &count, arguments, 0, 0));
  CHECK(napi_get_value_external(env, arguments[0], &external));
  CHECK(napi_get_typedarray_info(env, arguments[1], &type, &elements, &words, 0, 0));
  CHECK(napi_get_value_double(env, arguments[2], &length));
  CHECK(napi_get_value_double(env, arguments[3], &commands));
  CHECK(napi_get_value_double(env, arguments[4], &scratch));
  Pool *p = external;
  if (!p->run || type != napi_float64_array || length > (double)elements) { napi_throw_error(env, 0, "closed pool or wrong command words"); return 0; }
  const size_t count_bytes = ((size_t)commands + 15) / 16 * 64;
  if ((size_t)commands > p->team.counter_stride) {
    free(p->team.counters);
    p->team.counters = zeroed(2 * count_bytes * (size_t)p->pace.most);
    p->team.counter_stride = p->team.counters ? count_bytes / 2 : 0;
  } else
    for (int i = 0; i < p->pace.most; i++) memset(p->team.counters + (size_t)i * p->team.counter_stride, 0, count_bytes);
  if ((size_t)scratch > p->team.scratch_floats) {
    free(p->team.scratch);
    p->team.scratch_floats = ((size_t)scratch + 1023) & ~(size_t)1023;
    if (posix_memalign((void **)&p->team.scratch, 64, p->team.scratch_floats * 4 * (size_t)p->pace.most)) p->team.scratch = 0, p->team.scratch_floats = 0;
  }
  if (!p->team.counters || (scratch > 0 && !p->team.scratch)) { napi_throw_error(env, "ENOMEM", "no memory for kernel scratch"); return 0; }
  p->words = words;
  p->length = (size_t)length;
  p->team.threads = p->pace.active;
  const int64_t start = team_clock();
  if (p->team.threads > 1) team_signal(&p->start, run_call(&p->pace, p->team.threads));
  p->run(&p->team, 0, p->words, p->length);
  pace_note(&p->pace, &p->team, team_clock() - start);
  return 0;
}

static napi_value list_variants(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  Variant list[MOST_VARIANTS] = {0};
  int n = variants(list), kept = 0;
  CHECK(napi_create_array(env, &result));
  for (int i = 0; i < n; i++) if (list[i].supported) napi_set_element(env, result, (uint32_t)kept++, make_text(env, list[i].name));
  return result;
}

NAPI_MODULE_INIT() {
  struct { const char *name; napi_callback call; } functions[] = {
    {"allocate", allocate}, {"release", release}, {"open", open_pool}, {"close", shut_pool}, {"execute", execute}, {"variants", list_variants}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    CHECK(napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, 0, &function));
    CHECK(napi_set_named_property(env, exports, functions[i].name, function));
  }
  return exports;
}
