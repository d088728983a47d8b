/*
 * Reads a buffer far larger than any cache with several threads, again and again, and prints the best speed in bytes a
 * second: what the machine's memory can give to that many threads. Usage: read-bandwidth THREADS MEBIBYTES PASSES
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { LANES = 64 }; /* 64-bit sums kept apart, so that reads do not wait for additions */

static const uint64_t *data;
static size_t words_per_thread;
static int passes, thread_count;
static atomic_int arrived;
static double *ends;
static double *begins;
static atomic_ullong checksum;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void meet(int round) {
  atomic_fetch_add(&arrived, 1);
  while (atomic_load(&arrived) < thread_count * round) sched_yield();
}

static void *reader(void *argument) {
  const int self = (int)(intptr_t)argument;
  const uint64_t *own = data + (size_t)self * words_per_thread;
  uint64_t sums[LANES] = {0};
  for (int pass = 0; pass < passes; pass++) {
    meet(pass + 1);
    begins[pass * thread_count + self] = now();
    for (size_t at = 0; at < words_per_thread; at += LANES)
      for (int lane = 0; lane < LANES; lane++) sums[lane] += own[at + (size_t)lane];
    ends[pass * thread_count + self] = now();
  }
  uint64_t sum = 0;
  for (int lane = 0; lane < LANES; lane++) sum += sums[lane];
  atomic_fetch_add(&checksum, sum);
  return NULL;
}

/* From the first thread's begin to the last one's end. */
static double seconds_of(int pass) {
  double begin = begins[pass * thread_count], end = ends[pass * thread_count];
  for (int i = 1; i < thread_count; i++) {
    if (begins[pass * thread_count + i] < begin) begin = begins[pass * thread_count + i];
    if (ends[pass * thread_count + i] > end) end = ends[pass * thread_count + i];
  }
  return end - begin;
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  thread_count = atoi(arguments[1]);
  const size_t bytes = (size_t)atoll(arguments[2]) << 20;
  passes = atoi(arguments[3]);
  if (thread_count < 1 || thread_count > 1024 || bytes == 0 || passes < 1) return 2;
  void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return 3;
#ifdef MADV_HUGEPAGE
  madvise(block, bytes, MADV_HUGEPAGE);
#endif
  memset(block, 1, bytes);
  data = block;
  words_per_thread = bytes / 8 / (size_t)thread_count / LANES * LANES;
  const size_t moments = (size_t)passes * (size_t)thread_count;
  begins = calloc(moments, sizeof *begins);
  ends = calloc(moments, sizeof *ends);
  pthread_t *threads = calloc((size_t)thread_count, sizeof *threads);
  if (!begins || !ends || !threads) return 3;
  for (int i = 1; i < thread_count; i++)
    if (pthread_create(&threads[i], NULL, reader, (void *)(intptr_t)i)) return 3;
  reader((void *)(intptr_t)0);
  for (int i = 1; i < thread_count; i++) pthread_join(threads[i], NULL);
  double best = seconds_of(0);
  for (int pass = 1; pass < passes; pass++)
    if (seconds_of(pass) < best) best = seconds_of(pass);
  printf("%.0f %llu\n", (double)words_per_thread * 8 * thread_count / best, (unsigned long long)checksum);
  return 0;
}
